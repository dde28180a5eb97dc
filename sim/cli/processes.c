/* Other programs. See processes.h. */
#include "processes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stopping.h"

extern char **environ;

bool pk_process_there(const char *name)
{
    const char *at = getenv("PATH");
    char path[4096];
    while (at != NULL && *at != '\0') {
        const size_t size = strcspn(at, ":");
        const int n = snprintf(path, sizeof path, "%.*s/%s", (int)size, size > 0 ? at : ".", name);
        if (n > 0 && (size_t)n < sizeof path && access(path, X_OK) == 0)
            return true;
        at += size + (at[size] == ':');
    }
    return false;
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Both ends closed in children; false: no pipe. */
static bool make_pipe(int ends[2])
{
    if (pipe(ends) != 0)
        return false;
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

/* argv is not written to by exec: POSIX gives it that type for old programs' sake. */
static char *const *words_of(const char *const *argv)
{
    union {
        const char *const *given;
        char *const *wanted;
    } words = {.given = argv};
    return words.wanted;
}

/* Reads both pipes to their ends. */
static void read_both(int from[2], struct pk_text *into[2])
{
    struct pollfd open_ones[2] = {{.fd = from[0], .events = POLLIN}, {.fd = from[1], .events = POLLIN}};
    while (open_ones[0].fd >= 0 || open_ones[1].fd >= 0) {
        if (poll(open_ones, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        for (int i = 0; i < 2; i++) {
            char bytes[4096];
            if (open_ones[i].fd < 0 || open_ones[i].revents == 0)
                continue;
            const ssize_t n = read(open_ones[i].fd, bytes, sizeof bytes);
            if (n > 0)
                pk_text_add(into[i], bytes, (size_t)n);
            else if (n == 0 || errno != EINTR)
                open_ones[i].fd = -1;
        }
    }
}

int pk_process_read(const char *const *argv, struct pk_text *out, struct pk_text *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int outs[2], errs[2], status = 0;
    pid_t child;
    if (!make_pipe(outs))
        return -1;
    if (!make_pipe(errs)) {
        close(outs[0]);
        close(outs[1]);
        return -1;
    }
    bool failed = posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attributes) != 0;
    if (!failed) {
        failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP) != 0 ||
                 posix_spawnattr_setpgroup(&attributes, 0) != 0 ||
                 posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
                 posix_spawn_file_actions_adddup2(&actions, outs[1], STDOUT_FILENO) != 0 ||
                 posix_spawn_file_actions_adddup2(&actions, errs[1], STDERR_FILENO) != 0 ||
                 posix_spawnp(&child, argv[0], &actions, &attributes, words_of(argv), environ) != 0;
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    close(outs[1]);
    close(errs[1]);
    if (!failed)
        read_both((int[2]){outs[0], errs[0]}, (struct pk_text *[2]){out, err});
    close(outs[0]);
    close(errs[0]);
    while (!failed && waitpid(child, &status, 0) < 0)
        failed = errno != EINTR;
    return failed ? -1 : code_of(status);
}

int pk_process_run(const char *const *argv, const char *log)
{
    posix_spawn_file_actions_t actions;
    int status = 0;
    pid_t child, ended = 0;
    bool told = false;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    const bool failed =
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0666) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO) != 0 ||
        posix_spawnp(&child, argv[0], &actions, NULL, words_of(argv), environ) != 0;
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return -1;
    while ((ended = waitpid(child, &status, WNOHANG)) == 0 || (ended < 0 && errno == EINTR)) {
        const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
        if (pk_stopping_signal() != 0 && !told) {
            told = true;
            (void)kill(child, SIGTERM);
        }
        (void)nanosleep(&pause, NULL);
    }
    return ended < 0 ? -1 : code_of(status);
}
