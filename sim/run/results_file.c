/* The results' file: made, saved, opened, closed; HDF5's failures; being a guest. See results.h. */
#include "results_hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polku/file.h"
#include "polku/memory.h"

enum { CORE_INCREMENT = 1 << 20 };

/* ---- Guest manners and HDF5's failures, for the reader too ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void before_first_use(void)
{
    (void)H5dont_atexit();
}

void pk_results_guest_enter(struct pk_results_guest *guest)
{
    memset(guest, 0, sizeof *guest);
    pthread_once(&once, before_first_use);
    H5Eauto_is_v2(H5E_DEFAULT, &guest->is_v2);
    if (guest->is_v2)
        H5Eget_auto2(H5E_DEFAULT, &guest->handler, &guest->data);
    else
        H5Eget_auto1(&guest->handler_v1, &guest->data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

void pk_results_guest_leave(const struct pk_results_guest *guest)
{
    H5Eclear2(H5E_DEFAULT);
    if (guest->is_v2)
        H5Eset_auto2(H5E_DEFAULT, guest->handler, guest->data);
    else
        H5Eset_auto1(guest->handler_v1, guest->data);
}

struct reason {
    char text[256];
    bool from_system; /* the operating system refused: its words are the text */
};

static herr_t take_reason(unsigned i, const H5E_error2_t *entry, void *data)
{
    static const char mark[] = "error message = '";
    struct reason *reason = data;
    const char *words = entry->desc == NULL ? NULL : strstr(entry->desc, mark);
    if (words != NULL && !reason->from_system) {
        words += sizeof mark - 1;
        snprintf(reason->text, sizeof reason->text, "%.*s", (int)strcspn(words, "'"), words);
        reason->from_system = true;
    } else if (i == 0 && entry->desc != NULL) {
        snprintf(reason->text, sizeof reason->text, "%s", entry->desc);
    }
    return 0;
}

void pk_results_hdf5_name_file(const struct pk_results *results, struct pk_error *error)
{
    if (error != NULL)
        snprintf(error->file, sizeof error->file, "%.255s", results->path);
}

enum pk_status pk_results_hdf5_failed(const struct pk_results *results, struct pk_error *error, const char *doing,
                                      const char *group, const char *name)
{
    struct reason reason = {"HDF5 gives no reason", false};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, &reason);
    if (results->image != NULL && results->image->refused)
        return pk_error_set(error, PK_NO_MEMORY, "no memory to hold the results");
    bool reading = results->state == PK_RESULTS_READING;
    const char *between = name[0] != '\0' && group[0] != '\0' && strcmp(group, "/") != 0 ? "/" : "";
    enum pk_status status =
        pk_error_set(error, reading && !reason.from_system ? PK_BAD_INPUT : PK_IO, "cannot %s %s%s%s: %s%s", doing,
                     group, between, name, reason.text, reading && !reason.from_system ? "; the file is damaged" : "");
    pk_results_hdf5_name_file(results, error);
    return status;
}

bool pk_results_hdf5_compact(hid_t creation)
{
    return H5Pset_link_phase_change(creation, 1024, 1000) >= 0 && H5Pset_attr_phase_change(creation, 1024, 1000) >= 0;
}

void pk_results_hdf5_release(hid_t id)
{
    if (id >= 0)
        H5Idec_ref(id);
}

/* ---- One call of a writer ---- */

enum pk_status pk_results_begin(const struct pk_results *results, struct pk_results_call *call)
{
    pk_results_guest_enter(&call->guest);
    pk_error_set(&call->problem, PK_OK, "%s", "");
    if (results->state != PK_RESULTS_WRITING)
        return pk_error_set(&call->problem, PK_BUG, "these results are not being written any more");
    call->problem = results->first_failure;
    return call->problem.status;
}

enum pk_status pk_results_end(struct pk_results *results, struct pk_results_call *call, struct pk_error *error)
{
    pk_results_guest_leave(&call->guest);
    if (call->problem.status == PK_OK)
        return PK_OK;
    if (results->first_failure.status == PK_OK)
        results->first_failure = call->problem;
    if (error != NULL)
        *error = call->problem;
    return call->problem.status;
}

/* ---- The file ---- */

static void *image_realloc(void *bytes, size_t size, H5FD_file_image_op_t why, void *data)
{
    struct pk_results_image *image = data;
    (void)why;
    PK_ASSERT(bytes == image->bytes);
    char *grown = pk_realloc(bytes, size, 1);
    if (grown == NULL) {
        image->refused = true;
        return NULL;
    }
    if (size > image->room)
        memset(grown + image->room, 0, size - image->room);
    image->bytes = grown;
    image->room = size;
    return grown;
}

static void *image_malloc(size_t size, H5FD_file_image_op_t why, void *data)
{
    return image_realloc(NULL, size, why, data);
}

static herr_t image_release(void *bytes, H5FD_file_image_op_t why, void *data)
{
    struct pk_results_image *image = data;
    (void)why;
    if (image->keep)
        return 0;
    pk_free(bytes);
    image->bytes = NULL;
    return 0;
}

static void *image_share(void *data)
{
    return data;
}
static herr_t image_unshare(void *data)
{
    return data == NULL ? -1 : 0;
}

static void free_image(struct pk_results *results)
{
    if (results->image != NULL)
        pk_free(results->image->bytes);
    pk_free(results->image);
    results->image = NULL;
}

static bool use_memory(hid_t access, struct pk_results_image *image)
{
    H5FD_file_image_callbacks_t callbacks = {.image_malloc = image_malloc,
                                             .image_realloc = image_realloc,
                                             .image_free = image_release,
                                             .udata_copy = image_share,
                                             .udata_free = image_unshare,
                                             .udata = image};
    return H5Pset_fapl_core(access, CORE_INCREMENT, false) >= 0 && H5Pset_file_image_callbacks(access, &callbacks) >= 0;
}

static enum pk_status create(struct pk_results **results, const char *path, struct pk_error *error)
{
    *results = NULL;
    struct pk_results *made = pk_alloc(1, sizeof *made);
    if (made == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory to begin the results");
    if (strlen(path) >= sizeof made->path) {
        pk_free(made);
        return pk_error_set(error, PK_IO, "the name of the results' file is too long: %.80s...", path);
    }
    if (path[0] == '\0' && (made->image = pk_alloc(1, sizeof *made->image)) == NULL) {
        pk_free(made);
        return pk_error_set(error, PK_NO_MEMORY, "no memory to begin the results");
    }
    made->state = PK_RESULTS_WRITING;
    snprintf(made->path, sizeof made->path, "%s", path);
    if (path[0] != '\0')
        pk_file_temporary_name(path, made->temporary, sizeof made->temporary);
    enum pk_status status = PK_OK;
    struct pk_results_guest guest;
    pk_results_guest_enter(&guest);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), untimed = H5Pcreate(H5P_FILE_CREATE);
    bool good =
        access >= 0 && untimed >= 0 && H5Pset_obj_track_times(untimed, false) >= 0 &&
        pk_results_hdf5_compact(untimed) && H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST) >= 0 &&
        H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0 && (path[0] != '\0' || use_memory(access, made->image));
    /* In memory the name is only a label; it must differ between open files. */
    char label[64];
    snprintf(label, sizeof label, "polku-results-%p", (void *)made);
    made->file =
        !good ? H5I_INVALID_HID : H5Fcreate(path[0] != '\0' ? made->temporary : label, H5F_ACC_TRUNC, untimed, access);
    if (made->file < 0)
        status = pk_results_hdf5_failed(made, error, "create the results' file", path, "");
    pk_results_hdf5_release(access);
    pk_results_hdf5_release(untimed);
    pk_results_guest_leave(&guest);
    if (status == PK_OK)
        *results = made;
    else
        pk_results_close(made);
    return status;
}

enum pk_status pk_results_create(struct pk_results **results, struct pk_error *error)
{
    return create(results, "", error);
}

enum pk_status pk_results_create_on_disk(struct pk_results **results, const char *path, struct pk_error *error)
{
    return create(results, path, error);
}

/* Closes HDF5's file; in memory, gives its bytes. A file that HDF5 fails to close it still holds, and the image with
 * it: both are then left alone. */
static enum pk_status close_file(struct pk_results *results, char **bytes, size_t *size, struct pk_error *problem)
{
    struct pk_results_image *image = results->image;
    enum pk_status status = PK_OK;
    if (image != NULL)
        image->keep = true;
    if (H5Fclose(results->file) < 0) {
        status = pk_results_hdf5_failed(results, problem, "write", "the results' file", "");
        results->image = NULL;
    }
    results->file = H5I_INVALID_HID;
    if (status != PK_OK || image == NULL)
        return status;
    /* HDF5 grows the image in steps; the superblock (version 2, format specification II.A) has the file's end. */
    const unsigned char *end = (const unsigned char *)image->bytes + 28;
    PK_ASSERT(image->room >= 48 && image->bytes[8] == 2 && image->bytes[9] == 8);
    *size = 0;
    for (size_t i = 8; i-- > 0;)
        *size = *size << 8 | end[i];
    PK_ASSERT(*size <= image->room);
    *bytes = image->bytes;
    return PK_OK;
}

enum pk_status pk_results_save(struct pk_results *results, const char *path, struct pk_error *error)
{
    struct pk_results_call call;
    char *bytes = NULL;
    size_t size = 0;
    bool on_disk = results->temporary[0] != '\0';
    enum pk_status status = pk_results_begin(results, &call);
    if (status == PK_OK && on_disk && strcmp(path, results->path) != 0)
        status = pk_error_set(&call.problem, PK_BUG, "results begun as %.120s cannot be saved as %.120s", results->path,
                              path);
    if (results->state == PK_RESULTS_WRITING) {
        struct pk_error problem;
        enum pk_status closed = close_file(results, &bytes, &size, &problem);
        if (closed != PK_OK && status == PK_OK) {
            call.problem = problem;
            status = closed;
        }
        results->state = PK_RESULTS_FINISHED;
    }
    if (status == PK_OK && on_disk)
        status = pk_file_publish(results->temporary, path, &call.problem);
    else if (status == PK_OK)
        status = pk_file_write(path, bytes, size, &call.problem);
    else if (on_disk)
        unlink(results->temporary);
    results->temporary[0] = '\0';
    free_image(results);
    return pk_results_end(results, &call, error);
}

enum pk_status pk_results_open(const char *path, struct pk_results **results, struct pk_error *error)
{
    *results = NULL;
    enum pk_status status = PK_OK;
    struct pk_results *made = pk_alloc(1, sizeof *made);
    if (made == NULL)
        return pk_error_set(error, PK_NO_MEMORY, "no memory to open the results %s", path);
    made->state = PK_RESULTS_READING;
    made->file = H5I_INVALID_HID;
    snprintf(made->path, sizeof made->path, "%s", path);
    /* Asked of the system first: HDF5's own words for a missing file would say little. */
    struct stat about;
    unsigned char head[9] = {0};
    int cause = 0, file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0 || (S_ISREG(about.st_mode) && read(file, head, sizeof head) < 0))
        cause = errno;
    if (file >= 0)
        close(file);
    if (cause != 0 || !S_ISREG(about.st_mode)) {
        status = pk_error_set(error, PK_IO, "cannot open the results: %s",
                              cause != 0 ? strerror(cause) : "not a regular file");
    } else if (memcmp(head, "\x89HDF\r\n\x1a\n", 8) != 0) {
        status = pk_error_set(error, PK_BAD_INPUT, "is not a results (HDF5) file, or its beginning is damaged");
    } else if (head[8] < 2) {
        /* The older format has no checksums in its metadata, and HDF5 1.10.8 crashes on damage there. */
        status = pk_error_set(error, PK_BAD_INPUT,
                              "is HDF5 of an older format (superblock version %d) than results have", head[8]);
    } else {
        made->file_bytes = (unsigned long long)about.st_size;
        struct pk_results_guest guest;
        pk_results_guest_enter(&guest);
        hid_t access = H5Pcreate(H5P_FILE_ACCESS);
        if (access >= 0 && H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0)
            made->file = H5Fopen(path, H5F_ACC_RDONLY, access);
        if (made->file < 0)
            status = pk_results_hdf5_failed(made, error, "open it as a results' (HDF5) file", "", "");
        pk_results_hdf5_release(access);
        pk_results_guest_leave(&guest);
    }
    if (status != PK_OK)
        pk_results_hdf5_name_file(made, error);
    if (status == PK_OK)
        *results = made;
    else
        pk_free(made);
    return status;
}

void pk_results_close(struct pk_results *results)
{
    if (results == NULL)
        return;
    struct pk_results_guest guest;
    pk_results_guest_enter(&guest);
    if (results->file >= 0 && H5Fclose(results->file) < 0)
        results->image = NULL; /* HDF5 still holds it */
    free_image(results);
    if (results->temporary[0] != '\0')
        unlink(results->temporary);
    pk_results_guest_leave(&guest);
    pk_free(results);
}
