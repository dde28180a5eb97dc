/* A life at the beginning of a stay, packed: what differs between plans is only as long as this one needs. See
 * life_private.h. */
#include <string.h>

#include "life_private.h"

struct head {
    double entry, state_zero;
    uint64_t open, excess_known, spell_cured, enrolled;
    uint32_t i_state, i_next;
};

/* One part after another, to or from a walk. */
#define PARTS(PART)                                                                                                    \
    PART(stays, plan->n_states)                                                                                        \
    PART(spells, plan->n_states)                                                                                       \
    PART(cut_short, plan->n_states)                                                                                    \
    PART(excess_left, plan->n_excess)                                                                                  \
    PART(person_times, plan->n_person_hazards)                                                                         \
    PART(guarded, plan->n_preventions)                                                                                 \
    PART(enrolments, plan->n_services)                                                                                 \
    PART(own, plan->n_frailties + plan->n_cures > 0 ? plan->n_arcs : 0)

#define WALK ((struct walk *)0)
#define SIZE(part, n) size += (n) * sizeof *WALK->part;
#define SAVE(part, n)                                                                                                  \
    if ((n) > 0) { /* most plans have few of the parts */                                                              \
        memcpy(to, walk->part, (n) * sizeof *walk->part);                                                              \
        to += (n) * sizeof *walk->part;                                                                                \
    }
#define RESTORE(part, n)                                                                                               \
    if ((n) > 0) {                                                                                                     \
        memcpy(walk->part, from, (n) * sizeof *walk->part);                                                            \
        from += (n) * sizeof *walk->part;                                                                              \
    }

size_t pk_walk_saved_size(const struct pk_plan *plan)
{
    size_t size = sizeof(struct head);
    PARTS(SIZE)
    return size;
}

void pk_walk_save(const struct walk *walk, void *saved)
{
    const struct pk_plan *plan = walk->plan;
    const struct head head = {.entry = walk->entry,
                              .state_zero = walk->state_zero,
                              .open = walk->open,
                              .excess_known = walk->excess_known,
                              .spell_cured = walk->spell_cured,
                              .enrolled = walk->enrolled,
                              .i_state = (uint32_t)walk->i_state,
                              .i_next = (uint32_t)walk->i_next};
    char *to = saved;
    memcpy(to, &head, sizeof head);
    to += sizeof head;
    PARTS(SAVE)
}

void pk_walk_restore(struct walk *walk, const struct pk_plan *plan, const struct pk_person *person,
                     const struct pk_treatment *treatment, struct pk_life *life, const void *saved)
{
    struct head head;
    const char *from = saved;
    memcpy(&head, from, sizeof head);
    from += sizeof head;
    walk->plan = plan;
    walk->person = person;
    walk->treatment = treatment;
    walk->life = life;
    walk->rng = pk_rng_core_person(plan->seed, person->id, person->replication);
    walk->personal = plan->n_frailties + plan->n_cures > 0;
    walk->multipliers = walk->personal ? walk->own : plan->multipliers + person->stratum * plan->n_arcs;
    walk->over = false;
    walk->loses = treatment->lost;
    walk->entry = head.entry;
    walk->state_zero = head.state_zero;
    walk->open = head.open;
    walk->excess_known = head.excess_known;
    walk->spell_cured = head.spell_cured;
    walk->enrolled = head.enrolled;
    walk->i_state = head.i_state;
    walk->i_next = head.i_next;
    life->n_blocked = 0;
    PARTS(RESTORE)
}
