#!/usr/bin/python3
"""Draws a calibration: calibration.py [outputs/kuntoutustuki_fit.h5 [PICTURE.png]]

Left: targets, wanted and reached. Middle: how much worse the targets are met when a parameter is held elsewhere (its
profile likelihood; the line is the 95 % limit). Right: pairs of the sample, for the parameters that go most together.
Needs python3-h5py and python3-matplotlib."""
import pathlib
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLOURS = pyplot.rcParams["axes.prop_cycle"].by_key()["color"]
LIMIT = 3.841


def texts(dataset):
    return [t.decode() for t in dataset[:]]


def targets(axes, table):
    names, misfit = texts(table["target"]), table["misfit"][:]
    rows = numpy.arange(len(names))[::-1]
    axes.barh(rows, misfit, color=["#b03a2e" if abs(m) > 1.96 else "#9db9d9" for m in misfit], height=0.5)
    for row, name, wanted, reached in zip(rows, names, table["wanted"][:], table["reached"][:]):
        axes.annotate(f"{name}: wanted {wanted:.4g}, reached {reached:.4g}", (0, row), (0, 13),
                      textcoords="offset points", ha="center", fontsize=8)
    reach = max(2.2, 1.1 * numpy.abs(misfit).max())
    axes.set(xlim=(-reach, reach), ylim=(-0.6, len(names) - 0.3), yticks=[], xlabel="misfit in standard errors")
    axes.axvline(0, color="black", linewidth=0.8)
    for side in (-1.96, 1.96):
        axes.axvline(side, color="black", linewidth=0.8, linestyle=":")
    axes.set_title("Targets", fontsize=10, loc="left")


def profiles(axes, table):
    low, high = table["lower_bound"][:], table["upper_bound"][:]
    for i, name in enumerate(texts(table["parameter"])):
        at, excess = table["profile_at"][i], table["profile_excess"][i]
        known = ~numpy.isnan(at)
        log = low[i] > 0
        place = numpy.log(at[known] / low[i]) / numpy.log(high[i] / low[i]) if log else (at[known] - low[i]) / (high[i] - low[i])
        axes.plot(place, excess[known], color=COLOURS[i % 10], label=f"{name} ({low[i]:g} to {high[i]:g})")
    axes.axhline(LIMIT, color="black", linewidth=0.8)
    axes.set(ylim=(0, 8), xlim=(0, 1), xticks=[0, 1], xticklabels=["lower bound", "upper bound"],
             ylabel="deviance over the least")
    axes.legend(frameon=False, fontsize=7, loc="upper center")
    axes.set_title("Profile likelihoods: flat is not known", fontsize=10, loc="left")


def pairs(figure, place, file, n=3):
    table = file["parameters"]
    names, correlation = texts(table["parameter"]), numpy.abs(table["correlation"][:])
    chosen = sorted(numpy.argsort(-(correlation.sum(axis=0)))[:n])
    if len(chosen) < 2:
        return
    grid = place.subgridspec(len(chosen) - 1, len(chosen) - 1, wspace=0.08, hspace=0.08)
    for row in range(1, len(chosen)):
        for column in range(row):
            axes = figure.add_subplot(grid[row - 1, column])
            x, y = names[chosen[column]], names[chosen[row]]
            axes.plot(file["sample"][x][:], file["sample"][y][:], ".", markersize=2, color="#1f5fa8", alpha=0.5)
            for which, i in (("x", chosen[column]), ("y", chosen[row])):
                if table["lower_bound"][i] > 0:
                    axes.set(**{f"{which}scale": "log"})
                    getattr(axes, f"{which}axis").set_minor_formatter(matplotlib.ticker.NullFormatter())
            axes.tick_params(labelsize=6)
            if row == len(chosen) - 1:
                axes.set_xlabel(x, fontsize=7)
            else:
                axes.set_xticklabels([])
            if column == 0:
                axes.set_ylabel(y, fontsize=7)
            else:
                axes.set_yticklabels([])
            if row == 1:
                axes.set_title("Pairs of the sample", fontsize=10, loc="left")


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else ROOT / "outputs/kuntoutustuki_fit.h5"
    picture = sys.argv[2] if len(sys.argv) > 2 else ROOT / "notebooks/kuntoutustuki-fit.png"
    figure = pyplot.figure(figsize=(14, 4.6), constrained_layout=True)
    places = figure.add_gridspec(1, 3, width_ratios=[1, 1.2, 1.2])
    left, middle = figure.add_subplot(places[0]), figure.add_subplot(places[1])
    with h5py.File(source, "r") as file:
        targets(left, file["targets"])
        profiles(middle, file["parameters"])
        pairs(figure, places[2], file)
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=100, metadata={"Software": None})
    print(picture)


main()
