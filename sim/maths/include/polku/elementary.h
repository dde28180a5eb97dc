/* log, exp, pow, expm1 and log1p with the same bits on every processor.
 *
 * Only IEEE-exact operations (+ - * / and bit moves), no FMA, no libm, no tables: every host, compiler flag and
 * vector width gives the same result, which glibc's functions do not. Whatever can reach a life uses these. */
#ifndef PK_ELEMENTARY_H
#define PK_ELEMENTARY_H

#ifdef __cplusplus
extern "C" {
#endif

/* Natural logarithm of a positive, finite x. Error < 1 ulp (measured 0.89). Other arguments: 0 -> -inf, +inf -> +inf,
 * negative or nan -> nan. Subnormals are scaled first. */
double pk_log(double x);

/* e^x. Error < 1 ulp (measured 0.76) where the result is normal; overflow -> +inf, below the normal range -> 0;
 * nan -> nan. */
double pk_exp(double x);

/* x^y for x > 0 as exp(y log x): relative error below (1 + 1.2 |y log x|) 2^-52 where the result is normal (log and the
 * product are each rounded before exp magnifies them). pow(0, y>0) = 0, pow(0, y<0) = +inf, pow(x, 0) = pow(1, y) = 1
 * for every x and y, pow(x<0, y) = nan. */
double pk_pow(double x, double y);

/* e^x - 1, also where e^x is nearly 1. Error < 1.5 ulp (measured 1.25). Overflow -> +inf, -inf -> -1, -0 -> -0,
 * nan -> nan. */
double pk_expm1(double x);

/* log(1 + x), also where 1 + x is nearly 1. Error < 1.5 ulp (measured 1.44). -1 -> -inf, below -> nan, +inf ->
 * +inf, -0 -> -0, nan -> nan. */
double pk_log1p(double x);

#ifdef __cplusplus
}
#endif
#endif
