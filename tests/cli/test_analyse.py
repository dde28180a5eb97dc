#!/usr/bin/python3
"""polku analyse against numpy: every table recomputed from what --csv writes, functions with known indices through
--design and --outputs, and what is said where points have no figures."""
import csv
import itertools
import json
import math
import os
import sys
import tempfile

sys.dont_write_bytecode = True
import h5py
import numpy
import xarray
import yaml
from checks import GOOD, check, expect, finish
from sweeps import Sample, analyse, path_of, read, sweep, write, write_study


def near(a, b, tolerance=1e-9):
    """None in JSON is nan here."""
    a, b = numpy.asarray(a, float), numpy.asarray(b, float)
    return a.shape == b.shape and bool((numpy.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)).all())


def table(told, name):
    """Rows by name, each a dictionary of its columns; and how they are ordered."""
    sheet = told["sheets"][name]
    rows = {row: {column: math.nan if values[i] is None else values[i] for column, values in sheet["columns"].items()}
            for i, row in enumerate(sheet["rows"])}
    check(len(rows) == len(sheet["rows"]) and all(len(v) == len(rows) for v in sheet["columns"].values()),
          f"{name}: rows have names of their own")
    return rows


def columns_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    def number(text):
        try:
            return float(text)
        except ValueError:
            return text
    return {name: numpy.array([number(row[i]) for row in rows[1:]]) for i, name in enumerate(rows[0])}


def descending(values):
    values = [value for value in values if value is not None]
    return all(a >= b for a, b in zip(values, values[1:]))


# ---- draws -----------------------------------------------------------------------------------------------------------

def ranks(values):
    order = numpy.argsort(values, kind="stable")
    result = numpy.empty(len(values))
    result[order] = numpy.arange(len(values))
    for value in numpy.unique(values):
        result[values == value] = result[values == value].mean()
    return result


def standardised(x, y):
    x, y = (x - x.mean(axis=0)) / x.std(axis=0), (y - y.mean()) / y.std()
    return numpy.linalg.lstsq(x, y, rcond=None)[0]


def partial(x, y, j):
    others = numpy.column_stack([numpy.ones(len(y)), numpy.delete(x, j, axis=1)])
    left = [v - others @ numpy.linalg.lstsq(others, v, rcond=None)[0] for v in (x[:, j], y)]
    return float(numpy.corrcoef(*left)[0, 1])


def hold_regression(told, name, x, y, names):
    rows = table(told, "regression/" + name)
    of_ranks, y_ranks = numpy.column_stack([ranks(column) for column in x.T]), ranks(y)
    src, srrc = standardised(x, y), standardised(of_ranks, y_ranks)
    for j, quantity in enumerate(names):
        row = rows[quantity]
        check(near(row["src"], src[j], 1e-7) and near(row["srrc"], srrc[j], 1e-7) and
              near(row["prcc"], partial(of_ranks, y_ranks, j), 1e-7), f"regression of {name} on {quantity}: {row}, {src[j]}")
        check(row["src_low"] <= row["src"] <= row["src_high"] or abs(row["src"]) > 0.9, f"its interval: {row}")
    check(descending([abs(row["prcc"]) for row in rows.values()]), "the strongest first")


def test_draws(folder):
    stem = os.path.join(folder, "draws")
    sweep(path_of("chain_draws"), stem, "--draws", "90")
    told = analyse(stem + ".h5", "--csv", os.path.join(folder, "draws.csv"), "--threshold", "1000")
    at, sample = columns_of(os.path.join(folder, "draws.csv")), Sample(stem + ".h5")
    check(list(at["point"]) == list(range(90)) and near(at["late"], sample.figure("late")) and
          near(at["late_se"], sample.error("late")) and near(at["fall"], sample.x[:, sample.quantities.index("fall")]),
          "the points as comma-separated values")
    summary = table(told, "summary")
    check(list(summary) == ["years", "late"], f"figures that are named: {list(summary)}")
    for name, row in summary.items():
        y, noise = at[name], (at[name + "_se"] ** 2).mean()
        wanted = {"mean": y.mean(), "sd": y.std(ddof=1), "above_0": (y > 0).mean(), "draws": 90,
                  "simulation_se": math.sqrt(noise), "simulation_share": noise / y.var(ddof=1),
                  **{q: numpy.quantile(y, p) for q, p in (("q025", 0.025), ("q500", 0.5), ("q975", 0.975))}}
        for key, value in wanted.items():
            check(near(row[key], value), f"summary of {name}, {key}: {row[key]}, must be {value}")
    names = sample.quantities
    x = numpy.column_stack([at[name] for name in names])
    for name in ("years", "late"):
        hold_regression(told, name, x, at[name], names)

    options = ["none", "care", "both"]
    effects = numpy.column_stack([at["effect:" + option] for option in options])
    costs = numpy.column_stack([at["cost:" + option] for option in options])
    for o in (1, 2):
        net = 1000 * (effects[:, o] - effects[:, 0]) - (costs[:, o] - costs[:, 0])
        hold_regression(told, "net_benefit_" + options[o], x, net, names)
    hold_decision(told, options, effects, costs, [0, 500, 2000, 8000])
    known = table(told, "decision/evppi")
    check(set(known) == set(sample.factors) | {"rates"} and descending([row["evppi"] for row in known.values()]),
          f"what could be known: {list(known)}")
    net = 1000 * effects - costs
    evpi = net.max(axis=1).mean() - net.mean(axis=0).max()
    for name, row in known.items():
        check(-1e-9 <= row["evppi"] <= evpi + 1e-9 and near(row["share_of_evpi"], row["evppi"] / evpi) and
              near(row["population_evppi"], row["evppi"] * people(), 1e-9), f"of {name}: {row}")
    for part in ("fall", "mend", "leaving_rates"):
        check(known[part]["evppi"] <= known["rates"]["evppi"] + 1e-9, f"no part is worth more than all of it: {part}")
    check("at 1000 euros" in told["sheets"]["decision/evppi"]["title"], "at the threshold that was asked for")
    plain = analyse(stem + ".h5")
    sure = plain["sheets"]["decision/acceptability"]
    most = sure["rows"][max(range(len(sure["rows"])), key=lambda k: sure["columns"]["evpi"][k])]
    check(f"at {most} euros" in plain["sheets"]["decision/evppi"]["title"], "by default where there is most to find out")
    check(plain["sheets"]["summary"] == told["sheets"]["summary"], "which changes nothing else")
    return stem


def test_choice(folder):
    """A choice is a column for each of its options but the first."""
    options = yaml.safe_load(read(path_of("chain_ways")))["sweep"]["vary"]["told"]
    path, stem = os.path.join(folder, "choice.yaml"), os.path.join(folder, "choice")
    write_study(path, path_of("chain"), {"method": "latin_hypercube", "draws": 50, "batches": 5,
                                         "vary": {"fall": None, "told": options, "help": None},
                                         "figures": {"years": {"outcome": "years", "arm": "care", "against": "none"}}}, seed=5)
    sweep(path, stem)
    told, sample = analyse(stem + ".h5"), Sample(stem + ".h5")
    fall, option, factor = sample.x.T
    x = numpy.column_stack([fall, option == 1, option == 2, factor])
    hold_regression(told, "years", x, sample.y[:, 0], ["fall", "told = faster", "told = of both", "help"])


def people(rate=0.03, years=8, a_year=1200):
    return a_year * (1 - (1 + rate) ** -years) / math.log1p(rate)


def hold_decision(told, options, effects, costs, thresholds):
    n = len(effects)
    rows, e, c = table(told, "decision/options"), effects.mean(axis=0), costs.mean(axis=0)
    order = sorted(range(len(options)), key=lambda o: (c[o], -e[o]))
    check(list(rows) == [options[o] for o in order], f"options by cost: {list(rows)}")
    notes = "\n".join(told["sheets"]["decision/options"]["notes"])
    efficient = [order[0]] # brute force: best at some threshold, of the means
    dominated = [any(c[j] <= c[o] and e[j] >= e[o] and (c[j] < c[o] or e[j] > e[o]) for j in range(len(options)))
                 for o in range(len(options))]
    for o, option in enumerate(options):
        row = rows[option]
        check(near([row["effect"], row["cost"]], [e[o], c[o]]) and
              near([row["effect_se"], row["cost_se"]], [effects[:, o].std(ddof=1) / math.sqrt(n),
                                                        costs[:, o].std(ddof=1) / math.sqrt(n)]), f"means of {option}: {row}")
        check((f"{option} is dominated: " in notes) == dominated[o], f"whether {option} is dominated: {notes}")
    efficient = [o for o in order if not dominated[o]]
    while True: # by extension
        ratios = [(c[b] - c[a]) / (e[b] - e[a]) for a, b in zip(efficient, efficient[1:])]
        drop = next((i for i, (r, s) in enumerate(zip(ratios, ratios[1:])) if r > s), None)
        if drop is None:
            break
        check(f"{options[efficient[drop + 1]]} is dominated by extension" in notes, f"which is said: {notes}")
        del efficient[drop + 1]
    for a, b, ratio in zip(efficient, efficient[1:], ratios):
        check(near([rows[options[b]][k] for k in ("icer", "more_effect", "more_cost")], [ratio, e[b] - e[a], c[b] - c[a]]),
              f"ICER of {options[b]}: {rows[options[b]]}, must be {ratio}")
    for o in set(range(len(options))) - set(efficient[1:]):
        check(math.isnan(rows[options[o]]["icer"]), f"no ICER of {options[o]}")
    for o in range(1, len(options)):
        row, de, dc = table(told, "decision/plane")[f"{options[o]} - {options[0]}"], *(v[:, o] - v[:, 0] for v in (effects, costs))
        wanted = {"more_effect": de.mean(), "more_cost": dc.mean(), "more_effect_se": de.std(ddof=1) / math.sqrt(n),
                  "more_cost_se": dc.std(ddof=1) / math.sqrt(n), "more_for_more": ((de > 0) & (dc > 0)).mean(),
                  "dominates": ((de >= 0) & (dc <= 0)).mean(), "less_for_less": ((de < 0) & (dc < 0)).mean(),
                  "is_dominated": ((de <= 0) & (dc >= 0)).mean()}
        if de.mean() * dc.mean() > 0:
            wanted["icer"] = dc.mean() / de.mean()
        if (de > 0).all() or (de < 0).all():
            wanted["icer_low"], wanted["icer_high"] = numpy.quantile(dc / de, [0.025, 0.975])
        for key, value in wanted.items():
            check(near(row[key], value), f"plane of {options[o]}, {key}: {row[key]}, must be {value}")
    for threshold in thresholds:
        row, net = table(told, "decision/acceptability")[f"{threshold:g}"], threshold * effects - costs
        best, mean = net.argmax(axis=1), net.mean(axis=0)
        shares = [(best == o).mean() for o in range(len(options))]
        lost = (net.max(axis=1)[:, None] - net)
        winner = int(mean.argmax())
        check(row["best"] == winner and near(row["best_p"], shares[winner]) and near(row["net_benefit"], mean[winner]) and
              near([row["p_" + option] for option in options], shares) and
              near([row["loss_" + option] for option in options], lost.mean(axis=0)) and
              near(row["evpi"], lost[:, winner].mean()) and
              near(row["evpi_se"], lost[:, winner].std(ddof=1) / math.sqrt(n)) and
              near(row["population_evpi"], lost[:, winner].mean() * people()), f"at {threshold}: {row}")


def test_information(folder):
    """What it is worth to know one number, where conditional means are known: net benefit linear in two independent
    numbers at 2,000 draws. The regression must find each within 4 of its standard errors and a tenth; power: what is
    known of the wrong column, or at the wrong threshold, is 0 or several times as much."""
    design, y, study = os.path.join(folder, "d.csv"), os.path.join(folder, "y.csv"), path_of("chain_draws")
    expect(0, "2000 points written to", "sweep", "--design", design, "--draws", "2000", study)
    at = columns_of(design)
    # at 2000 a unit of effect: a gain of care of 900 (help - 1.6) - 1.1 (care_cost - 1300)
    effect = 0.45 * (at["help"] - 1.6)
    cost = 1.1 * (at["care_cost"] - 1300)
    zero = numpy.zeros(2000)
    outputs = {"years": effect, "late": cost, "effect:none": zero, "effect:care": effect, "effect:both": zero - 1,
               "cost:none": zero, "cost:care": cost, "cost:both": zero - 150}
    write_columns(y, outputs)
    told = json.loads(expect(0, "", "analyse", "--outputs", y, "--draws", "2000", "--threshold", "2000", "--json",
                             "--resamples", "20", "-o", os.path.join(folder, "known"), study).stdout)
    effects = numpy.column_stack([zero, effect, zero - 1])
    costs = numpy.column_stack([zero, cost, zero - 150])
    hold_decision(told, ["none", "care", "both"], effects, costs, [0, 500, 2000, 8000])
    known = table(told, "decision/evppi")
    gain = {"help": 2000 * effect - cost.mean(), "care_cost": 2000 * effect.mean() - cost}
    for name, row in known.items():
        mean = gain.get(name, numpy.full(2000, (2000 * effect - cost).mean()))
        wanted = numpy.maximum(mean, 0).mean() - max(mean.mean(), 0)
        check(abs(row["evppi"] - wanted) < 0.1 * wanted + 4 * row["evppi_se"] + 1e-6, f"knowing {name}: {row}, must be {wanted}")
    check(known["help"]["evppi"] > 5 and known["care_cost"]["evppi"] > 5, f"both are worth something: {known}")
    return design, y


def write_columns(path, columns):
    names = list(columns)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([[repr(float(v)) for v in row] for row in zip(*columns.values())])


# ---- grids -----------------------------------------------------------------------------------------------------------

def crossing(x, y):
    """Where a line through points is 0; nan: nowhere or more than once."""
    order = numpy.argsort(x)
    x, y, found = x[order], y[order], []
    signs = [(v, w) for v, w in zip(x, y) if w != 0]
    for (a, f), (b, g) in zip(signs, signs[1:]):
        if f * g < 0:
            between = [v for v, w in zip(x, y) if w == 0 and a < v < b]
            found.append((between[0] + between[-1]) / 2 if between else a - f * (b - a) / (g - f))
    return found[0] if len(found) == 1 else math.nan


def test_one_way(folder):
    stem = os.path.join(folder, "ways")
    sweep(path_of("chain_ways"), stem)
    told, sample = analyse(stem + ".h5", "--csv", stem + ".csv"), Sample(stem + ".h5")
    at = columns_of(stem + ".csv")
    check(list(at["told"][-3:]) == ["as it is", "faster", "of both"], f"options by name: {at['told']}")
    n_turned = 0
    for name in sample.figures:
        y, rows = at[name], table(told, "tornado/" + name)
        check(descending(told["sheets"]["tornado/" + name]["columns"]["swing"]), f"the widest first: {name}")
        check(f"base: {y[0]:.6g}" in told["sheets"]["tornado/" + name]["notes"], "the base is told")
        turns = 0
        for f, factor in enumerate(sample.factors):
            mine = numpy.flatnonzero(sample.factor == f)
            (row,) = [row for label, row in rows.items() if label.startswith(factor + " (")]
            seen = numpy.append(y[mine], y[0])
            check(near([row["lowest"], row["highest"], row["swing"]], [seen.min(), seen.max(), seen.max() - seen.min()]) and
                  row["first"] == y[mine[0]] and row["last"] == y[mine[-1]], f"{factor} of {name}: {row}")
            wanted = math.nan
            if factor != "told":
                levels = sample.x[mine, sample.first[f]]
                x, own = numpy.append(levels, sample.x[0, sample.first[f]]), seen
                if sample.x[0, sample.first[f]] in levels:
                    x, own = x[:-1], own[:-1]
                wanted = crossing(x, own)
            check(near(row["break_even"], wanted), f"{factor} of {name} is 0 at {row['break_even']}, must be {wanted}")
            turns += seen.min() < 0 < seen.max()
            n_turned += not math.isnan(row["break_even"])
        notes = " ".join(told["sheets"]["tornado/" + name]["notes"])
        check((f"{turns} factors alone turn" if turns else "no factor alone turns") in notes, f"who turns it: {notes}")
        sheet = told["sheets"]["levels/" + name]
        check(near(sheet["columns"]["outcome"], y) and near(sheet["columns"]["change"], y - y[0]) and
              near(sheet["columns"]["outcome_se"], at[name + "_se"]), f"levels of {name}")
        check(sheet["rows"][0] == "base" and sheet["rows"][1] == "fall = 0.65" and sheet["rows"][-1] == "told = of both",
              f"their names: {sheet['rows']}")
        values = sheet["columns"]["value"]
        check(values[0] is None and values[1:4] == [0.65, 0.3, 0.12] and values[-3:] == [0, 1, 2], f"their values: {values}")
    check(n_turned >= 3, "some have a break-even value")
    text = expect(0, "", "analyse", stem + ".h5", "--rows", "3").stdout
    check("... and 14 more rows (--rows)\n" in text and text.count("fall = 0.65") == 8, "as many rows as asked for")
    check("fall = 0.12" not in text and "as it is" in expect(0, "", "analyse", stem + ".h5", "--rows", "0").stdout, "or all")
    return stem


def test_grids(folder):
    stem = os.path.join(folder, "grid")
    sweep(os.path.join(GOOD, "sweep_grid.yaml"), stem)
    told, sample = analyse(stem + ".h5"), Sample(stem + ".h5")
    sheet = told["sheets"]["two_way/years"]
    check(near(sheet["columns"]["outcome"], sample.y[:, 0]) and near(sheet["columns"]["outcome_se"], sample.se[:, 0]), "pairs")
    for i, row in enumerate(sheet["rows"][1:], 1):
        moved = [part.split(" = ") for part in row.split(", ")]
        found = [sample.x[i, sample.quantities.index(name)] for name, _ in moved]
        check(near(found, [float(value) for _, value in moved]) and
              near([sheet["columns"]["first_value"][i], sheet["columns"]["second_value"][i]], found), f"pair {row}: {found}")
    body = yaml.safe_load(read(path_of("chain_ways")))["sweep"]
    body.update(method="factorial", vary={"fall": {"levels": [0.2, 0.5]}, "help": {"levels": [0.8, 1.5, 2.5]},
                                          "told": body["vary"]["told"]})
    del body["tied"]
    path = write_study(os.path.join(folder, "full.yaml"), path_of("chain"), body)
    stem = os.path.join(folder, "full")
    sweep(path, stem)
    told, sample = analyse(stem + ".h5"), Sample(stem + ".h5")
    shape = (2, 3, 3)
    for name in sample.figures:
        y = sample.figure(name).reshape(shape)
        rows, whole, parts = table(told, "factorial/" + name), y.var(), {}
        for f, factor in enumerate(sample.factors):
            parts[factor] = y.mean(axis=tuple(g for g in range(3) if g != f)).var()
        for f, g in itertools.combinations(range(3), 2):
            two = y.mean(axis=3 - f - g).var()
            parts[f"{sample.factors[f]} x {sample.factors[g]}"] = two - parts[sample.factors[f]] - parts[sample.factors[g]]
        parts["three and more together"] = whole - sum(parts.values())
        for label, part in parts.items():
            check(near(rows[label]["share"], part / whole, 1e-8), f"{name}: {label} has {rows[label]}, must be {part / whole}")
        check(len(rows) == 7 and descending([row["share"] for row in rows.values()]), f"the largest first: {rows}")
    sweep(path, stem, "--shard", "1/2")
    expect(1, "holds only a part of the grid: merge its shards first", "analyse", stem + ".shard-0001-of-0002.h5")


# ---- elementary effects and shares of variance -----------------------------------------------------------------------

def test_morris(folder):
    stem = os.path.join(folder, "morris")
    path = write_study(os.path.join(folder, "morris.yaml"), path_of("chain"),
                       {"method": "morris", "trajectories": 12, "levels": 6, "batches": 5,
                        "vary": dict.fromkeys(["fall", "mend", "help", "care_cost", "leaving_rates"]),
                        "groups": {"rates": ["fall", "mend"]},
                        "figures": {"years": {"outcome": "years", "arm": "care", "against": "none"}}}, seed=3)
    sweep(path, stem)
    told, sample = analyse(stem + ".h5"), Sample(stem + ".h5")
    with h5py.File(stem + ".h5", "r") as file:
        groups, direction = [g.decode() for g in file["groups/group"][...]], file["points/direction"][...]
    rows, y = table(told, "morris/years"), sample.y[:, 0]
    check(set(rows) == set(groups) == {"rates", "help", "care_cost", "leaving_rates"}, f"groups: {list(rows)}")
    for g, group in enumerate(groups):
        steps = numpy.flatnonzero((sample.part == 6) & (sample.factor == g))
        effects = (y[steps] - y[steps - 1]) / 0.5
        row = rows[group]
        check(row["n"] == len(steps) == 12 and near(row["mu_star"], abs(effects).mean()), f"{group}: {row}, {effects}")
        check(row["mu_star_low"] <= row["mu_star"] <= row["mu_star_high"], f"its interval: {row}")
        if group in ("help", "care_cost"): # which way has no meaning for several columns
            signed = effects * direction[steps]
            check(near(row["mu"], signed.mean()) and near(row["sigma"], signed.std(ddof=1)), f"{group}: {row}, {signed}")
        else:
            check(math.isnan(row["mu"]) and math.isnan(row["sigma"]), f"{group} has no direction: {row}")
    check(rows["care_cost"]["mu_star"] == 0 and rows["help"]["mu"] > 0, "what does nothing has none; help helps")
    check(descending([row["mu_star"] for row in rows.values()]), "the largest first")


def ishigami(a, b, c):
    return numpy.sin(a) + 7 * numpy.sin(b) ** 2 + 0.1 * c ** 4 * numpy.sin(a)


def test_known(folder):
    """Functions whose indices are known, by another program: exact within the interval and 0.05. Power: the least
    difference between two indices that could be taken for each other is 0.1."""
    design, y, study = os.path.join(folder, "design.csv"), os.path.join(folder, "y.csv"), path_of("outside")
    expect(0, "8192 points written to", "sweep", "--design", design, study)
    at = columns_of(design)
    check(list(at) == ["point", "a", "b", "c"] and max(abs(at["a"])) < math.pi, f"columns: {list(at)}")
    write_columns(y, {"additive": 3 * at["a"] + 2 * at["b"] + at["c"], "ishigami": ishigami(at["a"], at["b"], at["c"])})
    stem = os.path.join(folder, "known")
    told = json.loads(expect(0, f"{stem}.analysis.h5 written", "analyse", "--outputs", y, "--json", "-o", stem, study).stdout)
    v1, v2, v13 = 0.5 * (1 + 0.1 * math.pi ** 4 / 5) ** 2, 49 / 8, 0.01 * math.pi ** 8 * 8 / 225
    v = v1 + v2 + v13
    wanted = {"a": (v1 / v, (v1 + v13) / v), "b": (v2 / v, v2 / v), "c": (0, v13 / v)}
    rows = table(told, "sobol/ishigami")
    for name, (first, total) in wanted.items():
        row = rows[name]
        check(abs(row["first"] - first) < 0.05 and row["first_low"] - 1e-3 <= first <= row["first_high"] + 1e-3 and
              abs(row["total"] - total) < 0.05 and row["total_low"] - 1e-3 <= total <= row["total_high"] + 1e-3,
              f"Ishigami, {name}: {row}, must be {first}, {total}")
    pairs = table(told, "sobol_pairs/ishigami")
    for name, second in (("a x c", v13 / v), ("a x b", 0), ("b x c", 0)):
        check(abs(pairs[name]["second"] - second) < 0.06, f"{name}: {pairs[name]}, must be {second}")
    for name, share in (("a", 9 / 14), ("b", 4 / 14), ("c", 1 / 14)):
        row = table(told, "sobol/additive")[name]
        check(abs(row["first"] - share) < 0.02 and abs(row["total"] - share) < 0.02, f"additive, {name}: {row}, {share}")
    check(list(rows) == ["a", "c", "b"] or list(rows) == ["a", "b", "c"], f"the largest first: {list(rows)}")

    weights = {"w": 0, "x": 1, "y": 4.5, "z": 9} # Sobol' G; two of four together
    path = write_study(os.path.join(folder, "g.yaml"), None,
                       {"method": "sobol", "draws": 2048, "outputs": ["g"], "groups": {"late": ["y", "z"]},
                        "vary": {name: {"distribution": {"uniform": [0, 1]}} for name in weights}}, seed=2)
    expect(0, "10240 points written", "sweep", "--design", design, path)
    at = columns_of(design)
    parts = {name: 1 / (3 * (1 + a) ** 2) for name, a in weights.items()}
    write_columns(y, {"g": numpy.prod([(abs(4 * at[name] - 2) + a) / (1 + a) for name, a in weights.items()], axis=0)})
    told = json.loads(expect(0, "", "analyse", "--outputs", y, "--json", "-o", stem, path).stdout)
    parts["late"] = (1 + parts["y"]) * (1 + parts["z"]) - 1
    whole = numpy.prod([1 + parts[name] for name in ("w", "x", "late")]) - 1
    for name in ("w", "x", "late"):
        row, rest = table(told, "sobol/g")[name], numpy.prod([1 + parts[n] for n in ("w", "x", "late") if n != name])
        check(abs(row["first"] - parts[name] / whole) < 0.03 and abs(row["total"] - parts[name] * rest / whole) < 0.03,
              f"G, {name}: {row}, must be {parts[name] / whole}, {parts[name] * rest / whole}")
    check("sobol_pairs/g" not in told["sheets"], "without second_order no pairs")
    return stem


def test_noise(folder):
    """Simulation's part is taken out of the variance where rows have worlds of their own, and only there."""
    for worlds in ("independent", "common"):
        stem = os.path.join(folder, "noise_" + worlds)
        path = write_study(stem + ".yaml", path_of("chain"),
                           {"method": "sobol", "draws": 64, "batches": 20, "randomness": worlds,
                            "vary": dict.fromkeys(["fall", "mend", "leaving_rates"]),
                            "figures": {"years": {"outcome": "years", "arm": "care", "against": "none"}}}, seed=3)
        sweep(path, stem)
        told, sample = analyse(stem + ".h5", "--resamples", "50"), Sample(stem + ".h5")
        y, se = sample.y[:, 0], sample.se[:, 0]
        a, b = y[sample.part == 1], y[sample.part == 2]
        ab = numpy.isin(sample.part, (1, 2))
        noise = (se[ab] ** 2).mean() if worlds == "independent" else 0
        share = noise / y[ab].var(ddof=1)
        check(worlds == "common" or 0.05 < share < 0.9, f"simulation has a part: {share}")
        row = table(told, "summary")["years"] # A and B are drawn, what is moved besides is not
        of_summary = row["simulation_share"]
        check(near(of_summary, share) if worlds == "independent" else numpy.isnan(of_summary), f"its share: {row}")
        check(row["draws"] == 128 and near([row["mean"], row["sd"]], [y[ab].mean(), y[ab].std(ddof=1)]), f"draws: {row}")
        for g, group in enumerate(sample.factors):
            moved = y[(sample.part == 3) & (sample.factor == g)]
            total = ((a - moved) ** 2).mean() / 2 / (y[ab].var(ddof=1) - noise)
            row = table(told, "sobol/years")[group]
            check(abs(row["total"] - total) < 0.02 * total + 1e-9, f"{worlds}, {group}: {row}, must be {total}")
        (note,) = [line for line in told["sheets"]["sobol/years"]["notes"] if line.startswith("variance ")]
        check(f"of which {100 * share:.2g} %" in note, f"which is said: {note}, {share}")
        sweep(path, stem, "--shard", "2/2")
        expect(1, "merge its shards first", "analyse", stem + ".shard-0002-of-0002.h5")
    study = write_study(os.path.join(folder, "same.yaml"), path_of("chain"),
                        {"method": "sobol", "draws": 4, "vary": dict.fromkeys(["interest", "taken"]), "randomness": "common",
                         "figures": {"late": {"outcome": "late", "arm": "care", "against": "none"}}}, seed=3)
    sweep(study, stem := os.path.join(folder, "same"))
    said = expect(0, "", "analyse", stem + ".h5").stdout
    check("the outcome is the same at all points" in said and "inf" not in said and "nan" not in said, said)


# ---- points without figures ------------------------------------------------------------------------------------------

def test_missing(folder):
    figures = {"years": {"outcome": "years", "arm": "none", "per": "person"}, "spell": {"outcome": "age_free", "arm": "none"}}
    stem = os.path.join(folder, "missing")
    body = {"method": "probabilistic", "draws": 60, "batches": 4, "randomness": "common",
            "vary": {"mend": {"distribution": {"discrete": {0.4: 0.5, 0.999999: 0.3, 1e-9: 0.2}}}, "fall": None, "leave": None},
            "figures": figures}
    path = write_study(os.path.join(folder, "missing.yaml"), path_of("doubt"), body, seed=4)
    sweep(path, stem)
    told, sample = analyse(stem + ".h5", "--csv", stem + ".csv"), Sample(stem + ".h5")
    mend = sample.x[:, sample.quantities.index("mend")]
    n, n_none, years = (mend == 0.999999).sum(), (mend == 1e-9).sum(), sample.y[:, 0]
    check(n > 5 and n_none > 5, f"there are some of each: {n}, {n_none}")
    check(f"{n} of 60 points have no meaning and no figures: what they are part of is left out\n" in told["marks"] and
          f"spell is no number at {n_none} points more" in told["marks"], f"marks: {told['marks']}")
    check((numpy.isnan(years) == (mend == 0.999999)).all(), "points without a meaning are nan")
    kept = ~numpy.isnan(years)
    row = table(told, "summary")["years"]
    check(row["draws"] == 60 - n and near(row["mean"], years[kept].mean()) and near(row["sd"], years[kept].std(ddof=1)) and
          near(row["q975"], numpy.quantile(years[kept], 0.975)), f"the summary is of the others: {row}")
    hold_regression(told, "years", sample.x[kept], years[kept], sample.quantities)
    check(table(told, "summary")["spell"]["draws"] == 60 - n - n_none, "each figure of its own")
    check(columns_of(stem + ".csv")["years"].tolist() == years.tolist() or
          near(columns_of(stem + ".csv")["years"], years), "the values too")
    check(f"! {n} of 60 points have no meaning" in expect(0, "", "analyse", stem + ".h5").stdout, "people are told")

    for name, method, change in (
            ("few", "probabilistic", {"draws": 4}), ("rows", "sobol", {"draws": 8}), ("steps", "morris", {"trajectories": 6})):
        own = {**body, "method": method, **change}
        if method != "probabilistic":
            del own["draws"]
            own.update(change)
        path, stem = write_study(os.path.join(folder, name + ".yaml"), path_of("doubt"), own, seed=4), os.path.join(folder, name)
        sweep(path, stem)
        told, sample = analyse(stem + ".h5"), Sample(stem + ".h5")
        lost = int(numpy.isnan(sample.y[:, 0]).sum())
        check(lost > 0 and f"{lost} of {len(sample.y)} points have no meaning" in told["marks"], f"{name}: {told['marks']}")
        if method == "sobol":
            rows = len(set(sample.row[numpy.isnan(sample.y[:, 0])]))
            check(f"! {rows} rows have a point without a meaning and are left out" in told["sheets"]["sobol/years"]["notes"],
                  f"which is said: {told['sheets']['sobol/years']['notes']}")
        elif method == "morris":
            y, starts = sample.y[:, 0], sample.part == 5
            for g, factor in enumerate(sample.factors):
                steps = numpy.flatnonzero(sample.factor == g)
                effects = (y[steps] - y[steps - 1]) / 0.5
                effects = effects[~numpy.isnan(effects)]
                row = table(told, "morris/years")[factor]
                check(row["n"] == len(effects) and near(row["mu_star"], abs(effects).mean() if len(effects) else math.nan),
                      f"{factor}: {row}, {effects}")
        else:
            check("regression/years" not in told["sheets"] and "too few for a regression on 3 numbers" in told["marks"],
                  f"too few are said to be: {told['marks']}")
    decision = {"options": ["none", "care"], "effect": {"years": 1}, "cost": {"services": 1}, "thresholds": [100]}
    path = write_study(os.path.join(folder, "lone.yaml"), path_of("doubt"),
                       {**body, "draws": 12, "vary": {"mend": {"distribution": {"discrete": {0.4: 0.02, 0.999999: 0.98}}}}},
                       seed=12, decision=decision)
    stem = os.path.join(folder, "lone")
    for seed in range(30): # one draw that has a meaning
        text = read(path).decode()
        write(path, text.replace(text.splitlines()[3], f"seed: {seed}"))
        expect(0, "", "sweep", "--design", stem + ".csv", path)
        if (columns_of(stem + ".csv")["mend"] == 0.4).sum() == 1:
            break
    sweep(path, stem)
    told = analyse(stem + ".h5")
    check("1 draws have all figures of the decision: nothing can be told of it" in told["marks"] and
          "decision/options" not in told["sheets"] and table(told, "summary")["years"]["draws"] == 1,
          f"one draw is no decision: {told['marks']}")
    grid = os.path.join(folder, "doubt")
    sweep(path_of("doubt_grid"), grid)
    told = analyse(grid + ".h5")
    check("years has no figure at 3 points of the grid: no shares of its variance" in told["marks"], told["marks"])


# ---- files -----------------------------------------------------------------------------------------------------------

def test_files(folder, draws, ways, known):
    """xarray opens every group, and JSON, HDF5 and the table say the same."""
    for stem in (draws, ways):
        told = analyse(stem + ".h5")
        with h5py.File(stem + ".h5", "r") as file:
            groups = [name for name, item in file.items() if isinstance(item, h5py.Group)]
            digest = file.attrs["digest"].decode()
        for group in groups:
            with xarray.open_dataset(stem + ".h5", engine="h5netcdf", group=group) as data:
                check(len(data.variables) > 0 and all(v.attrs.get("long_name") for v in data.variables.values()
                                                      if v.ndim > 0), f"{group}: {data}")
        with xarray.open_dataset(stem + ".h5", engine="h5netcdf", group="points") as points:
            check(points["y"].dims == ("point", "figure") and points["x"].dims == ("point", "quantity"), "dimensions")
        with xarray.open_dataset(stem + ".analysis.h5", engine="h5netcdf", group="/") as root:
            check(root.attrs["sample_digest"] == digest == told["digest"] and root.attrs["marks"] == told["marks"] and
                  root.attrs["analysed"] == told["study"] and root.attrs["title"] == told["title"], f"root: {root.attrs}")
        for name, sheet in told["sheets"].items():
            with xarray.open_dataset(stem + ".analysis.h5", engine="h5netcdf", group=name) as data:
                check(list(data[sheet["of_rows"]].values) == sheet["rows"], f"rows of {name}")
                check(set(data.data_vars) == set(sheet["columns"]), f"columns of {name}: {list(data.data_vars)}")
                for column, values in sheet["columns"].items():
                    check(near(data[column].values, [math.nan if v is None else v for v in values], 1e-15),
                          f"{column} of {name}: {data[column].values}, {values}")
                check(data.attrs["title"] == sheet["title"] and data.attrs["notes"].splitlines() == sheet["notes"], name)
        first, again = read(stem + ".analysis.h5"), analyse(stem + ".h5")
        check(again == told and read(stem + ".analysis.h5") == first, "again the same bytes")
        text = expect(0, "", "analyse", stem + ".h5", "--rows", "0").stdout
        for name, sheet in told["sheets"].items():
            if name.startswith("regression/net_benefit"):  # in files alone
                check(sheet["title"] not in text, f"not told: {sheet['title']}")
                continue
            check(sheet["title"] in text and all(note in text for note in sheet["notes"]), f"told: {sheet['title']}")
            column, values = list(sheet["columns"].items())[0]
            check(values[0] is None or f"{values[0]:.4g}" in text or f"{values[0]:.0f}" in text, f"{column}: {values[0]}")
        check("The documents themselves warn:\nthe chain warns of itself\n" in text, "and warnings")
        check(told["documents_warn"].strip() == "the chain warns of itself", "in JSON too")
    other = os.path.join(folder, "elsewhere")
    expect(0, f"{other}.analysis.h5 written", "analyse", draws + ".h5", "-o", other)
    check(read(other + ".analysis.h5") == read(draws + ".analysis.h5"), "elsewhere too")
    for text in (b"dear diary\n", read(draws + ".h5")):
        with open(other + ".analysis.h5", "wb") as file:
            file.write(text)
        done = expect(1, "is there and is no analysis: not overwritten", "analyse", draws + ".h5", "-o", other)
        check(read(other + ".analysis.h5") == text and done.stdout == "", "nothing else is overwritten")
    expect(1, "holds no points of a sweep", "analyse", draws + ".analysis.h5")
    for options, text in ((["--threshold", "-1"], "expected euros"), (["--threshold", "x"], "expected euros"),
                          (["--resamples", "1"], "from 2 to"), (["--rows", "-1"], "from 0 to")):
        expect(2, text, "analyse", *options, draws + ".h5")
    shard = sweep(path_of("chain_draws"), os.path.join(folder, "part"), "--shard", "2/3")[0]["output"]
    check("only 20 of 60 points of the design are here" in analyse(shard)["marks"], "a part is said to be one")


def test_wrong_outputs(folder):
    """Points of another program that are not what they must be."""
    study, y = os.path.join(GOOD, "sweep_outside.yaml"), os.path.join(folder, "wrong.csv")
    design, stem = os.path.join(folder, "wrong_design.csv"), os.path.join(folder, "wrong")
    expect(0, "30 points written", "sweep", "--design", design, study)
    rows = [[i, 0.5 * i, i * i % 7] for i in range(30)]

    def text(changed, header=("point", "first", "second")):
        return "\n".join(",".join(map(str, row)) for row in [list(header), *changed]) + "\n"

    def changed(i, k, value):
        return [[value if (i, k) == (a, b) else v for b, v in enumerate(row)] for a, row in enumerate(rows)]

    write(y, text(rows))
    expect(0, "wrong.analysis.h5 written", "analyse", "--outputs", y, "-o", stem, study)
    os.remove(stem + ".analysis.h5")
    swapped = rows[:]
    swapped[4], swapped[5] = swapped[5], swapped[4]
    for content, message in (
            (text(rows[:-1]), "29 rows follow, expected one for each of the 30 points"),
            (text(rows + rows[:1]), "31 rows follow"),
            (text(rows, ("point", "first", "other")), "second"),
            (text(swapped), "is point 5, expected 4: rows are in the order of points"),
            (text(changed(3, 0, "x")), "wrong.csv:5"), (text(changed(3, 1, "nan")), "wrong.csv:5"),
            (text(changed(3, 1, "inf")), "wrong.csv:5"), (text(changed(3, 2, "")), "wrong.csv:5"),
            (text(changed(3, 2, "1.2.3")), "wrong.csv:5"), (text(changed(3, 2, "1,5")), "wrong.csv:5"),
            ("", "wrong.csv"), ("point,first,second\n", "the table has a header and no rows")):
        write(y, content)
        done = expect(1, message, "analyse", "--outputs", y, "-o", stem, study)
        check(not os.path.exists(stem + ".analysis.h5") and done.stdout == "", f"nothing is written: {message}")
    write(y, text([row[1:] for row in rows], ("first", "second")))
    expect(0, "", "analyse", "--outputs", y, "-o", stem, study) # without point rows are taken in order
    write(y, text([[row[2], row[1]] for row in rows], ("second", "first")))
    first = read(stem + ".analysis.h5")
    expect(0, "", "analyse", "--outputs", y, "-o", stem, study)
    check(read(stem + ".analysis.h5") == first, "columns by name")
    write(y, text(rows[:20]))
    expect(1, "20 rows follow", "analyse", "--outputs", y, "-o", stem, study)
    expect(0, "", "analyse", "--outputs", y, "--draws", "20", "-o", stem, study)
    expect(3, "nowhere.csv: cannot open", "analyse", "--outputs", os.path.join(folder, "nowhere.csv"), study)
    write(y, text([[i, 3, 0.1] for i in range(30)])) # constant outcomes have no shares, whatever the rounding of a mean
    told = json.loads(expect(0, "", "analyse", "--outputs", y, "--json", "-o", stem, study).stdout)
    for name in ("first", "second"):
        check(set(told["sheets"]["regression/" + name]["columns"]["src"]) == {None}, f"of {name}: {told['sheets']}")
    said = expect(0, "", "analyse", "--outputs", y, "-o", stem, study).stdout
    check(said.count("the outcome is the same at all points: there are no shares\n") == 2 and "nan" not in said, said)
    check("of a model that is not ours" in said and "replications" not in said, f"nothing is told of our worlds: {said}")
    check(told["sheets"]["summary"]["columns"]["sd"] == [0, 0] and
          told["sheets"]["summary"]["columns"]["simulation_share"] == [None, None] and
          set(told["sheets"]["regression/first"]["columns"]["src"]) == {None}, f"nothing varies: {told['sheets']}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        draws = test_draws(folder)
        test_choice(folder)
        test_information(folder)
        ways = test_one_way(folder)
        test_grids(folder)
        test_morris(folder)
        known = test_known(folder)
        test_noise(folder)
        test_missing(folder)
        test_files(folder, draws, ways, known)
        test_wrong_outputs(folder)
    finish()


if __name__ == "__main__":
    main()
