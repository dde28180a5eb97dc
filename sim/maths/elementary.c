/* log, exp, pow, expm1 and log1p: the special cases around the cores. See elementary.h and elementary_core.h.
 *
 * Measured against 80-bit logl and expl over 6 10^7 arguments each, denser near 1, near the splits of the ranges and
 * over all exponents (2^-53 of the result, half an ulp of a result just above a power of 2, is the unit of "relative"):
 *   pk_log  0.881 ulp (at 0x1.6a046ae460e93p-1), relative 1.32
 *   pk_exp  0.755 ulp (at 0x1.e6f41b4fd1b42p+8), relative 1.06
 *   pk_pow  exp's 1.06 + (log's 1.32 + the product's 1) |y log x|, hence the bound in the header
 *   pk_expm1  1.25 ulp (at 0x1.28c7404fbbdaep+5); pk_log1p  1.44 ulp (at -0x1.8005acf31ac82p-53) */
#include "polku/elementary.h"

#include <math.h>

#include "polku/elementary_core.h"

#define INFINITE pk_elementary_double(0x7ff0000000000000)
#define NOT_A_NUMBER pk_elementary_double(0x7ff8000000000000)

/* The first double above log 2^-1022 and the last below log 2^1024. */
#define EXP_LOWEST (-0x1.6232bdd7abcd2p+9)
#define EXP_HIGHEST 0x1.62e42fefa39efp+9

double pk_log(double x)
{
    if (x >= DBL_MIN && x <= DBL_MAX)
        return pk_log_core(x);
    if (x == 0.0)
        return -INFINITE;
    if (x > DBL_MAX)
        return x;
    if (!(x > 0.0))
        return NOT_A_NUMBER;
    return pk_elementary_log(x * 0x1p54, 54.0);
}

double pk_exp(double x)
{
    if (x >= EXP_LOWEST && x <= EXP_HIGHEST)
        return pk_exp_core(x);
    if (x > EXP_HIGHEST)
        return INFINITE;
    return x < EXP_LOWEST ? 0.0 : NOT_A_NUMBER;
}

double pk_pow(double x, double y)
{
    if (y == 0.0 || x == 1.0)
        return 1.0;
    return pk_exp(y * pk_log(x));
}

double pk_expm1(double x)
{
    /* half a unit of the last place of x: also keeps the sign of 0 */
    if (fabs(x) < 0x1p-54)
        return x;
    /* beyond this, 1 is less than half a unit of the last place of the result */
    if (x <= 40.0 && x >= -40.0)
        return pk_expm1_core(x);
    return pk_exp(x) - 1.0;
}

double pk_log1p(double x)
{
    if (fabs(x) < 0x1p-54)
        return x;
    if (x > -1.0 && x < 0x1p60)
        return pk_log1p_core(x);
    return pk_log(x + 1.0);
}
