#!/usr/bin/python3
"""A results file opens in xarray without us: test_xarray.py [RESULTS.h5...]

Without a file: of a small scenario and of configs/ips-vs-typ.yaml, run here. For every group that holds datasets: it
opens with the h5netcdf engine, every variable has a long_name, every dimension has its axis (no phony_dim), and texts
are str. Last line: "N passed, M failed"; exit 1 on any failure.
"""
import os
import sys
import tempfile
import warnings

import h5py
import numpy
import xarray

sys.dont_write_bytecode = True
from checks import GOOD, SOURCE, check, expect, finish


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


def check_file(path):
    groups = groups_with_datasets(path)
    check(len(groups) > 0, "the file has datasets")
    for group in groups:
        check_group(path, group)


def check_axes(path, group, dims, coordinates):
    """The table of this name has exactly these dimensions, with these names along them."""
    with xarray.open_dataset(path, engine="h5netcdf", group=group) as dataset:
        table = dataset[group].load()
    check(table.dims == dims, f"{group} has the dimensions {table.dims}, expected {dims}")
    for dim in dims:
        check(dim in table.coords, f"{group}: {dim} has coordinates")
    for dim, names in coordinates.items():
        found = [str(name) for name in table.coords[dim].values]
        check(found == names, f"{group}: {dim} is {found}, expected {names}")
    check(table.coords["time"].attrs.get("units") == "years", f"{group}: time has its unit")
    return table


def main():
    for path in sys.argv[1:]:
        check_file(path)
    if len(sys.argv) > 1:
        finish()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "good.h5")
        expect(0, "", "run", os.path.join(GOOD, "scenario.yaml"), "-o", path)
        check_file(path)
        check_axes(path, "occupancy", ("arm", "state", "time"),
                   {"arm": ["none", "coach", "both"], "state": ["idle", "work", "ill", "old", "dead"]})
        check_axes(path, "person_years", ("arm", "sex", "region", "state", "time"),
                   {"sex": ["woman", "man"], "region": ["north", "south"]})

        path = os.path.join(folder, "ips.h5")
        expect(0, "", "run", os.path.join(SOURCE, "configs", "ips-vs-typ.yaml"), "-r", "4", "--no-variants", "-o", path)
        check_file(path)
        states = ["unemployed", "employed", "rehabilitation_subsidy", "disability_pension", "old_age", "dead"]
        check_axes(path, "occupancy", ("arm", "state", "time"), {"arm": ["none", "typ", "ips"], "state": states})
        table = check_axes(path, "person_years", ("arm", "sex", "diagnosis", "state", "time"),
                           {"arm": ["none", "typ", "ips"], "sex": ["female", "male"], "state": states,
                            "diagnosis": ["depression", "other_mental", "musculoskeletal", "other"]})
        more = table.sel(arm="ips", state="employed").sum() - table.sel(arm="typ", state="employed").sum()
        check(float(more) > 0, "a table can be read by name: IPS gives more years in work than TYP coaching")
    finish()


if __name__ == "__main__":
    main()
