#!/usr/bin/python3
"""Old age by date of birth: everybody leaves at the age that the table has for them, with any instructions.

Ages at the start are given, so that the time of leaving is known: the table's age and the shift, less the age.
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
import h5py
from checks import GOOD, check, expect, finish

START, HORIZON = 2015.0, 12.0
TABLE = [(0, 63), (1955, 63.25), (1956, 63.5), (1958.5, 64)]
TICK = 1 / 12 / 2 ** 20


def leaves(age, shift):
    born = START - age
    value = [value for year, value in TABLE if born >= year][-1]
    return max(value + shift - age, 0)


def main():
    ages = [48 + k / 8 for k in range(0, 8 * 17 + 1)]  # eighths of a year: some were born on the very dates
    with tempfile.TemporaryDirectory() as folder:
        scenario = open(os.path.join(GOOD, "births.yaml"), encoding="utf-8").read()
        before, _, rest = scenario.partition("population:")
        model = os.path.join(GOOD, "births_model.yaml")
        scenario = (before.replace("births_model.yaml", model) + "population: {people: people.csv}\n" +
                    rest[rest.index("arms:"):])
        with open(os.path.join(folder, "births.yaml"), "w", encoding="utf-8") as file:
            file.write(scenario)
        with open(os.path.join(folder, "people.csv"), "w", encoding="utf-8") as file:
            file.write("state,age\n" + "".join(f"{'work' if k % 2 else 'idle'},{age}\n" for k, age in enumerate(ages)))
        for shift in (0, -1.5, 0.75):
            digests = set()
            for vectors in ("none", "plain", "auto"):
                result = os.path.join(folder, f"{vectors}{shift}.h5")
                done = expect(0, "", "run", "births.yaml", "--vectors", vectors, "--set", f"later={shift}", "-o", result,
                              cwd=folder)
                digests.add(done.stdout[done.stdout.index("digest:"):])
                with h5py.File(result) as file:
                    log = file["events"]
                    left = {int(i): stop for i, to, stop, status in zip(log["id"][:], log["to"][:], log["tstop"][:],
                                                                     log["status"][:]) if status and to == b"old"}
                wanted = {k: leaves(age, shift) for k, age in enumerate(ages) if leaves(age, shift) <= HORIZON}
                check(left.keys() == wanted.keys(), f"who leaves by {vectors}: {sorted(left.keys() ^ wanted.keys())}")
                wrong = [(ages[k], left[k], wanted[k]) for k in left if abs(left[k] - wanted[k]) > 2 * TICK]
                check(not wrong and len(left) > 80, f"all leave in time by {vectors}, shifted by {shift}: {wrong[:5]}")
            check(len(digests) == 1, f"one digest for all instructions: {digests}")
    done = expect(0, "", "verify", os.path.join(GOOD, "births.yaml"), "--brief", "--set", "later=0.5")
    check("simulation and twin agree" in done.stdout, f"the twin knows dates of birth: {done.stdout}")
    finish()


main()
