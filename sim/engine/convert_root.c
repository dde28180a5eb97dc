/* The hazard at which the twin gives a wanted probability. See convert_private.h. */
#include <math.h>

#include "convert_private.h"
#include "polku/elementary.h"

enum { ROOT_STEPS = 60, POLISH_STEPS = 8, COARSER = 4 };
#define ROOT_TOLERANCE 1e-9
#define COARSE_TOLERANCE 1e-6
/* a year */
#define FIRST_RATE (1.0 / 64)
#define MOST_RATE 1e4

/* The probability as a cumulative hazard, in which it is nearly a straight line in the rate. */
static double straightened(double probability)
{
    const double least = 1e-12; /* nobody is left, but for rounding */
    return -pk_log(probability < 1 - least ? 1 - probability : least);
}

/* A root and the slope of the probability there. */
struct root {
    double rate, slope;
};

/* Rates next to each other among 0, FIRST_RATE, twice it, ..., between which the wanted probability is met. */
struct bracket {
    double low, high, at_low, at_high;
};

/* The bracket that a search from below would find, looked for around where it would be without other exits: where the
 * probability never falls all below it are below what is wanted. *found says whether there is one so surely. */
static enum pk_status guess_bracket(struct pk_conversion *conversion, double wanted, double tolerance,
                                    struct bracket *bracket, bool *found, struct pk_error *error)
{
    const double years = conversion->values->used[conversion->model->parameters[conversion->i_parameter].i_by];
    const double guess = straightened(wanted) / years, surely_below = wanted - 2 * tolerance;
    struct bracket b = {.low = 0, .high = FIRST_RATE};
    bool low_known = false;
    *found = false;
    while (b.high < guess && b.high <= MOST_RATE) {
        b.low = b.high;
        b.high *= 2;
    }
    enum pk_status status = pk_conversion_probability(conversion, b.high, &b.at_high, error);
    if (status != PK_OK || conversion->plan.widely_read[conversion->i_parameter])
        return status;
    while (status == PK_OK && b.at_high < surely_below && b.high <= MOST_RATE) {
        b = (struct bracket){.low = b.high, .at_low = b.at_high, .high = b.high * 2};
        low_known = true;
        status = pk_conversion_probability(conversion, b.high, &b.at_high, error);
    }
    if (!low_known && status == PK_OK)
        status = pk_conversion_probability(conversion, b.low, &b.at_low, error);
    while (status == PK_OK && b.at_low >= wanted && b.low > 0) {
        b = (struct bracket){.low = b.low > FIRST_RATE ? b.low / 2 : 0, .high = b.low, .at_high = b.at_low};
        status = pk_conversion_probability(conversion, b.low, &b.at_low, error);
    }
    *found = status == PK_OK && b.at_high >= wanted && b.at_low < surely_below;
    *bracket = b;
    return status;
}

/* The first bracket from below; high is 0 where a rate of 0 does. Errors: PK_BAD_INPUT (none found). */
static enum pk_status first_bracket(struct pk_conversion *conversion, double wanted, double tolerance,
                                    struct bracket *bracket, struct pk_error *error)
{
    const char *name = conversion->model->parameters[conversion->i_parameter].name;
    struct bracket b = {.low = 0};
    enum pk_status status = pk_conversion_probability(conversion, 0, &b.at_low, error);
    if (status == PK_OK && b.at_low > wanted + tolerance)
        return pk_error_set(error, PK_BAD_INPUT,
                            "%s: the probability %g cannot be met: even with a hazard of 0 it is %.6g", name, wanted,
                            b.at_low);
    *bracket = b;
    if (status == PK_OK && b.at_low >= wanted - tolerance)
        return PK_OK;
    /* Up from small hazards: a probability of being there at the horizon may rise and then fall again. */
    double largest = b.at_low, largest_at = 0;
    b.at_high = b.at_low;
    while (status == PK_OK && b.at_high < wanted) {
        if (b.high > MOST_RATE)
            return pk_error_set(
                error, PK_BAD_INPUT,
                "%s: the probability %g cannot be met: the largest found is %.6g, with a hazard of %g a "
                "year",
                name, wanted, largest, largest_at);
        b.low = b.high;
        b.at_low = b.at_high;
        b.high = b.high > 0 ? b.high * 2 : FIRST_RATE;
        status = pk_conversion_probability(conversion, b.high, &b.at_high, error);
        if (b.at_high > largest) {
            largest = b.at_high;
            largest_at = b.high;
        }
    }
    *bracket = b;
    return status;
}

/* The smallest rate found that gives the wanted probability on the grid in use: from a bracket by regula falsi
 * (Illinois), which keeps the root in it. */
static enum pk_status search(struct pk_conversion *conversion, double wanted, double tolerance, struct root *root,
                             struct pk_error *error)
{
    const char *name = conversion->model->parameters[conversion->i_parameter].name;
    struct bracket b = {.low = 0};
    bool guessed = false;
    enum pk_status status = PK_OK;
    *root = (struct root){.slope = 1};
    if (conversion->rises)
        status = guess_bracket(conversion, wanted, tolerance, &b, &guessed, error);
    if (status == PK_OK && !guessed)
        status = first_bracket(conversion, wanted, tolerance, &b, error);
    if (status != PK_OK || !(b.high > 0))
        return status;
    double low = b.low, high = b.high, at_low = b.at_low, at_high = b.at_high;
    const double aim = straightened(wanted);
    double below = straightened(at_low) - aim, above = straightened(at_high) - aim;
    double last = high, at_last = at_high;
    int side = 0;
    for (int i = 0; i < ROOT_STEPS; i++) {
        double guess = (low * above - high * below) / (above - below), found;
        status = pk_conversion_probability(conversion, guess, &found, error);
        if (status != PK_OK)
            return status;
        double miss = found - wanted;
        root->slope = guess != last ? (found - at_last) / (guess - last) : root->slope;
        root->rate = last = guess;
        at_last = found;
        if (miss < tolerance && miss > -tolerance)
            return PK_OK;
        if (miss > 0) {
            high = guess;
            above = straightened(found) - aim;
            below *= side == 1 ? 0.5 : 1;
            side = 1;
        } else {
            low = guess;
            below = straightened(found) - aim;
            above *= side == -1 ? 0.5 : 1;
            side = -1;
        }
    }
    return pk_error_set(error, PK_NUMERICAL, "%s: no hazard was found that gives %g", name, wanted);
}

/* From a rate that is nearly right to the tolerance, along secants; *found says whether it got there. */
static enum pk_status polish(struct pk_conversion *conversion, double wanted, struct root *root, bool *found,
                             struct pk_error *error)
{
    double last = 0, at_last = 0;
    *found = false;
    for (int i = 0; i < POLISH_STEPS; i++) {
        double now;
        enum pk_status status = pk_conversion_probability(conversion, root->rate, &now, error);
        if (status != PK_OK)
            return status;
        double miss = now - wanted;
        *found = miss < ROOT_TOLERANCE && miss > -ROOT_TOLERANCE;
        if (*found)
            return PK_OK;
        if (i > 0 && root->rate != last)
            root->slope = (now - at_last) / (root->rate - last);
        last = root->rate;
        at_last = now;
        root->rate = last - miss / root->slope;
        if (!(root->slope > 0) || !(root->rate >= 0) || isinf(root->rate))
            return PK_OK;
    }
    return PK_OK;
}

/* The rate that gives the wanted probability. Most of the way is gone on a coarser grid, a fraction of the work; what
 * it cannot find, and what cannot be met, is for the grid itself to say. */
enum pk_status pk_conversion_solve(struct pk_conversion *conversion, double wanted, double *rate,
                                   struct pk_error *error)
{
    struct root root;
    struct pk_error unsaid = {.status = PK_OK};
    bool found = false;
    conversion->step = COARSER * PK_CONVERSION_STEP;
    enum pk_status status = search(conversion, wanted, COARSE_TOLERANCE, &root, &unsaid);
    conversion->step = PK_CONVERSION_STEP;
    if (status == PK_OK)
        status = polish(conversion, wanted, &root, &found, error);
    else if (status == PK_BAD_INPUT || status == PK_NUMERICAL)
        status = PK_OK;
    else
        *error = unsaid;
    if (status == PK_OK && !found)
        status = search(conversion, wanted, ROOT_TOLERANCE, &root, error);
    *rate = root.rate;
    return status;
}
