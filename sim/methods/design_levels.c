/* Grids of given levels: every combination, one factor at a time, two at a time. See polku/design.h. */
#include "design_private.h"

static enum pk_status check(const struct pk_design_levels *factors, size_t n_factors, bool each, struct pk_error *error)
{
    for (size_t f = 0; f < n_factors; f++) {
        if (each && factors[f].n == 0)
            return pk_error_set(error, PK_BAD_INPUT, "factor %zu of the grid has no level", f);
        if (factors[f].n > PK_DESIGN_POINTS_MAX)
            return pk_error_set(error, PK_BAD_INPUT, "the design would have more than %d points",
                                (int)PK_DESIGN_POINTS_MAX);
    }
    return PK_OK;
}

size_t pk_design_factorial_level(const struct pk_design_levels *factors, size_t n_factors, size_t i_point,
                                 size_t i_factor)
{
    for (size_t f = n_factors; --f > i_factor;)
        i_point /= factors[f].n;
    return i_point % factors[i_factor].n;
}

enum pk_status pk_design_factorial(struct pk_design *design, const struct pk_design_levels *factors, size_t n_factors,
                                   struct pk_error *error)
{
    size_t n = 1;
    *design = (struct pk_design){.n_points = 0};
    enum pk_status status = check(factors, n_factors, true, error);
    if (status != PK_OK)
        return status;
    for (size_t f = 0; f < n_factors && n <= PK_DESIGN_POINTS_MAX; f++)
        n *= factors[f].n; /* below 2^48 */
    status = pk_design_room(design, n, n_factors, error);
    for (size_t i = 0; status == PK_OK && i < n; i++) {
        design->marks[i].part = PK_DESIGN_LEVEL;
        design->marks[i].row = (uint32_t)i;
        for (size_t f = 0; f < n_factors; f++)
            design->points[i * n_factors + f] = factors[f].at[pk_design_factorial_level(factors, n_factors, i, f)];
    }
    return status;
}

static double *at_base(struct pk_design *design, const struct pk_design_levels *factors, size_t i_point)
{
    double *point = design->points + i_point * design->n_columns;
    for (size_t f = 0; f < design->n_columns; f++)
        point[f] = factors[f].base;
    design->marks[i_point].part = i_point == 0 ? PK_DESIGN_BASE : PK_DESIGN_LEVEL;
    return point;
}

enum pk_status pk_design_one_way(struct pk_design *design, const struct pk_design_levels *factors, size_t n_factors,
                                 struct pk_error *error)
{
    size_t n = 1;
    *design = (struct pk_design){.n_points = 0};
    enum pk_status status = check(factors, n_factors, false, error);
    if (status != PK_OK)
        return status;
    for (size_t f = 0; f < n_factors; f++)
        n = n > PK_DESIGN_POINTS_MAX ? n : n + factors[f].n;
    status = pk_design_room(design, n, n_factors, error);
    if (status != PK_OK)
        return status;
    at_base(design, factors, 0);
    for (size_t f = 0, i = 1; f < n_factors; f++)
        for (size_t level = 0; level < factors[f].n; level++, i++) {
            at_base(design, factors, i)[f] = factors[f].at[level];
            design->marks[i].factor = (uint32_t)f;
            design->marks[i].level = (uint32_t)level;
        }
    return PK_OK;
}

enum pk_status pk_design_two_way(struct pk_design *design, const struct pk_design_levels *factors, size_t n_factors,
                                 size_t i_factor, size_t i_other, struct pk_error *error)
{
    *design = (struct pk_design){.n_points = 0};
    if (i_factor >= n_factors || i_other >= n_factors || i_factor == i_other)
        return pk_error_set(error, PK_BAD_INPUT, "a grid of two needs two different factors");
    enum pk_status status = check(&factors[i_factor], 1, true, error);
    if (status == PK_OK)
        status = check(&factors[i_other], 1, true, error);
    if (status == PK_OK) /* both below 2^24 + 1 */
        status = pk_design_room(design, factors[i_factor].n * factors[i_other].n + 1, n_factors, error);
    if (status != PK_OK)
        return status;
    at_base(design, factors, 0);
    for (size_t a = 0, i = 1; a < factors[i_factor].n; a++)
        for (size_t b = 0; b < factors[i_other].n; b++, i++) {
            double *point = at_base(design, factors, i);
            point[i_factor] = factors[i_factor].at[a];
            point[i_other] = factors[i_other].at[b];
            design->marks[i].factor = (uint32_t)i_factor;
            design->marks[i].level = (uint32_t)a;
            design->marks[i].other = (uint32_t)i_other;
            design->marks[i].other_level = (uint32_t)b;
        }
    return PK_OK;
}
