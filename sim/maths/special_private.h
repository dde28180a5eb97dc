/* What special.c, special_gamma.c, special_beta.c and the hazards share. Not installed.
 *
 * A gamma distribution of shape a is looked at on the scale v = log(x / a): there it stays exact however large a is
 * (the generalised gamma's a = 1/q^2 grows without bound as q goes to 0), and log hazards are nearly straight. */
#ifndef PK_SPECIAL_PRIVATE_H
#define PK_SPECIAL_PRIVATE_H

/* c[0] + c[1] x + ... + c[n - 1] x^(n - 1), n > 1: two chains side by side. */
static inline double pk_special_polynomial(const double *c, int n, double x)
{
    const double z = x * x;
    double last = c[n - 1], before = c[n - 2];
    for (int i = n - 3; i >= 1; i -= 2) {
        last = last * z + c[i];
        before = before * z + c[i - 1];
    }
    /* an odd n leaves c[0] over: the chain that ends at c[1] takes it */
    return n % 2 ? before * x + (last * z + c[0]) : before + last * x;
}

/* e^(y^2) erfc(y), y >= 0. Relative error < 4 2^-53. */
double pk_special_erfcx(double y);

/* z where the standard normal distribution has log(1 - Phi(z)) = log_q and log Phi(z) = log_p; the two say the same,
 * the smaller one is used. */
double pk_special_normal_deviate(double log_q, double log_p);

/* log Gamma(a) - ((a - 1/2) log a - a + log(2 pi) / 2), a >= PK_SPECIAL_STIRLING_FROM */
#define PK_SPECIAL_STIRLING_FROM 10.0
double pk_special_stirling(double a);

struct pk_special_gamma {
    double shape;    /* a > 0 */
    double log_peak; /* log of a^a e^-a / Gamma(a + 1) */
};
struct pk_special_gamma_point {
    double v;  /* log(x / a) */
    double mu; /* x / a - 1 */
};

struct pk_special_gamma pk_special_gamma_of(double shape);
struct pk_special_gamma_point pk_special_gamma_point(double shape, double x);
struct pk_special_gamma_point pk_special_gamma_point_log(double v);

/* phi(v) = e^v - 1 - v = mu - v, relative: also where it is nearly 0. */
double pk_special_gamma_phi(struct pk_special_gamma_point at);

/* -log Q and -log P: the cumulative hazards of x and, with time reversed, of the lower tail. */
double pk_special_gamma_upper(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at);
double pk_special_gamma_lower(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at);

/* Their absolute derivatives by v: x f(x) / Q and x f(x) / P, f the density. */
double pk_special_gamma_upper_slope(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at);
double pk_special_gamma_lower_slope(const struct pk_special_gamma *gamma, struct pk_special_gamma_point at);

/* v where -log Q = upper and -log P = lower (the same said twice: 1 = e^-upper + e^-lower; either may
 * have underflowed to 0). */
double pk_special_gamma_inverse(const struct pk_special_gamma *gamma, double upper, double lower);

/* -log(1 - e^-h): from -log of one tail to -log of the other, h > 0. */
double pk_special_complement(double h);

#endif
