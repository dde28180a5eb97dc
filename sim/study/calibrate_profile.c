/* Profile likelihoods: each parameter held at values of its own, all others refitted (Venzon & Moolgavkar 1988 for the
 * use of it). See calibrate.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate_private.h"

#define EXCESS_95 3.841458820694124 /* of chi square with one degree of freedom */
enum { N_BETWEEN = 3, N_OUTWARDS = (PK_PROFILE_POINTS - 1 - 2 - N_BETWEEN) / 2 }; /* points: two more answers' too */

struct point {
    double at, excess; /* scaled */
    double all[PK_MAX_FREE];
};

struct walk {
    const struct pk_search *search;
    struct pk_fit fit;
    size_t i_parameter, n;
    struct point points[PK_PROFILE_POINTS];
};

/* The least deviance with the parameter at a value, from the nearest point known and from the other answers. */
static struct point *look(struct walk *walk, double at)
{
    const struct pk_answer *answer = walk->search->answer;
    struct point *point = &walk->points[walk->n];
    size_t nearest = 0;
    for (size_t i = 1; i < walk->n; i++)
        if (fabs(walk->points[i].at - at) < fabs(walk->points[nearest].at - at))
            nearest = i;
    memcpy(point->all, walk->points[nearest].all, sizeof point->all);
    point->all[walk->i_parameter] = at;
    double least = pk_fit_descend(&walk->fit, point->all, false);
    for (size_t m = 0; answer->n_modes > 1 && m < answer->n_modes && m < 3; m++) {
        double other[PK_MAX_FREE];
        memcpy(other, answer->modes[m].scaled, sizeof other);
        other[walk->i_parameter] = at;
        const double there = pk_fit_descend(&walk->fit, other, false);
        if (there < least) {
            least = there;
            memcpy(point->all, other, sizeof other);
        }
    }
    point->at = at;
    point->excess = fmax(least - answer->least_deviance, 0);
    walk->n++;
    return point;
}

/* From the answers outwards until the excess is too large, then back to where it is just that. Returns the end; *open:
 * a bound. */
static double find_end(struct walk *walk, const struct point *start, double bound, bool *open)
{
    const double from = start->at, sign = bound > from ? 1 : -1;
    const size_t most = walk->n + N_OUTWARDS;
    double inside = from, outside = bound, excess_inside = start->excess, excess_outside = (double)INFINITY,
           step = 0.02;
    *open = false;
    if (fabs(bound - from) < 1e-9) {
        *open = true;
        return bound;
    }
    while (walk->n < most - 8) {
        const double at = fabs(bound - inside) <= step ? bound : inside + sign * step;
        const struct point *point = look(walk, at);
        if (point->excess > EXCESS_95) {
            outside = at;
            excess_outside = point->excess;
            break;
        }
        inside = at;
        excess_inside = point->excess;
        if (at == bound) {
            *open = true;
            return bound;
        }
        step *= excess_inside < 0.2 ? 3 : excess_inside < 1.2 ? 1.6 : 1;
    }
    if (excess_outside == (double)INFINITY) { /* very flat all the way */
        const struct point *point = look(walk, bound);
        if (point->excess <= EXCESS_95) {
            *open = true;
            return bound;
        }
        excess_outside = point->excess;
    }
    while (walk->n < most && fabs(outside - inside) > 1e-4 * (1 + fabs(inside))) {
        /* the root of the excess is nearly straight in the parameter */
        const double low = sqrt(excess_inside), high = isfinite(excess_outside) ? sqrt(excess_outside) : low + 10;
        double share = (sqrt(EXCESS_95) - low) / (high - low);
        share = fmin(fmax(share, 0.05), 0.95);
        const struct point *point = look(walk, inside + share * (outside - inside));
        if (point->excess > EXCESS_95) {
            outside = point->at;
            excess_outside = point->excess;
        } else {
            inside = point->at;
            excess_inside = point->excess;
        }
        if (fabs(point->excess - EXCESS_95) < 0.02)
            return point->at;
    }
    return 0.5 * (inside + outside);
}

/* Other answers that the targets allow, and what is between the outermost: of several the interval reaches from the
 * lowest to the highest. */
static void look_at_answers(struct walk *walk, struct point *lowest, struct point *highest)
{
    const struct pk_answer *answer = walk->search->answer;
    double low = walk->points[0].at, high = low;
    *lowest = *highest = walk->points[0];
    for (size_t m = 0; m < answer->n_modes && m < 3; m++) {
        const double at = answer->modes[m].scaled[walk->i_parameter];
        if (answer->modes[m].deviance - answer->least_deviance <= EXCESS_95) {
            low = fmin(low, at);
            high = fmax(high, at);
        }
    }
    if (!(answer->n_modes > 1 && high - low > 0.01))
        return;
    if (low < lowest->at)
        *lowest = *look(walk, low);
    if (high > highest->at)
        *highest = *look(walk, high);
    for (size_t i = 1; i <= N_BETWEEN; i++)
        (void)look(walk, low + (high - low) * (double)i / (N_BETWEEN + 1));
}

static int by_place(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    return (x->at > y->at) - (x->at < y->at);
}

/* More points where the curve between the two ends has its widest gaps: a picture should not be a polygon. */
static void fill_in(struct walk *walk, double low, double high)
{
    const size_t most = walk->n + 8 < PK_PROFILE_POINTS ? walk->n + 8 : PK_PROFILE_POINTS;
    while (walk->n < most) {
        qsort(walk->points, walk->n, sizeof *walk->points, by_place);
        double widest = 0.09 * (high - low), at = NAN;
        for (size_t i = 0; i + 1 < walk->n; i++) {
            const double gap = walk->points[i + 1].at - walk->points[i].at;
            if (walk->points[i].at < high && walk->points[i + 1].at > low && gap > widest) {
                widest = gap;
                at = 0.5 * (walk->points[i].at + walk->points[i + 1].at);
            }
        }
        if (isnan(at))
            return;
        look(walk, at);
    }
}

static void profile_of(size_t i_parameter, int i_worker, void *data)
{
    struct pk_search *search = data;
    struct pk_answer *answer = search->answer;
    struct pk_profile *profile = &answer->profiles[i_parameter];
    const struct pk_scale *scale = &search->scales[i_parameter];
    struct walk *walk = pk_alloc(1, sizeof *walk);
    if (walk == NULL) {
        search->statuses[i_worker] =
            pk_error_set(&search->errors[i_worker], PK_NO_MEMORY, "no memory for the profiles");
        return;
    }
    *walk =
        (struct walk){.search = search,
                      .fit = {.search = search, .i_worker = i_worker, .i_fixed = i_parameter, .i_left_out = SIZE_MAX},
                      .i_parameter = i_parameter,
                      .n = 1};
    walk->points[0].at = answer->likeliest[i_parameter];
    memcpy(walk->points[0].all, answer->likeliest, sizeof walk->points[0].all);
    struct point lowest, highest;
    look_at_answers(walk, &lowest, &highest);
    const double low = find_end(walk, &lowest, scale->low, &profile->low_open);
    const double high = find_end(walk, &highest, scale->high, &profile->high_open);
    fill_in(walk, low, high);
    profile->low = pk_scale_from(scale, low);
    profile->high = pk_scale_from(scale, high);
    qsort(walk->points, walk->n, sizeof *walk->points, by_place);
    profile->n_points = walk->n;
    for (size_t i = 0; i < walk->n; i++) {
        profile->at[i] = pk_scale_from(scale, walk->points[i].at);
        profile->excess[i] = walk->points[i].excess;
    }
    pk_free(walk);
}

enum pk_status pk_calibrate_profiles(struct pk_search *search, struct pk_error *error)
{
    pk_run_each(search->n_free, search->n_workers, profile_of, search);
    return pk_search_status(search, error);
}
