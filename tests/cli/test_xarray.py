#!/usr/bin/python3
"""A results file opens in xarray without us: test_xarray.py RESULTS.h5

For every group that holds datasets: it opens with the h5netcdf engine, every variable has a long_name, every
dimension has its axis (no phony_dim), and texts are str. Last line: "N passed, M failed"; exit 1 on any failure.
"""
import sys
import warnings

import h5py
import numpy
import xarray

n_passed = n_failed = 0


def check(good, what):
    global n_passed, n_failed
    if good:
        n_passed += 1
    else:
        n_failed += 1
        print("FAILED:", what)


def groups_with_datasets(path):
    found = set()

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found.add("/" + name.rpartition("/")[0])

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return sorted(found)


def check_group(path, group):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with xarray.open_dataset(path, engine="h5netcdf", group=group) as dataset:
                dataset.load()
    except Exception as problem:  # whatever the library raises is the finding
        check(False, f"{group} opens: {type(problem).__name__}: {problem}")
        return
    check(True, f"{group} opens")
    check(len(dataset.variables) > 0, f"{group} has variables")
    for dim in dataset.dims:
        check(not str(dim).startswith("phony_dim"), f"{group}: dimension {dim} has a name")
        check(dim in dataset.coords, f"{group}: dimension {dim} has an axis")
    for name, variable in dataset.variables.items():
        where = f"{group}/{name}".replace("//", "/")
        long_name = variable.attrs.get("long_name")
        check(isinstance(long_name, str) and long_name != "", f"{where} has a long_name")
        check(isinstance(variable.attrs.get("units", ""), str), f"{where}: units are a text")
        check(variable.dtype.kind in "iufOU", f"{where} has numbers or texts, not {variable.dtype}")
        if variable.dtype.kind in "OU":
            check(all(isinstance(text, str) for text in numpy.ravel(variable.values)), f"{where}: texts are str")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    groups = groups_with_datasets(sys.argv[1])
    check(len(groups) > 0, "the file has datasets")
    for group in groups:
        check_group(sys.argv[1], group)
    print(f"{n_passed} passed, {n_failed} failed")
    sys.exit(n_failed > 0)


if __name__ == "__main__":
    main()
