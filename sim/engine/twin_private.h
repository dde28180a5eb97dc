/* The grid of the analytic twin. Not installed.
 *
 * Mass of people by phase, state and age of spell. Cell c of a state holds spells that began c to c + 1 steps ago; the
 * last one all longer spells. Spells whose beginning is known exactly (those people start in, those a timer begins)
 * are kept apart, each with its own zero. */
#ifndef PK_TWIN_PRIVATE_H
#define PK_TWIN_PRIVATE_H

#include "polku/twin.h"

enum { PK_TWIN_BITS = 4, PK_TWIN_PHASES = 1 << PK_TWIN_BITS, PK_TWIN_EXACT = 96, PK_TWIN_EXITS = 4 * PK_MAX_ARCS_FROM };

struct exact_spell {
    size_t i_state;
    double zero; /* where its clock was 0, months after the start */
    double mass[PK_TWIN_PHASES];
};

/* What a treatment does to an arc, looked up once. */
struct arc_effect {
    const struct pk_plan_effect *effect; /* NULL: nothing */
    double enrolled, until;              /* window */
    unsigned over;                       /* phase bit that ends it; 0: none */
};

struct ways;

/* The rates of the ways out of a state in a phase, for cells or one spell that have the same: kept from step to step
 * while no hazard changes. */
struct row {
    size_t version; /* the ways' that it was made of; 0: none yet */
    double until;   /* of a spell known exactly: its time in state up to which the rates are these */
    double total;
    /* the last exponential over a whole step [0] and over less [1] */
    double exponent[2], staying[2];
    double *rates; /* [n] of the ways */
};

struct grid {
    const struct pk_twin_case *problem;
    const struct pk_plan *plan;
    uint64_t reached; /* bit per state: somebody may come there */
    size_t n_bits, n_phases, n_steps;
    double step;
    size_t n_cells[PK_MAX_STATES], first_cell[PK_MAX_STATES], n_all;
    double *mass, *next; /* [n_phases][n_all] */
    double *entries;     /* [n_states] from other states so far; NULL: not wanted */
    size_t n_exact;
    uint64_t known;                              /* bit per state: spells there are known exactly */
    double fires_at;                             /* before this no timer can be due, but for rounding */
    unsigned end_bit[PK_MAX_STATES];             /* entering it ends effects for the first job */
    double end_from;                             /* ... from then on */
    unsigned guard_bit;                          /* a prevention has left something behind; 0: nothing to follow */
    const struct pk_plan_prevention *prevention; /* ... this one */
    unsigned cure_bit;                           /* the spell is cured of what it may be */
    size_t i_cure_from[PK_MAX_STATES];           /* cure of a spell in the state; SIZE_MAX: none */
    double t;
    size_t n_used;             /* cells that can have mass in this step, of a state with as many */
    struct ways *all_ways;     /* [n_states][n_phases] */
    struct ways *ways;         /* [n_phases] of the state at hand */
    bool stale[PK_MAX_STATES]; /* a hazard from here is another than in the last step */
    size_t n_versions;         /* of ways, so far */
    struct row *rows;          /* [n_phases][n_rows] of each state from first_row, then [PK_TWIN_EXACT][n_phases] */
    size_t n_rows[PK_MAX_STATES], first_row[PK_MAX_STATES], n_all_rows;
    uint32_t
        *row_of; /* [n_cells + 1] of each state from first_cell + its number: cells with the same hazards share one */
    double *rates_of_rows; /* [n_all_rows][most_ways] */
    size_t most_ways;      /* out of a state in a phase */
    double look_from;      /* steps that end before have the base hazards of the last one */
    size_t n_treated;      /* arcs with an effect: they are looked at in every step */
    size_t n_looked;       /* arcs whose base hazard may be another from a time on */
    double *cells; /* means over cells, once: [n_cells + 1] from i_cell[arc], the last for the half step after an
                      entry */
    /* From here on written before it is read, as far as there are arcs and phases: clearing it all would take longer
     * than many a solution. */
    struct exact_spell exact[PK_TWIN_EXACT];
    double entered[PK_TWIN_PHASES][PK_MAX_STATES];
    /* looked up once: arcs in the order of the state they leave */
    uint16_t arcs[PK_MAX_ARCS];
    size_t first_arc[PK_MAX_STATES + 1];
    double multipliers[PK_MAX_ARCS];          /* stratum, frailty, cure of the person, excess */
    const struct pk_rate *rates[PK_MAX_ARCS]; /* base; NULL: none */
    bool on_state[PK_MAX_ARCS], own_on_state[PK_MAX_ARCS];
    struct arc_effect effects[PK_MAX_ARCS];
    bool never[PK_MAX_ARCS]; /* cured of it for good */
    /* this step's */
    double base_now[PK_MAX_ARCS], own_now[PK_MAX_ARCS], overlap[PK_MAX_ARCS];
    double base_until[PK_MAX_ARCS]; /* its clock's time up to which base_now stays */
    uint16_t looked[PK_MAX_ARCS], treated[PK_MAX_ARCS];
    size_t i_base_cells[PK_MAX_ARCS], i_own_cells[PK_MAX_ARCS];
};

/* The rate of one way out for any cell: constant + of_base base cell + of_own own cell (at_least: the larger of the
 * two, in the share `least` of the step; least_base, least_own: where they are the same for all cells). */
struct way {
    double constant, of_base, of_own, least, least_base, least_own;
    const double *base, *own; /* means by cell, the last for those who have just entered; NULL: none */
    size_t i_arc;
    size_t i_to;         /* SIZE_MAX: stays, in another phase */
    unsigned set, clear; /* phase bits */
};

struct ways {
    size_t n;
    bool same;                   /* the rates are those of any cell and spell */
    bool stays;                  /* some lead to another phase of the same spell */
    size_t version;              /* another whenever they are laid anew */
    bool taken;                  /* some mass is in moved */
    double moved[PK_TWIN_EXITS]; /* mass that took each in this step, on its way */
    struct way items[PK_TWIN_EXITS];
};

static inline bool pk_twin_stops(const struct grid *grid, size_t i_state)
{
    return grid->plan->states[i_state].absorbing || (grid->problem->stop_states >> i_state & 1);
}

#define PK_TWIN_MARGIN 1e-6 /* months: far more than the rounding of a time, far less than a step */

/* Where the clock of a timer that is not on time_in_state was 0, months after the start. */
static inline double pk_twin_timer_zero(const struct grid *grid, const struct pk_timer *timer)
{
    return timer->clock == PK_CLOCK_AGE ? -grid->problem->age : 0;
}

/* Lays the grid out for the problem in it, in the twin's memory: what is looked up once and all room that the solution
 * needs. Nobody is on it yet. Errors: PK_NO_MEMORY. */
PK_CHECKED enum pk_status pk_twin_lay_out(struct pk_twin *twin, struct grid *grid, struct pk_error *error);
/* Whether a prevention leaves immunity or relapse behind. */
bool pk_twin_leaves_something(const struct pk_plan_prevention *prevention);
/* The ways out of a state in a phase in this step. */
void pk_twin_ways(const struct grid *grid, size_t i_state, unsigned phase, struct ways *ways);
/* The rates of the ways at hand for a cell of their state (n_cells: the half step after an entry), ... */
struct row *pk_twin_row_of_cell(const struct grid *grid, size_t i_state, unsigned phase, size_t i_cell);
/* ... and for a spell that is known exactly, by its own clock. */
struct row *pk_twin_row_of_spell(const struct grid *grid, size_t i_spell, unsigned phase);
/* Finds the arcs whose hazards do not run on time_in_state alone. */
void pk_twin_look_first(struct grid *grid);
/* Looks up what is the same for all cells in the step that begins at t, and from where it is not what it was: means of
 * the hazards that do not run on time_in_state, and the share of the step that lies in each effect's window. */
void pk_twin_look(struct grid *grid, double t);
/* pk_twin_rate_mean; *until falls to the clock's time up to which the mean is the same for steps as long that begin
 * later (-infinite: it is not). */
double pk_twin_mean_until(const struct pk_rate *rate, double from, double to, double *until);
void pk_twin_step(struct grid *grid, double t);

#endif
