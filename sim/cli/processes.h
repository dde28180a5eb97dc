/* Other programs: started, waited for, and what they said. Nothing goes through a shell. */
#ifndef PK_PROCESSES_H
#define PK_PROCESSES_H

#include <stdbool.h>

#include "polku/text.h"

/* Whether a program of this name is in PATH. */
bool pk_process_there(const char *name);

/* Runs argv[0] (from PATH where it holds no slash) in a process group of its own, so that a Ctrl-C does not reach it;
 * its output is added to *out and *err. Returns its exit code, 128 + the signal that ended it, or -1: it could not be
 * started. */
int pk_process_read(const char *const *argv, struct pk_text *out, struct pk_text *err);

/* Runs argv[0] with both outputs added to the file `log`. Returns as above; a signal to us (stopping.h) is passed on to
 * it. */
int pk_process_run(const char *const *argv, const char *log);

#endif
