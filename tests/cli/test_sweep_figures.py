#!/usr/bin/python3
"""Figures of sweeps against what they must be: matrix exponentials where hazards are constant, and polku run and polku
compare of the same values everywhere else."""
import math
import os
import sys
import tempfile

sys.dont_write_bytecode = True
import numpy
import yaml
from checks import GOOD, check, expect, finish
from sweeps import DATA, compared, path_of, read, sweep, write, write_study


# ---- the chain by matrix exponentials --------------------------------------------------------------------------------

def expm(matrix):
    """By scaling and squaring of a Taylor series."""
    n = max(0, int(math.ceil(math.log2(max(abs(matrix).sum(axis=1).max(), 1e-9)))) + 6)
    small, term, total = matrix / 2 ** n, numpy.eye(len(matrix)), numpy.eye(len(matrix))
    for k in range(1, 16):
        term = term @ small / k
        total = total + term
    for _ in range(n):
        total = total @ total
    return total


def exact(values, arm):
    """Expectations of one person: the outcomes of chain.yaml by name, and services."""
    start = numpy.array([0.35, 0.65, 0.0])
    fall = values["fall"] * (values["shield"] if arm == "both" else 1)
    mend = values["mend"] * (values["help"] if arm != "none" else 1)
    rates = numpy.array([[-fall - values["leave_well"], fall, values["leave_well"]],
                         [mend, -mend - values["leave_sick"], values["leave_sick"]], [0, 0, 0]])

    def years(i_state, begin, end, interest=0.0):
        """Of one state, from a time to another, at a discount of (1 + interest) a year."""
        slow = rates - math.log1p(interest) * numpy.eye(3)
        block = numpy.zeros((6, 6))
        block[:3, :3], block[:3, 3:] = slow, numpy.eye(3)
        integral = expm(block * (end - begin))[:3, 3:]
        return (start @ expm(slow * begin) @ integral)[i_state]

    return {"years": years(0, 0, 6, values["interest"]), "late": years(1, 1, 4), "left": (start @ expm(rates * 5))[2],
            "output": values["worth"] * years(0, 0, 6), "well_each": (start @ expm(rates * 3))[0],
            "services": values["care_cost"] if arm != "none" else 0}


GIVEN = {"fall": 0.3, "mend": 0.8, "leave_well": 0.05, "leave_sick": 0.2, "help": 1.5, "care_cost": 1250, "shield": 0.6,
         "worth": 21000, "interest": 0.04, "taken": 0.15}


def exact_figures(values, instead):
    def of(arm):
        return exact(values, instead.get(arm, arm))

    def less(outcome):
        return of("care")[outcome] - of("none")[outcome]

    care, none, both = of("care"), of("none"), of("both")
    return {"years": 1000 * less("years"), "own": both["years"], "left": 1000 * less("left"), "late": less("late"),
            "net": 1000 * (both["years"] - none["years"]) * (1 - values["taken"]), "well": less("well_each"),
            "sum": 0.25 * less("output") - less("services"),
            "whole_sum": 1000 * (0.25 * care["output"] + 3.5 * care["late"] + 2 * care["services"])}


def test_exact(folder):
    """Every point of a study of 20,000 people within 4 standard errors of what it must be. Power: with one replication
    an error of a figure is some 2 % of it, so a wrong arm, scale, value, discount or tie shows at most points."""
    write(os.path.join(folder, "chain.yaml"), read(path_of("chain")).decode().replace("size: 2000", "size: 20000")
          .replace("model: chain_model", f"model: {DATA}/chain_model"))
    study = write(os.path.join(folder, "exact.yaml"), read(path_of("chain_ways")).decode())
    _, sample = sweep(study, os.path.join(folder, "exact"))
    check(sample.factors == ["fall", "mend", "help", "care_cost", "interest", "told"], f"factors: {sample.factors}")
    base, worst, squares, n = None, 0, 0, 0
    for i, x in enumerate(sample.x):
        at = dict(zip(sample.quantities, x))
        option = int(at.pop("told"))
        values = {**GIVEN, **at, "shield": 0.45 * at["mend"] + 0.21}
        values.update({"leave_sick": 0.31, "leave_well": 0.02} if option == 1 else {})
        wanted = exact_figures(values, {"care": "both", "none": "care"} if option == 2 else {})
        base = base or wanted
        for name, want in wanted.items():
            got, error, first = sample.figure(name)[i], sample.error(name)[i], sample.figure(name)[0]
            check(abs(got - want) <= 4 * error + 1e-9 * abs(want), f"{name} at point {i}: {got}, must be {want}, s.e. {error}")
            change = want - base[name]
            of_change = math.hypot(error, sample.error(name)[0]) # more than it is, as the two have the same lives
            check(abs(got - first - change) <= 4 * of_change + 1e-9 * abs(want),
                  f"the change of {name} at point {i}: {got - first}, must be {change}")
            if abs(change) < 1e-9:
                check(got == first, f"what does nothing to {name} changes nothing at point {i}: {got} and {first}")
            elif abs(change) > 3 * of_change:
                check((got > first) == (change > 0), f"the sign of the change of {name} at point {i}")
            if error > 0:
                worst, squares, n = max(worst, abs(got - want) / error), squares + ((got - want) / error) ** 2, n + 1
    print(f"{n} figures, the worst {worst:.2f} s.e. off, root mean square {math.sqrt(squares / n):.2f}")
    # points share their world, so the mean square is of few independent ones; 1 is expected of good errors
    check(0.35 < math.sqrt(squares / n) < 2, "the standard errors are of the right size")
    check(len(sample.x) == 17 and list(sample.x[0]) == [0.3, 0.8, 1.5, 1250, 0.04, 0], f"the base is first: {sample.x[0]}")
    check(list(sample.figure("years")[sample.factor == 3]) == [sample.figure("years")[0]] * 2, "costs change no lives")
    check((sample.world == 0).all(), "all in one world")


def test_errors(folder):
    """Standard errors are those that 400 worlds show, whose mean is what it must be, within 4 standard errors of the mean.
    Power: the root mean square of 400 z is within 0.86 and 1.16 by 4 standard errors; an error without its root, of half
    the batches or of another scale is beyond."""
    figures = {"years": {"outcome": "years", "arm": "care", "against": "none", "per": "person"},
               "own": {"outcome": "years", "arm": "both", "per": "person"}, "left": {"outcome": "left", "arm": "care"},
               "late": {"outcome": "late", "arm": "care", "against": "none"}}
    path = write_study(os.path.join(folder, "errors.yaml"), path_of("chain"),
                       {"method": "probabilistic", "draws": 400, "batches": 40, "vary": {"care_cost": None},
                        "figures": figures}, seed=9)
    _, sample = sweep(path, os.path.join(folder, "errors"))
    care, none, both = exact(GIVEN, "care"), exact(GIVEN, "none"), exact(GIVEN, "both")
    wanted = {"years": care["years"] - none["years"], "own": both["years"], "left": 1000 * care["left"],
              "late": 1000 * (care["late"] - none["late"])}
    check(len(set(map(tuple, sample.y))) == 400, "each draw has a world of its own")
    for name, want in wanted.items():
        y, z = sample.figure(name), (sample.figure(name) - want) / sample.error(name)
        check(abs(y.mean() - want) < 4 * y.std() / 20, f"{name}: {y.mean()} over draws, must be {want}")
        check(0.86 < math.sqrt((z ** 2).mean()) < 1.16, f"{name}: z of {math.sqrt((z ** 2).mean())}")


# ---- against run and compare -----------------------------------------------------------------------------------------

def choices_of(study):
    return {name: list(factor["options"].items()) for name, factor in study["sweep"]["vary"].items()
            if isinstance(factor, dict) and "options" in factor} if isinstance(study["sweep"]["vary"], dict) else {}


def settings(study, quantities, x):
    """--set of a point, and which arms are told instead of which."""
    at, sets, instead, choices = dict(zip(quantities, x)), [], {}, choices_of(study)
    for name, value in at.items():
        if name in choices:
            option = choices[name][int(value)][1] or {}
            sets += list(option.get("set", {}).items())
            instead.update(option.get("instead", {}))
        else:
            sets.append((name, "life" if math.isinf(value) else repr(float(value))))
    for name, tie in study["sweep"].get("tied", {}).items():
        sets.append((name, repr(tie.get("times", 1) * float(at[tie["to"]]) + tie.get("plus", 0))))
    return sets, instead, at


def told_figure(told, figure, instead, at):
    """A figure as compare tells it: value and standard error, nan where compare does not know it."""
    per = told["per_persons"]
    arm, against = instead.get(figure["arm"], figure["arm"]), figure.get("against")
    against = instead.get(against, against)
    each = {outcome["outcome"]: outcome for outcome in told["outcomes"]}
    costs = {row["arm"]: row["cost_euros"] for row in told["arms"]}

    def of(name):
        outcome = each[name]
        if against is None:
            return outcome["arms"][arm]["value"], outcome["arms"][arm]["standard_error"]
        if arm == against:
            return 0.0, 0.0
        for key, sign in ((f"{arm}-{against}", 1), (f"{against}-{arm}", -1)):
            if key in outcome["differences"]:
                return sign * outcome["differences"][key]["value"], outcome["differences"][key]["standard_error"]
        raise KeyError(key)

    if "sum" in figure:
        value, error = 0.0, math.nan
        for name, weight in figure["sum"].items():
            value += weight * (of(name)[0] if name != "services" else costs[arm] - (costs[against] if against else 0))
    else:
        value, error = of(figure["outcome"])
        if each[figure["outcome"]].get("ratio") or figure.get("ratio"):
            per = 1
    if figure.get("per") == "person":
        value, error = value / per, error / per
    if figure.get("net_of_displacement"):
        value, error = value * (1 - at.get("taken", 0.15)), error * (1 - at.get("taken", 0.15))
    return value, error


def same(a, b, tolerance):
    return a == b or (math.isnan(a) and b is None) or abs(a - b) <= tolerance * max(abs(a), abs(b))


def hold(folder, name, scenario, body, points=None, errors=True, ratios=(), minus=None, varying=False, **others):
    """A study's points are what run and compare tell of the same values; minus(i): a scale for figures below which
    rounding is all there is."""
    path = write_study(os.path.join(folder, name + ".yaml"), scenario, body, **others)
    study = yaml.safe_load(read(path))
    _, sample = sweep(path, os.path.join(folder, name))
    replications = body.get("replications", 1)
    n_held = 0
    for i in range(len(sample.x)) if points is None else points:
        sets, instead, at = settings(study, sample.quantities, sample.x[i])
        whole = compared(folder, scenario, sets, replications + int(sample.world[i]))
        before = compared(folder, scenario, sets, int(sample.world[i])) if sample.world[i] > 0 else None
        for figure_name, figure in study["sweep"]["figures"].items():
            figure = {**figure, "ratio": figure.get("outcome") in ratios}
            value, error = told_figure(whole, figure, instead, at)
            if before is not None: # only replications from the point's world on
                w = int(sample.world[i])
                value = (value * (w + replications) - told_figure(before, figure, instead, at)[0] * w) / replications
            got, got_error = sample.figure(figure_name)[i], sample.error(figure_name)[i]
            scale = 1e-12 if before is None else 1e-10
            close = same(got, value, scale) or abs(got - value) <= scale * (minus or 0)
            check(close, f"{name}: {figure_name} at point {i} ({sets}): {got!r}, compare tells {value!r}")
            # the error of a mean per person is another where the number of people varies
            errors_too = errors and not (figure.get("per") == "person" and varying)
            if errors_too and before is None and not math.isnan(error if error is not None else math.nan):
                check(same(got_error, error, 1e-9) or abs(got_error - error) < 1e-9 * (minus or 0),
                      f"{name}: the error of {figure_name} at point {i}: {got_error!r}, compare tells {error!r}")
            n_held += 1
    print(f"{name}: {n_held} figures held against compare")
    return sample


def test_chain(folder):
    study = yaml.safe_load(read(path_of("chain_ways")))
    hold(folder, "ways", path_of("chain"), study["sweep"], points=(0, 1, 4, 6, 14, 15, 16), ratios=("well_each",))
    study = yaml.safe_load(read(path_of("chain_draws")))
    figures = {"years": {"outcome": "years", "arm": "care", "against": "none"},
               "sum": {"sum": {"output": 1, "services": -1}, "arm": "both", "per": "person"}}
    body = {**study["sweep"], "draws": 6, "replications": 2, "figures": figures, "randomness": "independent"}
    sample = hold(folder, "draws", path_of("chain"), body, points=(0, 1, 3), seed=31)
    check(list(sample.world) == [2 * i for i in range(6)], f"a world of its own for each draw: {sample.world}")
    first = numpy.array(sample.y)
    sample = hold(folder, "draws", path_of("chain"), {**body, "randomness": "common"}, points=(5,), seed=31)
    check((sample.world == 0).all(), "or the same for all")
    check((sample.y[0] == first[0]).all() and not (sample.y[1:] == first[1:]).any(), "which other draws show")


def test_kinds(folder):
    hold(folder, "small", os.path.join(GOOD, "scenario.yaml"),
         {"method": "latin_hypercube", "draws": 4, "batches": 8, "replications": 2, "randomness": "common",
          "vary": {"find_rate": None, "window": {"distribution": {"discrete": {1.5: 0.4, 2.5: 0.6}}},
                   "back_to_work": {"distribution": {"beta": [30, 10]}}, "interest": None,
                   "told": {"options": {"as it is": None, "faster": {"set": {"fte": 0.5, "keep_ratio": 0.4}},
                                        "of both": {"instead": {"coach": "both"}, "set": {"clients": 150}}}}},
          "tied": {"back_to_idle": {"to": "back_to_work", "times": -1, "plus": 1}},
          "figures": {"years": {"outcome": "work_years", "arm": "coach", "against": "none"},
                      "ever": {"outcome": "ever_work", "arm": "both", "against": "coach", "per": "person"},
                      "hours": {"outcome": "hours", "arm": "both"}, "ill": {"outcome": "illnesses", "arm": "coach"},
                      "sum": {"sum": {"hours": 2, "in_work": -1.5, "services": 0.001}, "arm": "coach", "against": "none"},
                      "each": {"sum": {"services": 1}, "arm": "coach", "per": "person"}}}, seed=4)
    hold(folder, "grown", os.path.join(GOOD, "scenario.yaml"),
         {"method": "two_way", "batches": 8, "vary": {"find_rate": {"levels": ["high", 0.1]}, "window": {"levels": ["life"]},
                                                      "first_only": {"levels": [1]}},
          "figures": {"years": {"outcome": "work_years", "arm": "coach", "against": "none"}}})
    sample = hold(folder, "uncertain", os.path.join(GOOD, "uncertain.yaml"),
                  {"method": "probabilistic", "draws": 5, "batches": 4, "replications": 2, # --set takes 16
                   "vary": dict.fromkeys(["market", "weibull_fit", "regions", "after_school", "rates", "window", "wage"]),
                   "figures": {"pay": {"outcome": "pay", "arm": "coach"},
                               "more": {"outcome": "pay", "arm": "coach", "against": "none"}}},
                  points=(0, 1, 4), errors=False, minus=1e7, seed=5)
    check({"market", "weibull_fit", "regions", "after_school"} <= set(sample.factors), f"sets are varied: {sample.factors}")
    shares = [sample.quantities.index(name) for name in ("to_work", "to_idle", "to_death")]
    check(abs(sample.x[:, shares].sum(axis=1) - 1).max() < 1e-12, "and keep together what belongs together")


def test_worlds(folder):
    """Queues, people who flow in, everybody, ratios, prices by arm."""
    figures = {"work": {"outcome": "work", "arm": "coached", "against": "none"},
               "net": {"outcome": "work", "arm": "twice", "against": "none", "net_of_displacement": True},
               "cohort": {"outcome": "work", "arm": "cohort", "against": "coached", "per": "person"},
               "sum": {"sum": {"work": 1, "services": 1e-4}, "arm": "coached", "against": "none", "per": "person"}}
    hold(folder, "places", os.path.join(GOOD, "places.yaml"),
         {"method": "latin_hypercube", "draws": 3, "replications": 3,
          "vary": {"referral": {"distribution": {"uniform": [0.4, 1.1]}}, "taken": {"distribution": {"beta": [2, 8]}}},
          "figures": figures}, varying=True, seed=8)
    outcomes = ("output", "all", "htv", "finds", "women_in_work", "share_of_women", "years_each", "spells", "mean_spell",
                "age_at_work", "cohort_years")
    ratios = ("share_of_women", "years_each", "mean_spell", "age_at_work")
    figures = {name: {"outcome": name, "arm": "both", "against": "none"} for name in outcomes}
    figures.update({"own_" + name: {"outcome": name, "arm": "shield", "per": "person"} for name in outcomes})
    hold(folder, "told", os.path.join(GOOD, "told.yaml"),
         {"method": "one_way", "batches": 8, "replications": 3,
          "vary": {"interest": {"levels": [0.017]}, "dearer": {"levels": [1.43]}}, "figures": figures}, ratios=ratios,
         minus=1)
    figures = {name: {"outcome": name, "arm": "keeper", "against": "none"} for name in ("work", "women", "mean_spell")}
    figures["ill"] = {"outcome": "ever_ill", "arm": "coach"}
    hold(folder, "ages", os.path.join(GOOD, "mean_age.yaml"),
         {"method": "one_way", "batches": 4, "replications": 2, "vary": {"keep_ratio": {"levels": [0.35]}},
          "figures": figures}, ratios=("work", "women", "mean_spell"))
    figures = {arm: {"outcome": "in_work", "arm": arm, "against": "none"} for arm in ("help", "later", "elsewhere")}
    figures["services"] = {"sum": {"services": 1, "in_work": 10}, "arm": "help", "per": "person"}
    hold(folder, "open", os.path.join(GOOD, "open.yaml"),
         {"method": "one_way", "batches": 32, "replications": 2, "vary": {"uptake": None, "dearer": {"levels": [1.3]}},
          "figures": figures}, varying=True)
    for people in ("enrolled", "everyone"): # the same scenario, compared on some or on all
        text = read(os.path.join(GOOD, "scenario.yaml")).decode().replace("model: model", f"model: {GOOD}/model")
        path = write(os.path.join(folder, people + "_scenario.yaml"),
                     text.replace("compare:\n", f"compare:\n  people: {people}\n"))
        hold(folder, people, path,
             {"method": "one_way", "batches": 8, "replications": 2, "vary": {"find_rate": {"levels": [0.31]}},
              "figures": {"years": {"outcome": "work_years", "arm": "coach", "against": "none"},
                          "each": {"outcome": "hours", "arm": "both", "per": "person"},
                          "sum": {"sum": {"work_years": 1, "services": 1}, "arm": "coach", "per": "person"}}})


def test_pilot(folder):
    """Replications by what a pilot of the first 24 draws shows."""
    body = yaml.safe_load(read(path_of("chain_draws")))["sweep"]
    body["figures"] = {"years": {"outcome": "years", "arm": "care", "against": "none"}, "left": {"outcome": "left", "arm": "none"}}
    for share, method, others in ((0.03, "probabilistic", {}), (0.004, "latin_hypercube", {"randomness": "independent"}),
                                  (0.005, "sobol", {})):
        own = {**body, "method": method, "draws": 40 if method != "sobol" else 16, **others}
        path = write_study(os.path.join(folder, "pilot.yaml"), path_of("chain"), own, seed=3)
        _, sample = sweep(path, os.path.join(folder, "pilot"))
        drawn = numpy.flatnonzero(numpy.isin(sample.part, (0, 1, 2)))[:24]
        wanted = 1
        for k in range(2):
            noise = (sample.se[drawn, k] ** 2).mean()
            own_variance = sample.y[drawn, k].var(ddof=1) - noise
            wanted = max(wanted, noise / own_variance * (1 - share) / share)
        path = write_study(os.path.join(folder, "shared.yaml"), path_of("chain"), {**own, "simulation_share": share}, seed=3)
        counts = {sweep(path, os.path.join(folder, "shared" + threads), "-t", threads)[0]["replications"]
                  for threads in ("1", "3")}
        check(counts == {math.ceil(wanted)} and 1 < math.ceil(wanted) < 100,
              f"{method}: {counts} replications keep simulation below {share}, must be {wanted}")
    own = {"method": "probabilistic", "draws": 30, "batches": 10, "vary": dict.fromkeys(["fall", "help", "leave"]),
           "figures": {"years": {"outcome": "years", "arm": "care", "against": "none"}}}
    path = write_study(os.path.join(folder, "pilot.yaml"), path_of("doubt"), own, seed=3) # noise is much of all
    _, sample = sweep(path, os.path.join(folder, "pilot"))
    noise = (sample.se[:24, 0] ** 2).mean()
    ratio = noise / (sample.y[:24, 0].var(ddof=1) - noise)
    check(ratio > 0.05, f"simulation has a part: {ratio}")
    own["simulation_share"] = round(float(ratio / (ratio + 2.98)), 6) # 2.98 replications keep it, 3.03 and more are too many
    path = write_study(os.path.join(folder, "shared.yaml"), path_of("doubt"), own, seed=3)
    told = sweep(path, os.path.join(folder, "noisy"))[0]["replications"]
    check(told == 3, f"as few as keep it, and no more: {told}")
    check(read(os.path.join(folder, "shared1.h5")) == read(os.path.join(folder, "shared3.h5")), "on any number of threads")


def main():
    with tempfile.TemporaryDirectory() as folder:
        test_exact(folder)
        test_errors(folder)
        test_chain(folder)
        test_kinds(folder)
        test_worlds(folder)
        test_pilot(folder)
    finish()


if __name__ == "__main__":
    main()
