#!/usr/bin/python3
"""Draws notebooks/ips-vs-typ.png from a result file: figure.py [outputs/ips-vs-typ.h5 [PICTURE.png]]

Left: how many of the 700 enrolled are in work, by arm. Right: which input moves the difference between IPS and TYP,
each input moved alone to the ends of its range. Needs python3-h5py and python3-matplotlib."""
import pathlib
import sys

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTCOME = "employed_years_0_10y"
COLOURS = {"none": "#777777", "typ": "#d08a1d", "ips": "#1f5fa8"}


def texts(dataset):
    return [t.decode() for t in dataset[:]]


def employed(axes, file):
    table = file["enrolled_1/occupancy"]
    time, i_state = table["time"][:], texts(table["state"]).index("employed")
    labels = dict(zip(texts(file["arms/arm"]), texts(file["arms/label_en"])))
    for i_arm, arm in enumerate(texts(table["arm"])):
        mean, error = table["occupancy"][i_arm, i_state], table["occupancy_se"][i_arm, i_state]
        axes.fill_between(time, mean - 1.96 * error, mean + 1.96 * error, color=COLOURS.get(arm), alpha=0.3, linewidth=0)
        axes.plot(time, mean, color=COLOURS.get(arm), label=labels[arm])
    axes.set(xlabel="years since enrolment", ylabel="persons in work, of 700 enrolled", xlim=(0, 20), ylim=(0, None), xticks=range(0, 21, 5))
    axes.legend(frameon=False)
    axes.set_title("In work (band: 95 % simulation error)", fontsize=10, loc="left")


def decides(axes, file):
    arms, outcomes = texts(file["arms/arm"]), texts(file["outcomes/outcome"])
    ips, typ, i_outcome = arms.index("ips"), arms.index("typ"), outcomes.index(OUTCOME)
    value, persons = file["outcomes/value"][1, :, :, i_outcome], file["outcomes/persons"][1]
    main = 700 * (value[:, ips] - value[:, typ]).sum() / persons.sum()
    variants = file["variants"]
    ends = {}
    for i, topic in enumerate(texts(variants["topic"])):
        if topic == "range":
            name, _, to = variants["changed"][i].decode().partition(" = ")
            value, persons = variants["value"][i, :, :, i_outcome], variants["persons"][i]
            ends.setdefault(name, []).append(
                (700 * (value[:, ips] - value[:, typ]).sum() / persons.sum(), to.split(" ")[0]))
    widest = sorted(ends, key=lambda name: -max(abs(v - main) for v, _ in ends[name]))[:7][::-1]
    for row, name in enumerate(widest):
        values = [v for v, _ in ends[name]] + [main]
        axes.barh(row, max(values) - min(values), left=min(values), color="#9db9d9", height=0.6)
        for v, to in ends[name]:
            axes.annotate(to, (v, row), (-4 if v < main else 4, 0), textcoords="offset points", va="center",
                          ha="right" if v < main else "left", fontsize=8)
    axes.axvline(main, color="black", linewidth=0.8)
    low, high = axes.get_xlim()
    axes.set_xlim(low - 0.06 * (high - low), high + 0.06 * (high - low))
    axes.set_yticks(range(len(widest)), widest, fontsize=8)
    axes.set_xlabel("person-years in work over 10 years, IPS minus TYP, per 700")
    axes.set_title("What decides: each input alone to the ends of its range", fontsize=10, loc="left")


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else ROOT / "outputs/ips-vs-typ.h5"
    picture = sys.argv[2] if len(sys.argv) > 2 else ROOT / "notebooks/ips-vs-typ.png"
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.4), constrained_layout=True)
    with h5py.File(source, "r") as file:
        employed(left, file)
        decides(right, file)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=110, metadata={"Software": None})
    print(picture)


main()
