/* Files, whole or not at all. See file.h. */
#include "polku/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "polku/hash.h"
#include "polku/memory.h"

static atomic_long n_asked;
static atomic_long n_allowed = -1;

long pk_file_fail_after(long n)
{
    long asked = atomic_exchange(&n_asked, 0);
    atomic_store(&n_allowed, n);
    return asked;
}

/* True where the fault tests want this call to fail; errno then says so. */
static int failing(void)
{
    long i_this = atomic_fetch_add(&n_asked, 1), allowed = atomic_load(&n_allowed);
    if (allowed < 0 || i_this < allowed)
        return 0;
    errno = ENOSPC;
    return 1;
}

static enum pk_status io_error(struct pk_error *error, const char *path, const char *doing)
{
    int cause = errno;
    pk_error_set(error, PK_IO, "cannot %s: %s", doing, strerror(cause));
    if (error != NULL)
        snprintf(error->file, sizeof error->file, "%s", path);
    return PK_IO;
}

enum pk_status pk_file_read(const char *path, size_t max_bytes, char **bytes, size_t *size, struct pk_error *error)
{
    *bytes = NULL;
    *size = 0;
    char *content = NULL;
    enum pk_status status = PK_OK;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return io_error(error, path, "open the file");
    struct stat about;
    if (fstat(file, &about) != 0) {
        status = io_error(error, path, "read the file");
        goto out;
    }
    if (!S_ISREG(about.st_mode)) {
        status = pk_error_set(error, PK_IO, "is not a regular file");
        if (error != NULL)
            snprintf(error->file, sizeof error->file, "%s", path);
        goto out;
    }
    if ((size_t)about.st_size > max_bytes) {
        status = pk_error_set(error, PK_BAD_INPUT, "the file has %lld bytes, at most %zu are read",
                              (long long)about.st_size, max_bytes);
        if (error != NULL)
            snprintf(error->file, sizeof error->file, "%s", path);
        goto out;
    }
    content = pk_alloc((size_t)about.st_size + 1, 1);
    if (content == NULL) {
        status = pk_error_set(error, PK_NO_MEMORY, "no memory to read %s", path);
        goto out;
    }
    size_t n_read = 0;
    while (n_read < (size_t)about.st_size) {
        ssize_t n = read(file, content + n_read, (size_t)about.st_size - n_read);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            status = io_error(error, path, "read the file");
            goto out;
        }
        if (n == 0)
            break;
        n_read += (size_t)n;
    }
    *bytes = content;
    *size = n_read;
    content = NULL;
out:
    pk_free(content);
    close(file);
    return status;
}

/* Of this process and no other on any host: two copies of a cluster's task, which may well have the same process id,
 * write beside each other. */
static uint64_t own_mark(void)
{
    static _Atomic uint64_t mark;
    struct timespec now[2];
    char host[256] = "";
    uint64_t made = PK_HASH_START, none = atomic_load(&mark);
    if (none != 0)
        return none;
    const long id = (long)getpid();
    (void)gethostname(host, sizeof host - 1);
    (void)clock_gettime(CLOCK_REALTIME, &now[0]);
    (void)clock_gettime(CLOCK_MONOTONIC, &now[1]);
    pk_hash_mix(&made, host, sizeof host);
    pk_hash_mix(&made, &id, sizeof id);
    pk_hash_mix(&made, now, sizeof now);
    return atomic_compare_exchange_strong(&mark, &none, made | 1) ? made | 1 : none;
}

void pk_file_temporary_name(const char *path, char *temporary, size_t size)
{
    snprintf(temporary, size, "%s.partial-%ld-%08lx", path, (long)getpid(), (unsigned long)(own_mark() & 0xffffffff));
}

static void sync_directory_of(const char *path)
{
    /* Best effort: some file systems refuse to sync a directory, and the data is already safe. */
    char directory[4096];
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash == directory)
        slash[1] = '\0';
    else if (slash != NULL)
        *slash = '\0';
    else
        snprintf(directory, sizeof directory, ".");
    int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file >= 0) {
        (void)fsync(file);
        close(file);
    }
}

enum pk_status pk_file_publish(const char *temporary, const char *path, struct pk_error *error)
{
    enum pk_status status = PK_OK;
    int file = open(temporary, O_RDONLY | O_CLOEXEC);
    if (file < 0 || failing() || fsync(file) != 0)
        status = io_error(error, path, "write the file to disk");
    if (file >= 0 && close(file) != 0 && status == PK_OK)
        status = io_error(error, path, "write the file to disk");
    if (status == PK_OK && (failing() || rename(temporary, path) != 0))
        status = io_error(error, path, "give the file its name");
    if (status != PK_OK)
        unlink(temporary);
    else
        sync_directory_of(path);
    return status;
}

enum pk_status pk_file_write(const char *path, const void *bytes, size_t size, struct pk_error *error)
{
    char temporary[4096];
    pk_file_temporary_name(path, temporary, sizeof temporary);
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return io_error(error, path, "create the file");
    enum pk_status status = PK_OK;
    size_t n_written = 0;
    while (n_written < size && status == PK_OK) {
        size_t chunk = size - n_written < (1u << 24) ? size - n_written : (1u << 24);
        ssize_t n = failing() ? -1 : write(file, (const char *)bytes + n_written, chunk);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            status = io_error(error, path, "write the file");
        else
            n_written += (size_t)n;
    }
    if (close(file) != 0 && status == PK_OK)
        status = io_error(error, path, "close the file");
    if (status != PK_OK) {
        unlink(temporary);
        return status;
    }
    return pk_file_publish(temporary, path, error);
}
