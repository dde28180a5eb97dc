/* Which instruction set the loops over many people use. Results are the same for all of them. */
#ifndef PK_VECTORS_H
#define PK_VECTORS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pk_vectors {
    PK_VECTORS_AUTO, /* the widest that this processor has */
    PK_VECTORS_NONE, /* one life after another, by the scalar reference */
    PK_VECTORS_PLAIN,
    PK_VECTORS_AVX2,
    PK_VECTORS_AVX512,
    PK_VECTORS_COUNT
};

extern const char *const pk_vectors_names[PK_VECTORS_COUNT];

/* Whether this processor has it. */
bool pk_vectors_available(enum pk_vectors vectors);
/* What auto stands for: the widest that it has. Anything else stands for itself. */
enum pk_vectors pk_vectors_chosen(enum pk_vectors wished);

#ifdef __cplusplus
}
#endif
#endif
