#!/usr/bin/python3
"""The reference model in numpy, vectorised over people, to measure polku against: base_numpy.py PEOPLE

Every step moves everybody who is still alive and before 40 years by one transition. Person-years are by state, without
months, and occupancy only at 40: numpy does less here than polku does. Prints transitions, CPU seconds without
the imports, and mean person-years by state."""
import sys
import time

import numpy

NAMES = ["unemployed", "coaching", "employed", "rehab", "pension", "dead"]
RATES = numpy.array([
    [0.00, 0.30, 0.25, 0.08, 0.02, 0.004],
    [0.90, 0.00, 0.50, 0.05, 0.00, 0.004],
    [0.20, 0.00, 0.00, 0.01, 0.00, 0.004],
    [0.15, 0.00, 0.04, 0.00, 0.35, 0.004],
    [0.00, 0.00, 0.005, 0.00, 0.00, 0.004],
])
HORIZON = 40.0
BLOCK = 65536  # fits the cache; everybody at once is slower


def live(rng, people, years, at_horizon):
    mean = 1 / RATES.sum(axis=1)
    bounds = numpy.cumsum(RATES, axis=1)
    bounds /= bounds[:, -1:]
    bounds[:, -1] = 1
    state = numpy.zeros(people, dtype=numpy.intp)
    time = numpy.zeros(people)
    transitions = 0
    while state.size:
        following = time + rng.standard_exponential(state.size) * mean[state]
        leaves = following >= HORIZON
        years += numpy.bincount(state, numpy.minimum(following, HORIZON) - time, minlength=6)
        at_horizon += numpy.bincount(state[leaves], minlength=6)
        stays = ~leaves
        state, time = state[stays], following[stays]
        u = rng.random(state.size)
        to = numpy.zeros(state.size, dtype=numpy.intp)
        for column in range(5):
            to += u >= bounds[state, column]
        transitions += state.size
        dead = to == 5
        years[5] += (HORIZON - time[dead]).sum()
        at_horizon[5] += dead.sum()
        state, time = to[~dead], time[~dead]
    return transitions


def main():
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
    began = time.process_time()
    rng = numpy.random.Generator(numpy.random.SFC64(20210101))
    years, at_horizon, transitions = numpy.zeros(6), numpy.zeros(6, dtype=numpy.int64), 0
    for first in range(0, people, BLOCK):
        transitions += live(rng, min(BLOCK, people - first), years, at_horizon)
    print(f"transitions {transitions}")
    print(f"cpu_seconds {time.process_time() - began}")
    for s, name in enumerate(NAMES):
        print(f"{name} {years[s] / people:.5f} years, {at_horizon[s] / people:.5f} at 40")


main()
