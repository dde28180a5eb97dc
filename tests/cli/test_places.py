#!/usr/bin/python3
"""Places from the command line: the same result for any threads, blocks and instruction set, from the file alone, and
whatever other arms there are; who is not touched lives the same life; what is told adds up.
"""
import csv
import json
import math
import os
import re
import shutil
import sys
import tempfile

import h5py
import numpy

sys.dont_write_bytecode = True
from checks import GOOD, SOURCE, check, expect, finish, polku

ARMS = ["none", "coached", "ample", "twice", "cohort"]


def copy(folder, change=lambda text: text):
    """The good scenario of places, its log asked for, in a folder of its own."""
    for name in ("places_model.yaml", "places_coaches.csv"):
        shutil.copy(os.path.join(GOOD, name), folder)
    with open(os.path.join(GOOD, "places.yaml"), encoding="utf-8") as file:
        text = file.read()
    path = os.path.join(folder, "places.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(change(text + "event_log: {persons: all}\n"))
    return path


def run(path, output, *more):
    done = expect(0, "", "run", path, "-o", output, *more)
    found = re.search(r"^digest: (\w+)", done.stdout, re.M)
    return found.group(1) if found else None


def test_same(path, folder):
    output = os.path.join(folder, "same.h5")
    first = run(path, output, "--threads", 1)
    for more in (("--threads", 2), ("--threads", 3, "--block", 64), ("--threads", 1, "--block", 1000),
                 ("--threads", 2, "--vectors", "none"), ("--threads", 1, "--vectors", "plain")):
        check(run(path, output, *more) == first, f"{more} give the same result")
    done = expect(0, "", "rerun", output)
    check(first in done.stdout, f"the file alone gives its result again: {done.stdout}")


def lives_of(file):
    """{arm: {person: rows}} of the log."""
    events = file["events"]
    columns = [events[name][...] for name in ("arm", "id", "from", "to", "tstart", "tstop", "status")]
    lives = {}
    for arm, person, *row in zip(*columns):
        arm = arm.decode() if isinstance(arm, bytes) else arm
        lives.setdefault(arm, {}).setdefault(int(person), []).append(tuple(row))
    return lives


def test_touched(path, folder):
    output = os.path.join(folder, "touched.h5")
    run(path, output, "--replications", 1)
    with h5py.File(output) as file:
        lives = lives_of(file)
        touched = dict(zip(ARMS, file["arms/touched"][...]))
        changed = dict(zip(ARMS, file["arms/changed"][...]))
    keys = list(lives)
    check(len(keys) == len(ARMS), f"the log has every arm: {keys}")
    base = lives[keys[0]]
    for key, name in zip(keys, ARMS):
        differ = sum(lives[key][person] != base[person] for person in base)
        check(differ == changed[name], f"{name}: {differ} lives differ, {changed[name]} are told")
        check(differ <= touched[name] <= len(base), f"{name}: {differ} differ of {touched[name]} touched")
    check(touched["none"] == 0 and touched["coached"] > 800, f"touched: {touched}")


def test_other_arms(path, folder):
    """Another arm changes nothing in an arm."""
    output = os.path.join(folder, "arms.h5")
    run(path, output)
    with h5py.File(output) as file:
        places = {name: file[f"places/coaching/{name}"][...] for name in ("served", "waiting", "waits")}
        occupancy = file["occupancy/occupancy"][...]
    with tempfile.TemporaryDirectory() as other:
        few = copy(other, lambda text: re.sub(r"  twice: .*\n", "", text))
        run(few, output)
        with h5py.File(output) as file:
            for name, before in places.items():
                now = file[f"places/coaching/{name}"][...]
                check(numpy.array_equal(now[:3], before[:3]) and numpy.array_equal(now[3], before[4]),
                      f"without the arm twice {name} is the same in the others")
            now = file["occupancy/occupancy"][...]
            check(numpy.array_equal(now, numpy.delete(occupancy, 3, axis=0)), "without the arm twice lives are the same")


def test_told(path, folder):
    output = os.path.join(folder, "told.h5")
    run(path, output)
    with h5py.File(output) as file:
        for service in ("coaching", "course", "group", "pilot", "jobs", "meeting"):
            group = file[f"places/{service}"]
            by_month = {name: group[name][...].sum(axis=(1, 2)) for name in
                        ("requested", "served", "baulked", "refused", "reneged", "left", "finished")}
            for name, sums in by_month.items():
                check(numpy.allclose(sums, group[f"all_{name}"][...]), f"{service}: {name} by region and month add up")
            gone = sum(by_month[name] for name in ("served", "baulked", "refused", "reneged", "left"))
            check(numpy.allclose(by_month["requested"], gone + group["all_waiting_at_end"][...]),
                  f"{service}: nobody is lost")
            check(numpy.allclose(group["waits"][...].sum(axis=(1, 2)), by_month["served"]), f"{service}: waits of all")
            check(numpy.all(group["used"][...] <= group["held"][...] + 1e-9), f"{service}: used places are held")
        years = file["places/coaching/coach_years"][...]
        check(numpy.allclose(years[[0, 1, 3]], [0, 4 * 1 + 2 * 3, 8 * 1 + 4 * 3]) and numpy.isnan(years[2]),
              f"coach-years: {years}")
    run(copy(folder, lambda text: text.replace("  cohort:", "  half: {like: twice, places: 0.5}\n  cohort:")), output)
    told = expect(0, "", "compare", output, "--against", "none").stdout
    for arm in ("coached", "twice", "half"):
        check(re.search(rf"^  .*, {arm}: .* % of what ample gives$", told, re.M), f"compare tells what {arm} loses")
    for part in ("Places of coaching", "Lost to the queue", "net of displacement, 10 %"):
        check(part in told, f"compare tells {part!r}")
    done = expect(0, "", "verify", path, "--brief")
    check("all add up exactly" in done.stdout and "who is served depends on others" in done.stdout,
          f"verify tells of places: {done.stdout}")
    story = expect(0, "", "run", path, "--person", 5, "--trace").stdout
    check("enrolled in coaching" in story, f"a story tells of places: {story}")
    folder_out = os.path.join(folder, "csv")
    expect(0, "", "export", output, "--csv", folder_out)
    check(any("places" in name for name in os.listdir(folder_out)), f"export writes places: {os.listdir(folder_out)}")


LOST = r"^  (.*), (\w+): .* % of what (\w+) gives$"


def test_lost(folder):
    """The queue takes what the same arm with places for all has more: one that starts and displaces alike."""
    output = os.path.join(folder, "lost.h5")
    arms = """  half: {like: twice, places: 0.5}
  elsewhere: {like: twice, places: 0.5, start: {idle: 0.5, work: 0.5}}
  elsewhere_ample: {like: elsewhere, places: ample}
  gentle: {like: twice, places: 0.5, displacement: {share: gently, transition: finding, by: region}}
  everywhere: {like: twice, places: 0.5, displacement: {share: taken, transition: finding}}
  dear: {like: twice, places: 0.5, prices: {output: more}}
"""
    path = copy(folder, lambda text: text.replace("  cohort:", arms + "  cohort:")
                .replace("  taken:", "  gently: {value: 0.05, unit: share, source: {assumption: made up}}\n  taken:")
                .replace("\noutcomes:\n", "\noutcomes:\n  output: {measure: reward, reward: output, from: {years: 0}, "
                         "to: horizon}\n"))
    with open(os.path.join(folder, "places_model.yaml"), "a", encoding="utf-8") as file:
        file.write("rewards:\n  output: {unit: euros, payer: employer, per_person_year: {work: coach_cost}}\n")
    run(path, output)
    told = expect(0, "", "compare", output, "--against", "none").stdout
    lost = {(arm, ample) for _, arm, ample in re.findall(LOST, told, re.M)}
    check(lost == {("coached", "ample"), ("twice", "ample"), ("half", "ample"), ("dear", "ample"),
                   ("elsewhere", "elsewhere_ample")}, f"what the queue takes is told of {lost}")
    of_dear = [label for label, arm, _ in re.findall(LOST, told, re.M) if arm == "dear"]
    check(of_dear == ["work"] and re.search(r"^  output, dear: not told, since its prices are not those of ample$", told,
                                            re.M), f"other prices are not what the queue takes: {of_dear}")


def test_clients(folder):
    """The clients that there really were, by the referral rate fitted to them; places did not run short."""
    output = os.path.join(folder, "latu.h5")
    run(os.path.join(SOURCE, "configs", "latu.yaml"), output, "--no-variants")
    with h5py.File(output) as file:
        latu = file["places/latu"]
        served, error = latu["all_served"][1], latu["all_served_se"][1]
        check(2 < error < 5 and abs(served - 568) < 4.5 * error, f"{served} clients, s.e. {error}, expected 568")
        check(latu["all_utilisation"][1] < 0.15 < 0.8 < latu["all_utilisation"][3], "only many more would fill places")
        check(latu["waits"].shape[1] == 22 and len(latu["county"]) == 22, "places are told by county")
        check(file["person_years/area"].shape == (45,), "and person-years by employment area")


def test_line(folder):
    """Of many who ask at the same tick, those who get a place are not in line."""
    output = os.path.join(folder, "line.h5")
    path = copy(folder, lambda text: re.sub(r"    enrol:\n      - {service: pilot(.*\n){3}",
                                            "    enrol: [{service: jobs, persons: 100, states: idle}]\n", text))
    run(path, output)
    with h5py.File(output) as file:
        refused = file["places/jobs/refused"][...][ARMS.index("cohort"), 0]
        served = file["places/jobs/served"][...][ARMS.index("cohort"), 0]
    check(served[0] >= 38 and numpy.array_equal(refused, [42] + 47 * [0]),
          f"38 places and a line of 20 leave 42 of 100 people: {served[0]} served, {refused[0]} refused")


def test_coaches():
    path = os.path.join(SOURCE, "configs", "latu.yaml")
    asked = ["coaches", path, "--service", "latu", "--arm", "many", "--outcome", "work", "--replications", 4]
    done = expect(0, "", *asked, "--against", "none", "--coaches", "10:50:20", "--gain", 100, "--json")
    told = json.loads(done.stdout)
    served = [point["served"] for point in told["points"]]
    check([point["coaches"] for point in told["points"]] == [10, 30, 50] and served == sorted(served),
          f"more coaches serve more people: {served}")
    gains = [point["next_coach"] for point in told["points"]]
    check(gains[0] is None and gains[1] > gains[2] > 0, f"each gives less than the one before: {gains}")
    check(told["enough_between"] == [30, 50], f"where it is enough: {told['enough_between']}")
    first, *others = told["points"]
    check(first["euros_per_unit"] is None, f"nothing is more than nothing: {first}")
    for before, point in zip(told["points"], others):
        ratio = (point["cost_euros"] - before["cost_euros"]) / (point["outcome"] - before["outcome"])
        check(abs(point["euros_per_unit"] / ratio - 1) < 1e-9, f"euros for each unit more: {point}")
    with open(os.path.join(SOURCE, "models", "tyokyky", "coaches.csv"), encoding="utf-8") as file:
        counties = [int(value) for _, day, value in csv.reader(file) if day == "2021-01-01"]
    check(sum(counties) == 40, f"coaches by county: {counties}")
    for point in told["points"]:  # in proportion, to whole places in each county
        places = [math.floor(37.5 * n * point["coaches"] / 40 + 0.5 + 1e-9) for n in counties]
        check(point["places"] == sum(places) != 37.5 * point["coaches"], f"places: {point}, {sum(places)}")
    lines = expect(0, "", *asked, "--coaches", "0:2:2").stdout.splitlines()
    row = next(line for line in lines if re.match(r" +0 ", line)).split()
    check(row[5] == "-" and "nan" not in " ".join(lines), f"no share of no places is taken: {row}")
    with tempfile.TemporaryDirectory() as folder:
        done = expect(0, "", "coaches", copy(folder), "--service", "coaching", "--arm", "coached", "--against", "none",
                      "--outcome", "work", "--coaches", "0:4:4", "--json", "--replications", 2)
        told = json.loads(done.stdout)["points"]
        check(told[0]["served"] == 0 and told[0]["outcome"] != 0, f"only this service has fewer coaches: {told}")
        output = os.path.join(folder, "as_it_is.h5")
        run(os.path.join(folder, "places.yaml"), output, "--replications", 2)
        with h5py.File(output) as file:
            served = file["places/coaching/all_served"][...][ARMS.index("coached")]
        check(told[1]["served"] == served, f"as many coaches as there are: {told[1]['served']}, {served} served")
    expect(1, 'no outcome is called "wrk" (did you mean "work"?)', *asked[:6], "--outcome", "wrk", "--coaches", "1:2:1")
    expect(1, 'no arm is called "mny"', *asked[:4], "--arm", "mny", "--outcome", "work", "--coaches", "1:2:1")
    expect(1, "does not enrol in the service", *asked[:4], "--arm", "none", "--outcome", "work", "--coaches", "1:2:1")
    expect(1, "has no places", "coaches", path, "--service", "typ", "--arm", "many", "--outcome", "work", "--coaches",
           "1:2:1")
    expect(2, "expected FROM:TO:STEP", *asked, "--coaches", "10")
    expect(2, "expected 1 to 200 points going up", *asked, "--coaches", "10:5:1")
    expect(2, "--service, --arm, --outcome and --coaches are needed", "coaches", path)


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = copy(folder)
        test_same(path, folder)
        test_touched(path, folder)
        test_other_arms(path, folder)
        test_told(path, folder)
        test_lost(folder)
        test_clients(folder)
        test_line(folder)
    test_coaches()
    finish()


main()
