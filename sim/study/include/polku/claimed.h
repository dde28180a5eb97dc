/* Claims beside what results give: printed, reconstructed with the assumptions of whoever printed it, and dynamic.
 *
 * Responsibility: which figures of which result belong to a claim, whether the reconstruction gives what the claims
 * file says it does, and how all is told. Runs nothing. */
#ifndef PK_CLAIMED_H
#define PK_CLAIMED_H

#include "polku/claims.h"
#include "polku/compare.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One figure, in the claim's unit. Texts are owned by struct pk_claimed. */
struct pk_claimed_figure {
    bool known;            /* its result was read */
    double gross, net;     /* the arm's own; less that of the arm against: nan where there is none */
    double standard_error; /* by simulation, of net, or of gross where there is no net */
    double low, high;      /* of the same, over the ranges; nan: none were run */
    const char *outcome_label, *arm_label, *against_label; /* "" where there is no arm against */
    const char *per_label;
    double per;       /* people that it is told for */
    bool of_enrolled; /* of those whom arms enrol; else of everyone */
    const char *result;
    size_t n_kinds; /* SIZE_MAX: what net rests on is not known */
    struct {
        const char *kind, *largest; /* kind of source; the parameter of it that moves net most */
        double share;
    } kinds[PK_COMPARE_KINDS];
    size_t n_unknown; /* parameters in use without a range */
};

struct pk_claimed_row {
    const struct pk_claim *claim;
    struct pk_claimed_figure reconstruction, *dynamic; /* [claim->n_dynamic] */
};

/* What whoever uses a scenario's figures must be told: marks of the studies whose numbers it has, and warnings. */
struct pk_claimed_mark {
    size_t i_scenario;
    const char *text; /* one line */
};

struct pk_claimed {
    struct pk_arena arena;
    const struct pk_claims *claims; /* borrowed */
    size_t language;                /* 0 fi, 1 sv, 2 en */
    bool only_static;
    size_t n_rows;
    struct pk_claimed_row *rows;
    size_t n_marks, room_marks;
    struct pk_claimed_mark *marks; /* [n_marks] owned; by scenario, in the order that they were read */
};

/* The claims of these names, in the file's order; n 0: all. Errors: PK_BAD_INPUT (no such claim), PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_claimed_init(struct pk_claimed *claimed, const struct pk_claims *claims,
                                          const char *const *names, size_t n_names, struct pk_error *error);
void pk_claimed_free(struct pk_claimed *claimed);

/* Whether a reconstruction, and a dynamic figure, is of this scenario. */
void pk_claimed_needs(const struct pk_claimed *claimed, size_t i_scenario, bool *reconstruction, bool *dynamic);

/* Reads every figure of a scenario from its result. Errors: pk_comparison_open's. */
PK_CHECKED enum pk_status pk_claimed_read(struct pk_claimed *claimed, size_t i_scenario, const char *path,
                                          struct pk_error *error);

/* A problem at each reconstruction read that does not give what the file says. Errors: PK_NUMERICAL. */
PK_CHECKED enum pk_status pk_claimed_check(const struct pk_claimed *claimed, struct pk_problems *problems);

/* Net where there is an arm against, else gross. */
double pk_claimed_value(const struct pk_claimed_figure *figure);
/* Reconstructed less printed, and in per cent of printed: nan where that is 0. */
double pk_claimed_gap(const struct pk_claimed_row *row);
double pk_claimed_gap_percent(const struct pk_claimed_row *row);

/* As text for people, one JSON object, and comma-separated values with a row for each figure. */
void pk_claimed_print(const struct pk_claimed *claimed, struct pk_text *text);
void pk_claimed_json(const struct pk_claimed *claimed, struct pk_text *text);
void pk_claimed_csv(const struct pk_claimed *claimed, struct pk_text *text);

#ifdef __cplusplus
}
#endif
#endif
