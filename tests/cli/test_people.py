#!/usr/bin/python3
"""People who flow in, come from tables or are drawn together: the same result for any threads and blocks, from the
result file alone when every input is gone, and from HDF5 as from comma-separated values.
"""
import csv
import os
import shutil
import sys
import tempfile

import h5py
import numpy

sys.dont_write_bytecode = True
from checks import GOOD, check, expect, finish, polku


def digest(path):
    with h5py.File(path) as file:
        found = file["host"].attrs.get("digest") if "digest" in file["host"].attrs else file["host/digest"][()]
    return found.decode() if isinstance(found, bytes) else str(found)


def run(scenario, output, *options):
    done = polku("run", scenario, "-o", output, *options)
    check(done.returncode == 0, f"run {scenario}: {done.stderr}")
    return digest(output) if done.returncode == 0 else None


def write_hdf5(table, path, texts):
    """As h5py writes by default, or as other programs do."""
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with h5py.File(path, "w") as file:
        for name in rows[0]:
            values = [row[name] for row in rows]
            if name in ("age", "time_in_state", "weight"):
                file[name] = numpy.array(values, dtype=float)
            elif texts == "variable":
                file[name] = values
            elif texts == "fixed":
                file[name] = numpy.array(values, dtype="S")
            else:
                meanings = sorted(set(values))
                file[name] = numpy.array([meanings.index(value) for value in values], dtype="i2")
                file[name].attrs["flag_values"] = numpy.arange(len(meanings), dtype="i4")
                file[name].attrs["flag_meanings"] = " ".join(meanings)


def occupancy(path):
    with h5py.File(path) as file:
        return {name: file["occupancy"][name][()].tolist() for name in ("occupancy", "occupancy_se")}


def test_quota(folder):
    """Exactly a share of the group: of 137 people of 500 in a group, of rows that stand for 4.5 people each."""
    with open(os.path.join(folder, "rows.csv"), "w", encoding="utf-8") as file:
        file.write("state,sex,region,diagnosis,age,weight\n")
        file.writelines(f"idle,{'woman' if k < 137 else 'man'},south,none,40,4.5\n" for k in range(500))
    with open(os.path.join(GOOD, "imported.yaml"), encoding="utf-8") as file:
        text = file.read()
    text = (text[:text.index("population:")].replace("mortality.yaml", os.path.join(GOOD, "mortality.yaml")) +
            "population: {people: rows.csv}\n"
            "arms:\n  none: {}\n  all: {enrol: [{service: helper, quota: 0.35}]}\n"
            "  women: {enrol: [{service: helper, quota: 0.35, among: {sex: woman}}]}\n"
            "  few: {enrol: [{service: helper, quota: 0.0001}]}\n" + text[text.index("tables:"):])
    scenario, result = os.path.join(folder, "quota.yaml"), os.path.join(folder, "quota.h5")
    with open(scenario, "w", encoding="utf-8") as file:
        file.write(text)
    run(scenario, result)
    with h5py.File(result) as file:
        enrolled = list(file["arms/enrolled"][:])
    check(enrolled == [0, 4.5 * 175, 4.5 * 48, 0], f"quotas are exact, to the nearest whole row: {enrolled}")
    done = polku("verify", "--brief", "-r", "64", scenario)
    check(done.returncode == 0 and "agree" in done.stdout, f"those in a quota are verified: {done.stdout} {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in ("open", "imported"):
            own = os.path.join(folder, name)
            shutil.copytree(GOOD, own)
            scenario, result = os.path.join(own, name + ".yaml"), os.path.join(folder, name + ".h5")
            first = run(scenario, result)
            for threads, block in ((1, 4096), (2, 1), (7, 13)):
                again = run(scenario, os.path.join(folder, "again.h5"), "-t", threads, "--block", block)
                check(again == first, f"{name}: {threads} threads and blocks of {block} give another digest")
            shutil.rmtree(own)
            expect(0, "", "rerun", result)

        people = os.path.join(folder, "people")
        shutil.copytree(GOOD, people)
        from_csv = run(os.path.join(people, "imported.yaml"), os.path.join(folder, "csv.h5"))
        for texts in ("variable", "fixed", "flags"):
            write_hdf5(os.path.join(people, "people.csv"), os.path.join(people, "people.h5"), texts)
            with open(os.path.join(people, "imported.yaml"), encoding="utf-8") as file:
                text = file.read().replace("people.csv", "people.h5")
            with open(os.path.join(people, "from_hdf5.yaml"), "w", encoding="utf-8") as file:
                file.write(text)
            from_hdf5 = run(os.path.join(people, "from_hdf5.yaml"), os.path.join(folder, "hdf5.h5"))
            check(from_hdf5 != from_csv, "the digest says where people come from")
            check(occupancy(os.path.join(folder, "hdf5.h5")) == occupancy(os.path.join(folder, "csv.h5")),
                  f"HDF5 with texts as {texts} gives the people of the CSV")
            os.remove(os.path.join(people, "people.h5"))
            expect(0, "", "rerun", os.path.join(folder, "hdf5.h5"))
            expect(1, "people.h5: cannot open the file", "check", os.path.join(people, "from_hdf5.yaml"))
        expect(1, "the people come from a table", "run", os.path.join(people, "imported.yaml"), "--people", 7, "-o",
               os.path.join(folder, "none.h5"))
        check(not os.path.exists(os.path.join(folder, "none.h5")), "nothing is written")
    with tempfile.TemporaryDirectory() as folder:
        test_quota(folder)
    finish()


if __name__ == "__main__":
    main()
