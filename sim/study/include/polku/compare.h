/* Comparing the arms of a result file: differences with their own standard errors, and the range over inputs.
 *
 * Simulation error (how far more replications would move a figure) and the range over uncertain inputs are two
 * different things and are never mixed. Only marginal effects: who would have been helped is not told. */
#ifndef PK_COMPARE_H
#define PK_COMPARE_H

#include "polku/prices.h"
#include "polku/results.h"
#include "polku/stats.h"
#include "polku/text.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PK_COMPARE_MAX_PAIRS = 256, PK_COMPARE_KINDS = PK_SOURCE_COUNT };

struct pk_compare_pair {
    size_t i_arm, i_against; /* the difference is arm minus against */
};

/* One set of outcomes (the main run, or a variant): totals by unit. */
struct pk_compare_set {
    size_t n_units, n_arms, n_outcomes;
    const double *values;       /* [n_units][n_arms][n_outcomes] */
    const double *denominators; /* the same: what a ratio is divided by; NULL: no outcome is a ratio */
    const double *ratios;       /* [n_outcomes] not 0: a ratio of two sums, not scaled */
    const double *persons;      /* [n_units] */
    const double *costs;        /* [n_arms] euros a person */
    double scale;               /* the number of people a figure is told for */
    bool vary;                  /* that number is left to chance, whose part in the error is told */
};

/* What reward outcomes are made of (see the group /rewards of a result). */
struct pk_compare_prices {
    size_t n_rows;
    double *quantities;       /* [n_units][n_arms][n_rows] */
    char **prices, **factors; /* [n_rows] "a*b*c"; [n_arms][n_rows] "" or a number or a parameter */
    size_t *i_outcomes;       /* [n_rows] */
    double *values;           /* [n_parameters] in use */
    double *uses;             /* [n_parameters] 1: only a price; 2: more; 0: no price */
    char **units;             /* [n_parameters] */
    char told[512];           /* "a = 1, b = 2" of those set anew; "" none */
};

/* One histogram's quantiles by arm and group. */
struct pk_compare_histogram {
    char *name, *of, *units;
    size_t n_groups, n_quantiles;
    char **groups;           /* [n_groups] "female, depression"; "" where none are told apart */
    const double *quantiles; /* [n_quantiles] probabilities */
    const double *values;    /* [n_arms][n_groups][n_quantiles] */
};

/* Prevented events, by arm and prevention: means per replication and standard errors, scaled as the outcomes are. */
struct pk_compare_prevention {
    char *arm, *name; /* "service:transition" */
    size_t n_years;
    double scale;                       /* from a replication's figures to those told */
    const double *blocked, *blocked_se; /* [n_years] */
    const double *fewer, *fewer_se;     /* [n_years] base less arm */
    struct pk_mean persons, persons_without, persons_later;
};

/* Places of a service, all together, by arm. */
enum { PK_COMPARE_PLACE_FIGURES = 13, PK_COMPARE_WAIT_QUANTILES = 3 };
struct pk_compare_places {
    char *service;
    const double *values[PK_COMPARE_PLACE_FIGURES],
        *errors[PK_COMPARE_PLACE_FIGURES]; /* [n_arms]; errors may be NULL */
    const double *quantiles, *waits;       /* [n_arms][PK_COMPARE_WAIT_QUANTILES] days */
};

/* The bridge to the scenario: figures of the start (0) and of each step. */
enum { PK_COMPARE_BRIDGE_FIGURES = 4 }; /* value, contribution in the stated order, as first, as last */
/* What of the group /bridge goes into its CSV table. */
enum { PK_COMPARE_BRIDGE_COLUMNS = 19 };
extern const char *const pk_compare_bridge_columns[PK_COMPARE_BRIDGE_COLUMNS];
struct pk_compare_bridge {
    size_t n_stages; /* 0: there is none */
    size_t i_outcome;
    double replications;
    char **names, **labels, **changed, **arms, **against; /* [n_stages] */
    const double *values[PK_COMPARE_BRIDGE_FIGURES],      /* [n_stages]; of the start, only its value */
        *errors[PK_COMPARE_BRIDGE_FIGURES];
};

struct pk_comparison {
    char *title, *per_label, *documents_warn, *raw_heading, *raw, *warnings;
    size_t n_arms, n_outcomes, n_variants, n_pairs, n_parameters;
    char **arm_names, **arm_labels, **arm_notes, **arm_assumes;
    char **outcome_names, **outcome_labels, **outcome_units, **measures;
    char **abouts;              /* [n_outcomes] a stock or a cohort, where people flow in; else "" */
    char **payers, **kinds;     /* [n_outcomes] of ledgers; NULL: there are none */
    double *flags;              /* [n_outcomes] 1 share, 2 euros per unit, 4 decides, 8 ledger */
    double *enrolled, *changed; /* [n_arms] */
    char **variant_topics, **variant_names, **variant_changed, **variant_warnings;
    char **parameter_names, **parameter_kinds;
    const double *parameters_in_use; /* [n_parameters] not 0: something in the scenario uses it; NULL: not known */
    size_t n_calibrations, n_marks;
    char **studies, **study_digests;               /* [n_calibrations] whose numbers are in use */
    const double *study_parameters, *study_others; /* [n_calibrations] how many, and how many are set to others */
    char **marks;                                  /* [n_marks] what must be told of them */
    const double *mark_studies;                    /* [n_marks] place of the study */
    struct pk_compare_pair pairs[PK_COMPARE_MAX_PAIRS];
    struct pk_compare_set main;
    struct pk_compare_set *variants; /* [n_variants] */
    struct pk_compare_prices prices;
    size_t n_histograms, n_preventions;
    struct pk_compare_histogram *histograms;
    struct pk_compare_prevention *preventions;
    size_t n_places;
    struct pk_compare_places *places;
    struct pk_compare_bridge bridge;
    const double
        *ample; /* [n_arms] 1 + the arm that is like this one with places for everybody, 0: none; NULL: unknown */
    const double *touched;      /* [n_arms] enrolled, asked or displaced; NULL: not known */
    const double *displacement; /* [n_outcomes] share taken from others; nan: not told; NULL: none is */
    bool whole_cohort;          /* figures are about those enrolled; else about everyone */
    bool replicated;            /* each unit is a whole replication: the spread of one programme is known */
    double replications;
    double *repriced; /* owned; the main run's values at new prices; NULL: at the prices of the run */
    void **blocks;    /* what was read, freed together */
    size_t n_blocks, room_blocks;
};

/* Reads a result file. against: the name of the arm that all others are compared with, or NULL for every pair.
 * language: 0 fi, 1 sv, 2 en. Errors: those of results.h; PK_BAD_INPUT: no such arm, no outcomes. */
PK_CHECKED enum pk_status pk_comparison_open(struct pk_comparison *comparison, const char *path, const char *against,
                                             size_t language, struct pk_error *error);
void pk_comparison_free(struct pk_comparison *comparison);

/* New values of prices: every reward outcome of the main run anew from the file alone. The variants were run at the old
 * prices and are left out from then on. Errors: PK_BAD_INPUT (no such parameter, no price, not only a price: it changes
 * lives, a value its unit does not allow). */
PK_CHECKED enum pk_status pk_comparison_reprice(struct pk_comparison *comparison, const struct pk_set *sets,
                                                size_t n_sets, struct pk_error *error);

/* An arm's outcome, told for `scale` people, and the difference of a pair, from the same units. */
struct pk_mean pk_compare_arm(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome);
struct pk_mean pk_compare_difference(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome);
/* The sum of some outcomes in an arm, less that in another (SIZE_MAX: none). */
struct pk_mean pk_compare_sum(const struct pk_compare_set *set, size_t i_arm, size_t i_against,
                              const size_t *i_outcomes, size_t n);
/* against / arm: the share of the arm's outcome that would have been there anyway. */
struct pk_mean pk_compare_share(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome);
/* Standard deviation over replications of the arm's total for the enrolled of one replication. */
double pk_compare_spread(const struct pk_compare_set *set, size_t i_arm, size_t i_outcome);
/* Euros per additional unit of the outcome; nan ("not meaningful") where the difference is not above 0 or its 95 %
 * simulation interval holds 0. */
struct pk_mean pk_compare_euros(const struct pk_compare_set *set, struct pk_compare_pair pair, size_t i_outcome);
/* Their lowest and highest over the range variants; high is nan where some variant's is not meaningful. */
bool pk_compare_euros_range(const struct pk_comparison *comparison, struct pk_compare_pair pair, size_t i_outcome,
                            double *low, double *high);

/* Lowest and highest of a pair's difference over the main run and all range variants; false if there are none. */
bool pk_compare_range(const struct pk_comparison *comparison, struct pk_compare_pair pair, size_t i_outcome,
                      double *low, double *high);

/* How far a parameter moves the last pair's difference: the highest less the lowest over the ends of its range, or over
 * the variants of the topic "alternatives" that set it alone, the wider of both. nan: not known. */
double pk_compare_influence(const struct pk_comparison *comparison, size_t i_parameter, size_t i_outcome);

/* The influences of the parameters whose numbers have one kind of source, added up. */
struct pk_compare_weight {
    const char *kind;
    double sum, share; /* in the outcome's unit; of all kinds' sums */
    size_t i_largest;  /* the parameter that moves the difference most ... */
    double largest;    /* ... and how far */
};
/* Whether an outcome is weighed: those that decide, or else the first. */
bool pk_compare_weighs(const struct pk_comparison *comparison, size_t i_outcome);
/* The kinds that move the difference, the heaviest first, and how many; SIZE_MAX: no ranges were run. *n_unknown:
 * parameters in use without a range. */
size_t pk_compare_weigh(const struct pk_comparison *comparison, size_t i_outcome,
                        struct pk_compare_weight weights[PK_COMPARE_KINDS], size_t *n_unknown);
/* A result's influences as comma-separated values, "" where there are none; the caller frees *text, whatever the
 * status. Errors: pk_comparison_open's. */
PK_CHECKED enum pk_status pk_compare_csv_weighed(const char *path, struct pk_text *text, struct pk_error *error);

/* The tables as text for people, or one JSON object. */
void pk_compare_print(const struct pk_comparison *comparison, struct pk_text *text);
void pk_compare_json(const struct pk_comparison *comparison, struct pk_text *text);

#ifdef __cplusplus
}
#endif
#endif
