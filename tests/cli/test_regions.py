#!/usr/bin/python3
"""Where the people of models/tyokyky live: 22 counties, 45 employment areas that do not nest, as the model itself says.

The model's shares are those of the population, and results can be told by county and by area; a scenario that says
otherwise has its way; the result file alone is enough to run again.
"""
import csv
import os
import re
import shutil
import sys
import tempfile

import numpy
import xarray

sys.dont_write_bytecode = True
from checks import SOURCE, check, expect, finish, polku

# Population 31.12.2025 (Statistics Finland, municipalities summed by county), and how many areas a county has.
COUNTIES = {
    "helsinki": (694392, 1), "vantaa_ja_kerava": (291723, 2), "lansi_uusimaa": (506379, 4), "ita_uusimaa": (99584, 2),
    "keski_uusimaa": (207551, 1), "varsinais_suomi": (497800, 2), "satakunta": (210112, 2), "kanta_hame": (168957, 2),
    "pirkanmaa": (548910, 3), "paijat_hame": (204522, 2), "kymenlaakso": (156198, 2), "etela_karjala": (124238, 1),
    "etela_savo": (128144, 3), "pohjois_savo": (248512, 3), "pohjois_karjala": (161418, 1), "keski_suomi": (273731, 3),
    "etela_pohjanmaa": (189474, 3), "pohjanmaa": (179555, 3), "keski_pohjanmaa": (67498, 1),
    "pohjois_pohjanmaa": (417939, 4), "kainuu": (69193, 1), "lappi": (176215, 4)}
# Areas that lie in two counties.
CROSSING = {
    "kainuu_koillismaa": {"kainuu", "pohjois_pohjanmaa"}, "suupohja": {"etela_pohjanmaa", "pohjanmaa"},
    "keski_savo": {"pohjois_savo", "etela_savo"}, "etelainen_keski_suomi": {"keski_suomi", "pirkanmaa"},
    "kerava_sipoo": {"vantaa_ja_kerava", "ita_uusimaa"}}
COINCIDING = {"helsinki", "keski_pohjanmaa", "keski_uusimaa", "pohjois_karjala", "etela_karjala"}
PERSONS, YEARS = 100000, 2
N_ERRORS = 4.5  # standard errors: all of some 230 comparisons hold in 998 of 1,000 runs of a correct program

SCENARIO = """
polku: 1
scenario: regions
model: tyokyky/model.yaml
seed: 2385
start: 2025-01-01
horizon: {years: %d}
population:
  size: %%s
  state: {unemployed: 1}
  age: {uniform: [20, 60]}
  attributes:
    sex: {female: 0.5, male: 0.5}
    diagnosis: {depression: 0.25, other_mental: 0.25, musculoskeletal: 0.25, other: 0.25}
    client_group: {near: 0.25, middle: 0.5, far: 0.25}
%%s
arms: {none: {}, lapland: {enrol: [{service: ips, share: 0.5, among: {county: lappi}}]}}
tables:
  - {name: all, measure: person_years, step: {years: 1}}
  - {name: by_county, measure: person_years, by: [county], step: {years: 1}}
  - {name: by_area, measure: person_years, by: [area], step: {years: 1}}
  - {name: people, measure: occupancy, by: [county, area], step: {years: %d}}
event_log: {persons: 200}
""" % (YEARS, YEARS)


def the_file():
    """The 50 cells against the populations they come from."""
    with open(os.path.join(SOURCE, "models", "tyokyky", "regions.csv"), encoding="utf-8", newline="") as file:
        cells = {(row["county"], row["area"]): float(row["share"]) for row in csv.DictReader(file)}
    total = sum(persons for persons, _ in COUNTIES.values())
    check(total == 5622045 and len(COUNTIES) == 22, f"the mainland has 5,622,045 people in 22 counties, not {total}")
    counties, areas = {county for county, _ in cells}, {area for _, area in cells}
    check(len(cells) == 50 and counties == set(COUNTIES) and len(areas) == 45,
          f"50 cells of 22 counties and 45 areas: {len(cells)}, {len(counties)}, {len(areas)}")
    check(abs(sum(cells.values()) - 1) < 1e-10, "the shares add up to 1")
    of_area = {area: {county for county, other in cells if other == area} for area in areas}
    for (county, area), share in cells.items():
        persons, n_areas = COUNTIES[county]
        check(abs(share - persons / total / n_areas) < 1e-12, f"{county}, {area}: {share}")
    for county, (_, n_areas) in COUNTIES.items():
        check(sum(other == county for other, _ in cells) == n_areas, f"{county} has {n_areas} areas")
    check({area: where for area, where in of_area.items() if len(where) > 1} == CROSSING, "five areas cross a border")

    def kind(county):
        mine = [area for other, area in cells if other == county]
        if any(area in CROSSING for area in mine):
            return "crossed"
        return "an area" if len(mine) == 1 else "of areas"
    kinds = {name: {county for county in counties if kind(county) == name} for name in ("an area", "of areas", "crossed")}
    check([len(found) for found in kinds.values()] == [5, 7, 10], f"5, 7 and 10 counties of each kind: {kinds}")
    check(kinds["an area"] == COINCIDING, "the five that are an area are those of the documents")
    return cells


def write(folder, name, size, population):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(SCENARIO % (size, population))
    return path


def run(folder, name, size, population):
    result = os.path.join(folder, name + ".h5")
    done = polku("run", write(folder, name + ".yaml", size, population), "-o", result)
    check(done.returncode == 0, f"{name}: {done.stderr}")
    return result


def table(result, name, measure="person_years"):
    with xarray.open_dataset(result, engine="h5netcdf", group=name) as dataset:
        return dataset[measure].load().sel(arm="none")


def people(result):
    """How many live where, by county and area; all states, the dead too."""
    found = table(result, "people", "occupancy").isel(time=-1).sum("state")
    return found.transpose("county", "area").to_series().to_dict()


def check_people(what, found, cells):
    """Each cell, county and area has its share of the people, to within 4.5 binomial standard errors."""
    check(abs(sum(found.values()) - PERSONS) < 1e-6, f"{what}: {PERSONS} people, not {sum(found.values())}")
    check(all(n == 0 or cell in cells for cell, n in found.items()), f"{what}: nobody is where the model has nobody")
    sums = {}
    for (county, area), share in cells.items():
        for of in ((county, area), county, ("area", area)):
            n, expected = sums.get(of, (0, 0))
            sums[of] = (n + found[county, area], expected + share)
    for of, (n, share) in sums.items():
        error = (PERSONS * share * (1 - share)) ** 0.5
        check(abs(n - PERSONS * share) < N_ERRORS * error, f"{what}: {of} has {n} people, expected {PERSONS * share:.0f}")
    where = {area: {county for county in COUNTIES if found[county, area] > 0} for _, area in cells}
    for area, counties in where.items():
        check(counties == CROSSING[area] if area in CROSSING else len(counties) == 1, f"{what}: {area} is in {counties}")


def main():
    cells = the_file()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(os.path.join(SOURCE, "models", "tyokyky"), os.path.join(folder, "tyokyky"))
        inflow = "  inflow: {per_year: %d}" % (PERSONS // YEARS)
        there = run(folder, "there", PERSONS, "")
        check_people("those at the start", people(there), cells)
        flowing = run(folder, "flowing", 0, inflow)
        check_people("those who flow in", people(flowing), cells)
        for result in (there, flowing):
            whole, counties, areas = (table(result, name) for name in ("all", "by_county", "by_area"))
            check(counties.sizes["county"] == 22 and areas.sizes["area"] == 45, "22 counties and 45 areas are told")
            for part, dim in ((counties, "county"), (areas, "area")):
                summed = part.sum(dim).transpose(*whole.dims)
                check(numpy.allclose(summed, whole, rtol=1e-12, atol=1e-9), f"person-years by {dim} add up to all")
            with xarray.open_dataset(result, engine="h5netcdf", group="/events") as log:
                names = [[str(name) for name in log[of].values] for of in ("county", "area")]
            check(set(zip(*names)) <= set(cells) and len(set(names[0])) > 15, "people whose lives are kept live somewhere")

        # a scenario's own shares take the model's place; where people live changes nobody's life
        lapland = run(folder, "lapland", PERSONS, "    county: {lappi: 1}\n    area: {lappi_1: 0.25, lappi_3: 0.75}")
        found = {cell: n for cell, n in people(lapland).items() if n > 0}
        check(set(found) == {("lappi", "lappi_1"), ("lappi", "lappi_3")}, f"everybody lives in Lapland: {found}")
        error = (PERSONS * 0.25 * 0.75) ** 0.5
        check(abs(found["lappi", "lappi_1"] - 0.25 * PERSONS) < N_ERRORS * error, f"by the scenario's shares: {found}")
        check(table(lapland, "all").equals(table(there, "all")), "and their lives are the same to the bit")
        broken = write(folder, "broken.yaml", 10, "    county: {lappi: 1}")
        expect(1, "gives no shares for the attribute area (the model draws it together with county", "check", broken)

        small, result = write(folder, "small.yaml", 20000, ""), os.path.join(folder, "small.h5")
        done = expect(0, "", "verify", small)
        check("enrolled_1, arm lapland (" in done.stdout, "those enrolled in one county are verified")

        # the same people from any instruction set, and from the result file alone
        digests = {re.search(r"digest: (\w+)", polku("run", small, "-o", result, "--vectors", vectors).stdout)[1]
                   for vectors in ("auto", "none")}
        check(len(digests) == 1, "one life after another gives the same digest")
        shutil.rmtree(os.path.join(folder, "tyokyky"))
        expect(0, "", "rerun", result)
    finish()


if __name__ == "__main__":
    main()
