/* The obvious program for the reference model, to measure polku against: plain C with GSL, one person after another,
 * mt19937, one exponential of the total hazard an event and one uniform for the destination, monthly occupancy and
 * person-years in doubles. Nothing of polku is used.
 *
 *   cc -O3 base_gsl.c -lgsl -lgslcblas -lm -o base_gsl && ./base_gsl PEOPLE [no-months]
 *
 * With no-months it only adds up person-years by state and counts who is where at the end: less work than polku's.
 * Prints transitions and mean person-years by state, for the exact answers in configs/ref5.yaml. */
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNEMPLOYED, COACHING, EMPLOYED, REHAB, PENSION, DEAD, N_STATES, N_MONTHS = 480 };

static double occupancy[N_MONTHS + 1][N_STATES], person_years[N_MONTHS][N_STATES];
static unsigned long transitions;
static int months = 1;

/* Adds a stay in a state between two times in years. */
static void stay(int state, double from, double to)
{
    int first = (int)(from * 12), last = (int)(to * 12);
    if (!months) {
        person_years[0][state] += to - from;
        if (to >= 40.0)
            occupancy[N_MONTHS][state] += 1;
        return;
    }
    if (last >= N_MONTHS)
        last = N_MONTHS - 1;
    for (int month = first; month <= last; month++) {
        double low = month / 12.0, high = (month + 1) / 12.0;
        person_years[month][state] += (to < high ? to : high) - (from > low ? from : low);
    }
    for (int month = first; month <= last + (to >= 40.0); month++)
        if (month / 12.0 >= from && (month / 12.0 < to || to >= 40.0))
            occupancy[month][state] += 1;
}

static void live(gsl_rng *rng)
{
    int state = UNEMPLOYED;
    double time = 0;
    while (time < 40.0) {
        double total, next, u;
        int to;
        switch (state) {
        case UNEMPLOYED:
            total = 0.654;
            break;
        case COACHING:
            total = 1.454;
            break;
        case EMPLOYED:
            total = 0.214;
            break;
        case REHAB:
            total = 0.544;
            break;
        case PENSION:
            total = 0.009;
            break;
        default:
            total = 0;
        }
        next = total > 0 ? time + gsl_ran_exponential(rng, 1.0 / total) : 40.0;
        if (next >= 40.0) {
            stay(state, time, 40.0);
            return;
        }
        stay(state, time, next);
        u = total * gsl_rng_uniform(rng);
        switch (state) {
        case UNEMPLOYED:
            to = u < 0.30 ? COACHING : u < 0.55 ? EMPLOYED : u < 0.63 ? REHAB : u < 0.65 ? PENSION : DEAD;
            break;
        case COACHING:
            to = u < 0.50 ? EMPLOYED : u < 1.40 ? UNEMPLOYED : u < 1.45 ? REHAB : DEAD;
            break;
        case EMPLOYED:
            to = u < 0.20 ? UNEMPLOYED : u < 0.21 ? REHAB : DEAD;
            break;
        case REHAB:
            to = u < 0.04 ? EMPLOYED : u < 0.19 ? UNEMPLOYED : u < 0.54 ? PENSION : DEAD;
            break;
        default:
            to = u < 0.005 ? EMPLOYED : DEAD;
        }
        state = to;
        time = next;
        transitions++;
    }
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"unemployed", "coaching", "employed", "rehab", "pension", "dead"};
    unsigned long people = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    months = argc <= 2 || strcmp(argv[2], "no-months") != 0;
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(rng, 20210101);
    for (unsigned long i = 0; i < people; i++)
        live(rng);
    gsl_rng_free(rng);
    printf("transitions %lu\n", transitions);
    for (int s = 0; s < N_STATES; s++) {
        double years = 0;
        for (int month = 0; month < N_MONTHS; month++)
            years += person_years[month][s];
        printf("%s %.5f years, %.5f at 40\n", names[s], years / (double)people,
               occupancy[N_MONTHS][s] / (double)people);
    }
    return 0;
}
