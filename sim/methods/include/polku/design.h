/* Which points a study visits: samples, trajectories and grids.
 *
 * Responsibility: the points and what each is there for. A design knows columns by name only, neither parameters nor
 * distributions: a point of the unit cube becomes a parameter's value elsewhere, by the quantile of its distribution.
 *
 * Points reach lives, so they have the same bits on every host: IEEE-exact operations, integers and keyed Philox only.
 * Random choices are keyed by (seed, role DESIGN, the column's name, what is chosen), so that a column more or less, or
 * in another place, changes no other column's; only quasi-random sequences know a column by its place. Coordinates are
 * inside the open unit interval, so every quantile is finite. */
#ifndef PK_DESIGN_H
#define PK_DESIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "polku/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What moves: columns, and the factors that they form. A factor is a column, or a group that is moved together. */
struct pk_design_columns {
    size_t n;
    const char *const *names; /* [n], all different */
    size_t n_factors;         /* of factor_of */
    const size_t *factor_of;  /* [n], below n_factors, each factor with at least a column; NULL: each its own */
};

enum pk_design_part {
    PK_DESIGN_SAMPLE, /* Latin hypercube, quasi-random; row: which */
    PK_DESIGN_A,      /* Saltelli's; row: which */
    PK_DESIGN_B,
    PK_DESIGN_AB,    /* A's row with the factor's columns from B */
    PK_DESIGN_BA,    /* B's row with the factor's columns from A */
    PK_DESIGN_START, /* of a trajectory; row: which */
    PK_DESIGN_STEP,  /* the factor has moved since the point before */
    PK_DESIGN_BASE,  /* all columns at their base */
    PK_DESIGN_LEVEL, /* the factor is at the level, and the other one, if any, at its level; else all are */
};

#define PK_DESIGN_NONE UINT32_MAX

/* What a point is there for; PK_DESIGN_NONE: does not apply. */
struct pk_design_mark {
    enum pk_design_part part;
    uint32_t row;
    uint32_t factor, other;
    uint32_t level, other_level;
    int direction; /* of a step: +1 up, -1 down, 0 a group of several columns, each its own way */
};

struct pk_design {
    size_t n_points, n_columns;
    double *points;               /* [n_points][n_columns], owned */
    struct pk_design_mark *marks; /* [n_points], owned */
};

void pk_design_free(struct pk_design *design);
size_t pk_design_n_factors(const struct pk_design_columns *columns);

/* All below fill *design, which is the caller's to free, also after an error. Errors: PK_BAD_INPUT (no point or no
 * column, two columns of one name, more points than PK_DESIGN_POINTS_MAX, and what is said), PK_NO_MEMORY. */
enum { PK_DESIGN_POINTS_MAX = 1 << 24 };

/* A Latin hypercube (McKay, Beckman & Conover 1979): in every column one point in each of n strata [i / n, (i + 1) /
 * n), uniform within it. */
PK_CHECKED enum pk_status pk_design_latin(struct pk_design *design, uint64_t seed, size_t n,
                                          const struct pk_design_columns *columns, struct pk_error *error);

/* Sobol' points 0 to n - 1 (with the direction numbers of Joe & Kuo 2008), scrambled as Owen 1995 does: each bit of a
 * coordinate is flipped or not depending on the bits above it, keyed by the column's name. Scrambled points are uniform
 * each, and remain a net together, which a shift modulo 1 would break. The column's place is its dimension. The first
 * points of a longer sample are those of a shorter one; n = 2^m is best. From the column PK_DESIGN_SOBOL_MAX on: keyed
 * uniforms. */
enum { PK_DESIGN_SOBOL_MAX = 80 };
PK_CHECKED enum pk_status pk_design_quasi(struct pk_design *design, uint64_t seed, size_t n,
                                          const struct pk_design_columns *columns, struct pk_error *error);

/* What Sobol' indices are estimated from (Saltelli 2002, Saltelli et al. 2010): two independent samples A and B of n
 * rows, and rows of the one with a factor from the other. Points row by row, k factors:
 *   A, B, AB_0 .. AB_k-1, and if both: BA_0 .. BA_k-1       (n (k + 2), or n (2 k + 2) points)
 * Column j of A has dimension 2 j of the scrambled Sobol' sequence and of B 2 j + 1, so a column added behind changes
 * no other; columns from PK_DESIGN_SOBOL_MAX / 2 on have keyed uniforms. The first rows of a larger n are those of a
 * smaller, so a study can go on. n = 2^m is best. */
PK_CHECKED enum pk_status pk_design_saltelli(struct pk_design *design, uint64_t seed, size_t n, bool both,
                                             const struct pk_design_columns *columns, struct pk_error *error);

/* How far a step of Morris' goes in the unit interval. */
#define PK_DESIGN_MORRIS_STEP 0.5

/* Trajectories for elementary effects (Morris 1991; groups: Campolongo, Cariboni & Saltelli 2007). A trajectory starts
 * at a keyed point of the grid and moves one factor after the other, in keyed order, up or down by half of the n_levels
 * (even): k + 1 points. Levels are the middles (i + 1/2) / n_levels of equal parts, not their edges: no quantile is
 * infinite, and all levels are equally probable; so a step is 1/2 whatever the number of levels.
 * n_candidates above n: of so many trajectories the n most spread, found greedily: first the two farthest apart, then
 * always the one with the largest sum of squared distances to those chosen; distance as in Campolongo et al.
 * Also PK_BAD_INPUT: n_levels odd or below 2 or above 2^16, fewer candidates than n (0: none), more than 1,024
 * candidates. */
PK_CHECKED enum pk_status pk_design_morris(struct pk_design *design, uint64_t seed, size_t n, uint32_t n_levels,
                                           size_t n_candidates, const struct pk_design_columns *columns,
                                           struct pk_error *error);

/* Grids have points in the caller's own units. The levels of a factor are those of a column. */
struct pk_design_levels {
    double base;      /* one-way and two-way: where it is while others move */
    size_t n;         /* at least 1; of a factor that does not move in a one-way design 0 */
    const double *at; /* [n] */
};

/* Every combination of the levels, the last factor's changing fastest. Marks: row is the place, factor none. */
PK_CHECKED enum pk_status pk_design_factorial(struct pk_design *design, const struct pk_design_levels *factors,
                                              size_t n_factors, struct pk_error *error);
/* Which level a factor has at a point of the factorial. */
size_t pk_design_factorial_level(const struct pk_design_levels *factors, size_t n_factors, size_t i_point,
                                 size_t i_factor);

/* The base, then each factor at each of its levels while the others are at their base. */
PK_CHECKED enum pk_status pk_design_one_way(struct pk_design *design, const struct pk_design_levels *factors,
                                            size_t n_factors, struct pk_error *error);

/* The base, then each level of one factor with each level of another, the other's fastest. */
PK_CHECKED enum pk_status pk_design_two_way(struct pk_design *design, const struct pk_design_levels *factors,
                                            size_t n_factors, size_t i_factor, size_t i_other, struct pk_error *error);

#ifdef __cplusplus
}
#endif
#endif
