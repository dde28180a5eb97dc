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

        path = os.path.join(folder, "places.h5")
        expect(0, "", "run", os.path.join(GOOD, "places.yaml"), "-o", path)
        check_file(path)
        with xarray.open_dataset(path, engine="h5netcdf", group="places/coaching") as dataset:
            check(dataset["served"].dims == ("arm", "region", "month"), "places are told by arm, region and month")
            check(dataset["waits"].dims == ("arm", "region", "wait_bin"), "waits are told in bins")
            ends = dataset["wait_bin"].values
            check(list(ends[:3]) == [0, 1, 2] and ends[-2] < 4 * 365.25 <= ends[-1], "bins end within four years")
            check("1 %" in dataset["wait_quantile"].attrs["long_name"], "it is said how exact quantiles are")

        path = os.path.join(folder, "cited.h5")
        expect(0, "", "run", os.path.join(GOOD, "cited.yaml"), "-o", path)
        check_file(path)
        with xarray.open_dataset(path, engine="h5netcdf", group="evidence") as dataset:
            check(all(variable.dims == ("citation",) for variable in dataset.variables.values()),
                  "what parameters cite has one axis")

        path = os.path.join(folder, "fitted.h5")
        expect(0, "", "run", os.path.join(GOOD, "fitted.yaml"), "-o", path)
        check_file(path)

        path = os.path.join(folder, "told.h5")
        expect(0, "", "run", os.path.join(GOOD, "told.yaml"), "-o", path)
        check_file(path)
        table = check_axes(path, "occupancy", ("arm", "sex", "age", "state", "time"),
                           {"sex": ["woman", "man"], "age": ["-25", "25-40", "40-"]})
        check(abs(float(table.sel(arm="none", time=0.0).sum()) - 500) < 1e-9, "everyone is somewhere, of some age")
        check(abs(float(table.sel(arm="both", time=6.0).sum()) - 860) < 1e-9, "those who flowed in are there too")
        with xarray.open_dataset(path, engine="h5netcdf", group="transitions") as dataset:
            names = [str(name) for name in dataset["transition"].values]
            check("lose prevented:work>ill" in names, f"prevented events that lead elsewhere have their row: {names}")
        with xarray.open_dataset(path, engine="h5netcdf", group="histograms/years_in_work") as dataset:
            check(dataset["share"].dims == ("arm", "sex", "bin") and dataset["value"].dims == ("arm", "sex", "quantile"),
                  "a histogram has its axes")
            check(int(dataset["count"].sel(arm="none").sum()) == 4 * 860, "everybody is in a histogram once")
            check(numpy.allclose(dataset["share"].sum("bin"), 1), "shares add up to 1")
        with xarray.open_dataset(path, engine="h5netcdf", group="outcomes") as outcomes, \
                xarray.open_dataset(path, engine="h5netcdf", group="rewards") as rewards, \
                xarray.open_dataset(path, engine="h5netcdf", group="parameters") as parameters:
            value = dict(zip(parameters["parameter"].values, parameters["value"].values))
            for arm in ("none", "both"):
                for outcome in ("output", "all", "htv", "ledger_benefits"):
                    rows = rewards.sel(arm=arm, population="everyone").isel(basis=rewards["of_outcome"].values == outcome)
                    price = [numpy.prod([value[factor] for factor in text.split("*")]) for text in rows["price"].values]
                    factor = [value.get(text, 1) if text in value else float(text or 1)
                              for text in rows["arm_factor"].values]
                    found = (rows["quantity"].values * numpy.array(price) * numpy.array(factor)).sum(axis=1)
                    told = outcomes["value"].sel(population="everyone", arm=arm, outcome=outcome).values
                    check(numpy.allclose(found, told, rtol=1e-12), f"{outcome} in {arm} is prices times quantities")
            mean = outcomes["value"] / outcomes["denominator"]
            check(0.5 < float(mean.sel(population="everyone", arm="none", outcome="mean_spell").mean()) < 3,
                  "a ratio is value over denominator")
        with xarray.open_dataset(path, engine="h5netcdf", group="preventions") as dataset:
            check(list(dataset["prevention"].values) == ["shield:fall", "shield:fall", "detour:lose"], "preventions by name")
            check(numpy.allclose(dataset["fewer"], dataset["events_base"] - dataset["events_arm"]), "fewer is base less arm")
        with xarray.open_dataset(path, engine="h5netcdf", group="events") as events:
            check({"id", "arm", "from", "to", "tstart", "tstop", "status", "sex", "region"} <= set(events.variables),
                  "the event log has the attributes")
            check(len(numpy.unique(events["id"].values)) == 860, "everybody is in the event log")
            late = events["id"].values >= 2**32
            first = {}
            for person, start in zip(events["id"].values[late], events["tstart"].values[late]):
                first[person] = min(first.get(person, 99), start)
            check(len(first) == 360 and min(first.values()) > 0, "lives of those who flow in begin at their entry")

        path = os.path.join(folder, "bridge.h5")
        expect(0, "", "run", os.path.join(GOOD, "bridge.yaml"), "-r", "3", "-o", path)
        check_file(path)
        with xarray.open_dataset(path, engine="h5netcdf", group="bridge") as dataset:
            check(set(dataset.dims) == {"step"} and str(dataset["value"].sel(step="to_65").values) == "1500.0",
                  f"a bridge is read by the names of its steps: {dataset['value']}")

        path = os.path.join(folder, "ips.h5")
        expect(0, "", "run", os.path.join(SOURCE, "configs", "ips-vs-typ.yaml"), "-r", "4", "--no-variants", "-o", path)
        check_file(path)
        states = ["unemployed", "employed", "rehabilitation_subsidy", "disability_pension", "old_age", "dead", "supported_work",
                  "subsidised_work", "sickness_allowance", "sickness_unemployed", "partial_sickness", "partial_pension_working",
                  "partial_pension", "outside", "entering_employed", "entering_unemployed", "spared_work"]
        check_axes(path, "occupancy", ("arm", "state", "time"), {"arm": ["none", "typ", "ips"], "state": states})
        table = check_axes(path, "person_years", ("arm", "sex", "diagnosis", "state", "time"),
                           {"arm": ["none", "typ", "ips"], "sex": ["female", "male"], "state": states,
                            "diagnosis": ["depression", "other_mental", "musculoskeletal", "other"]})
        more = table.sel(arm="ips", state="employed").sum() - table.sel(arm="typ", state="employed").sum()
        check(float(more) > 0, "a table can be read by name: IPS gives more years in work than TYP coaching")
    finish()


if __name__ == "__main__":
    main()
