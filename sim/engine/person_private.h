/* What the files that make persons share. Not installed. */
#ifndef PK_PERSON_PRIVATE_H
#define PK_PERSON_PRIVATE_H

#include "polku/person.h"

/* Frailties and cures of a person whose other fields are known. */
void pk_person_differ(const struct pk_plan *plan, struct pk_person *person);

#endif
