/* A hash of bytes, for telling things apart: FNV-1a, 64 bits (Fowler, Noll and Vo). No protection against anybody. */
#ifndef PK_HASH_H
#define PK_HASH_H

#include <stddef.h>
#include <stdint.h>

#define PK_HASH_START UINT64_C(0xcbf29ce484222325)

static inline void pk_hash_mix(uint64_t *hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *hash = (*hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001b3);
}

#endif
