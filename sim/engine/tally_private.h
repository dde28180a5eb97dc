/* What the files that tally share. Not installed. */
#ifndef PK_TALLY_PRIVATE_H
#define PK_TALLY_PRIVATE_H

enum {
    PK_REMAINDER_BITS = 44, /* of a packed cell; the count is above */
    PK_TALLY_AT_ONCE = 256  /* events of a log */
};

#endif
