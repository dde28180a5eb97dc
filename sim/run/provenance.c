/* How a result was made. See provenance.h; the build passes the macros. */
#include "polku/provenance.h"

const char *pk_provenance_version(void)
{
    return POLKU_VERSION;
}
const char *pk_provenance_revision(void)
{
    return POLKU_REVISION;
}
const char *pk_provenance_compiler(void)
{
    return POLKU_COMPILER " " POLKU_FLAGS;
}
const char *pk_provenance_libraries(void)
{
    return POLKU_LIBRARIES;
}
