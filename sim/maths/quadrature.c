/* Gauss quadrature. See quadrature.h. */
#include "polku/quadrature.h"

#include <math.h>

/* Eigenvalues d[n] of a symmetric tridiagonal matrix with diagonal d and e[i] between i and i + 1, and the first
 * components z[n] of its eigenvectors: QL steps with implicit shifts. */
static bool diagonalise(size_t n, double *d, double *e, double *z)
{
    for (size_t l = 0; l < n; l++)
        for (int i_try = 0;; i_try++) {
            size_t m = l;
            while (m + 1 < n && fabs(e[m]) > 0x1p-53 * (fabs(d[m]) + fabs(d[m + 1])))
                m++;
            if (m == l)
                break;
            if (i_try == 200)
                return false;
            double g = (d[l + 1] - d[l]) / (2 * e[l]), r = sqrt(g * g + 1);
            g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
            double s = 1, c = 1, p = 0;
            for (size_t i = m; i-- > l;) {
                double f = s * e[i], b = c * e[i];
                r = sqrt(f * f + g * g);
                e[i + 1] = r;
                if (r == 0) { /* splits: once more */
                    d[i + 1] -= p;
                    e[m] = 0;
                    break;
                }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                r = (d[i] - g) * s + 2 * c * b;
                p = s * r;
                d[i + 1] = g + p;
                g = c * r - b;
                f = z[i + 1];
                z[i + 1] = s * z[i] + c * f;
                z[i] = c * z[i] - s * f;
            }
            if (r == 0)
                continue;
            d[l] -= p;
            e[l] = g;
            e[m] = 0;
        }
    return true;
}

bool pk_quadrature_gamma(double shape, size_t n, double *nodes, double *weights)
{
    double between[PK_QUADRATURE_MAX], z[PK_QUADRATURE_MAX] = {1};
    if (n == 0 || n > PK_QUADRATURE_MAX || !(shape > 0))
        return false;
    for (size_t i = 0; i < n; i++) {
        nodes[i] = 2 * (double)i + shape;
        between[i] = sqrt(((double)i + 1) * ((double)i + shape));
    }
    between[n - 1] = 0;
    if (!diagonalise(n, nodes, between, z))
        return false;
    for (size_t i = 0; i < n; i++) /* ascending, the weights with them */
        for (size_t k = i; k > 0 && nodes[k] < nodes[k - 1]; k--) {
            double node = nodes[k], component = z[k];
            nodes[k] = nodes[k - 1];
            z[k] = z[k - 1];
            nodes[k - 1] = node;
            z[k - 1] = component;
        }
    for (size_t i = 0; i < n; i++)
        weights[i] = z[i] * z[i];
    return true;
}
