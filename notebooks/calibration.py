#!/usr/bin/python3
"""Draws a calibration: calibration.py [outputs/kuntoutustuki_fit.h5 [PICTURE.png]]

Above: targets, wanted and reached, and the pairs of parameters that go most together in the sample. Below: how much
worse the targets are met when a parameter is held elsewhere and all others are refitted (its profile likelihood; the
dashed line is the 95 % limit, the grey band holds 95 % of the sample). A flat line is a parameter that is not known.
Needs python3-h5py and python3-matplotlib."""
import pathlib
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIMIT = 3.841


def texts(dataset):
    return [t.decode() for t in dataset[:]]


def targets(axes, table):
    names, misfit = texts(table["target"]), table["misfit"][:]
    rows = numpy.arange(len(names))[::-1]
    axes.axvspan(-1.96, 1.96, color="#eeeeee", linewidth=0)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.plot(misfit, rows, "o", color="#1f5fa8", markersize=6)
    labels = [f"{name}\nwanted {wanted:.3g}, reached {reached:.3g}"
              for name, wanted, reached in zip(names, table["wanted"][:], table["reached"][:])]
    reach = max(2.4, 1.1 * numpy.abs(misfit).max())
    axes.set(xlim=(-reach, reach), ylim=(-0.6, len(names) - 0.4), xlabel="misfit in standard errors (grey: within 95 %)")
    axes.set_yticks(rows, labels, fontsize=8)
    axes.set_title("Targets", fontsize=10, loc="left")


def scaled(axes, which, low):
    if low <= 0:
        return
    axes.set(**{f"{which}scale": "log"})
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1, 2, 5), numticks=4))
    axis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
    axis.set_minor_locator(matplotlib.ticker.NullLocator())


def profiles(figure, place, table):
    names = texts(table["parameter"])
    columns = min(len(names), 6)
    grid = place.subgridspec(-(-len(names) // columns), columns)
    for i, name in enumerate(names):
        axes = figure.add_subplot(grid[i // columns, i % columns])
        low, high = table["lower_bound"][i], table["upper_bound"][i]
        at, excess = table["profile_at"][i], table["profile_excess"][i]
        known = ~numpy.isnan(at)
        axes.axvspan(table["q025"][i], table["q975"][i], color="#dddddd", linewidth=0)
        axes.plot(at[known], excess[known], color="#1f5fa8")
        axes.axhline(LIMIT, color="black", linewidth=0.8, linestyle="--")
        scaled(axes, "x", low)
        axes.set(xlim=(low, high), ylim=(-0.15, 8))
        axes.tick_params(labelsize=7)
        axes.set_title(name, fontsize=8)
        if i % columns == 0:
            axes.set_ylabel("deviance over the least", fontsize=8)


def pairs(figure, place, file, n=4):
    table = file["parameters"]
    names, correlation = texts(table["parameter"]), table["correlation"][:]
    together = [(-abs(correlation[row, column]), row, column) for row in range(len(names)) for column in range(row)]
    chosen = sorted(together)[:n]
    if not chosen:
        return
    grid = place.subgridspec(1, len(chosen))
    for k, (_, row, column) in enumerate(chosen):
        axes = figure.add_subplot(grid[0, k])
        axes.plot(file["sample"][names[column]][:], file["sample"][names[row]][:], ".", markersize=2, color="#1f5fa8", alpha=0.4)
        scaled(axes, "x", table["lower_bound"][column])
        scaled(axes, "y", table["lower_bound"][row])
        axes.tick_params(labelsize=7)
        axes.set_xlabel(names[column], fontsize=8)
        axes.set_ylabel(names[row], fontsize=8)
        axes.set_title(f"correlation {correlation[row, column]:.2f}", fontsize=8)


def main():
    source = sys.argv[1] if len(sys.argv) > 1 else ROOT / "outputs/kuntoutustuki_fit.h5"
    picture = sys.argv[2] if len(sys.argv) > 2 else ROOT / "notebooks/kuntoutustuki-fit.png"
    with h5py.File(source, "r") as file:
        n_rows = -(-len(file["parameters/parameter"]) // 6)
        figure = pyplot.figure(figsize=(14, 3.4 + 2.6 * n_rows), constrained_layout=True)
        above, below = figure.add_gridspec(2, 1, height_ratios=[1, n_rows])
        left, right = above.subgridspec(1, 2, width_ratios=[1, 3])
        targets(figure.add_subplot(left), file["targets"])
        pairs(figure, right, file)
        profiles(figure, below, file["parameters"])
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, dpi=100, metadata={"Software": None})
    print(picture)


main()
