#!/usr/bin/python3
"""Speed, memory and scaling of polku, beside plain programs for the same model, in one go.

    ./dev bench [--quick] [--runs N] [--seconds S] [--json FILE]

CPU times are user + system of the whole program, output included; numpy is spared its start-up. One thread unless said.
Programs that are compared run in turn; figures are medians with lowest and highest, ratios those of one turn. First the
programs are held against the exact answers and polku against itself. Targets that are missed are told and are no
failure; wrong answers are (exit code 1). Takes ten minutes, with --quick one."""
import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "bench"
PYTHON = "/usr/bin/python3"
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}

REF5, IPS, NATION = "configs/ref5.yaml", "configs/ips-vs-typ.yaml", "tests/bench/nation.yaml"
PLACES = "tests/bench/places.yaml"
# Standard deviations between people in ref5, by simulation: of person-years, and of the number of transitions.
DEVIATION = {"unemployed": 5.430, "coaching": 1.704, "employed": 10.134, "rehab": 2.029, "pension": 14.034,
             "dead": 8.526}
DEVIATION_TRANSITIONS = 6.53
EXACT_TRANSITIONS = 10.77573  # a person, matrix exponential
STAGES = ("people", "draw", "choose", "common", "move", "tally", "places", "lives", "other", "write")


# ---- running programs ------------------------------------------------------------------------------------------------

def execute(arguments):
    """Runs a program: its output, CPU seconds, wall seconds and peak memory in MB."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([str(a) for a in arguments], stdout=output, env=ENVIRONMENT)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    if process.returncode != 0:
        sys.exit(f"bench: exit {process.returncode}: {' '.join(str(a) for a in arguments)}")
    return text, usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024


class Polku:
    def __init__(self, program, output):
        self.program, self.output = program, output

    def run(self, scenario, *options, threads=1):
        text, cpu, wall, memory = execute([self.program, "run", ROOT / scenario, "--json", "-o", self.output,
                                           "--threads", threads, *options])
        return {**json.loads(text), "cpu": cpu, "wall": wall, "memory": memory}

    def ref5(self, people, *options, threads=1):
        return self.run(REF5, "--people", people, *options, threads=threads)

    def ips(self, replications, *options, threads=1):
        return self.run(IPS, "--no-variants", "--replications", replications, *options, threads=threads)

    def years(self):
        """Mean person-years by state of the last run of ref5."""
        told = json.loads(execute([self.program, "compare", self.output, "--json"])[0])
        prefix = "person_years_"
        return {row["outcome"].removeprefix(prefix): row["arms"]["base"]["value"] / told["per_persons"]
                for row in told["outcomes"] if row["outcome"].startswith(prefix)}

    def vectors(self):
        """The names for --vectors that this processor can do, the widest first, the reference last."""
        return [name for name in ("avx512", "avx2", "plain", "none") if subprocess.run(
            [self.program, "run", ROOT / REF5, "--people", "100", "--vectors", name, "-o", self.output],
            capture_output=True).returncode == 0]


def base(*arguments):
    """A program beside polku, which prints lines 'transitions N' and 'STATE X years...'."""
    text, cpu, wall, memory = execute(arguments)
    lines = dict(line.split(" ", 1) for line in text.splitlines())
    return {"transitions": int(lines["transitions"]), "cpu": float(lines.get("cpu_seconds", cpu)), "wall": wall,
            "memory": memory, "years": {state: float(lines[state].split()[0]) for state in DEVIATION}}


def compile_bases():
    BUILD.mkdir(parents=True, exist_ok=True)
    gsl = subprocess.run(["pkg-config", "--cflags", "--libs", "gsl"], check=True, capture_output=True, text=True).stdout
    for name, flags in (("base_gsl", gsl.split()), ("base_vector", ["-ffp-contract=off", "-lm"])):
        subprocess.run(["gcc", "-O3", "-march=native", str(HERE / f"{name}.c"), "-o", str(BUILD / name), *flags],
                       check=True)


def in_turn(runs, programs):
    """Each program `runs` times, alternating; {name: [measurement]}."""
    measured = {name: [] for name in programs}
    for _ in range(runs):
        for name, program in programs.items():
            measured[name].append(program())
    return measured


def size_for(seconds, first, program):
    """The size at which the program takes about so many CPU seconds."""
    program(first)
    measured = program(first)
    while measured["cpu"] < 0.25:
        first *= 4
        measured = program(first)
    return max(1, int(first * seconds / measured["cpu"]))


def spread(values):
    values = list(values)
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "runs": len(values)}


def ns(measured):
    return spread(m["cpu"] * 1e9 / m["transitions"] for m in measured)


def ratio(above, below, what):
    """Of two programs' measurements, turn by turn."""
    return spread(what(a) / what(b) for a, b in zip(above, below))


def ns_of(measured):
    return measured["cpu"] / measured["transitions"]


def wall_of(measured):
    return measured["wall"]


def cpu_of(measured):
    return measured["cpu"]


# ---- is it right? ----------------------------------------------------------------------------------------------------

def exact_years():
    """The exact person-years stand in the comment at the top of the scenario."""
    comment = "".join(line for line in (ROOT / REF5).read_text(encoding="utf-8").splitlines(True) if line[0] == "#")
    exact = {state: float(years) for years, state in re.findall(r"(\d+\.\d+) (\w+)", comment)}
    assert set(exact) == set(DEVIATION), exact
    return exact


def furthest(years, transitions, people):
    """How many standard errors the figure that is furthest from the exact answer is from it."""
    exact = exact_years()
    far = [abs(years[state] - exact[state]) / DEVIATION[state] for state in exact]
    far.append(abs(transitions / people - EXACT_TRANSITIONS) / DEVIATION_TRANSITIONS)
    return max(far) * people ** 0.5


def digests(polku, vectors):
    """By scenario: how many different digests any vectors and numbers of threads give."""
    ways = [("--vectors", name, threads) for name in vectors for threads in (1, 2)]
    return {"ways": len(ways),
            "ref5": len({polku.ref5(200000, *way, threads=n)["digest"] for *way, n in ways}),
            "ips-vs-typ": len({polku.ips(2, *way, threads=n)["digest"] for *way, n in ways})}


# ---- what is measured ------------------------------------------------------------------------------------------------

def beside_others(polku, vectors, options):
    """ref5: ns a transition of polku and of others, and the others' times over polku's."""
    programs = {f"polku, {vectors[0]}": lambda people: polku.ref5(people, "--vectors", vectors[0])}
    programs["bare vector loop"] = lambda people: base(BUILD / "base_vector", people)
    for name in vectors[1:]:
        programs[f"polku, {name}"] = lambda people, name=name: polku.ref5(people, "--vectors", name)
    programs["GSL"] = lambda people: base(BUILD / "base_gsl", people)
    programs["GSL, no months"] = lambda people: base(BUILD / "base_gsl", people, "no-months")
    programs["numpy, no months"] = lambda people: base(PYTHON, HERE / "base_numpy.py", people)
    people = {name: size_for(options.seconds, 100000, program) for name, program in programs.items()}
    measured = in_turn(options.runs, {name: lambda name=name: programs[name](people[name]) for name in programs})
    ours = f"polku, {vectors[0]}"
    found = {name: {**ns(measured[name]), "people": people[name],
                    "cpu_seconds_a_run": statistics.median(map(cpu_of, measured[name])),
                    "times_polku": ratio(measured[name], measured[ours], ns_of),
                    "polku_over": ratio(measured[ours], measured[name], ns_of)} for name in programs}
    for name in programs:
        last = programs[name](people[name]) if name.startswith("polku") else measured[name][-1]
        years = polku.years() if name.startswith("polku") else last["years"]
        found[name]["standard_errors_off"] = furthest(years, last["transitions"], people[name])
    return found


def scaling(polku, people, options):
    """Ten times the people, two threads."""
    sizes = in_turn(options.runs, {n: lambda n=n: polku.ref5(n) for n in (people // 10, people)})
    found = {"people": people, "ten_times_the_people": ratio(sizes[people], sizes[people // 10], cpu_of)}
    if os.cpu_count() > 1:
        threads = in_turn(options.runs, {n: lambda n=n: polku.ref5(people, threads=n) for n in (1, 2)})
        found["two_threads_speed_up"] = ratio(threads[1], threads[2], wall_of)
        found["wall_seconds"] = {n: spread(map(wall_of, threads[n])) for n in threads}
        found["two_threads_cpu"] = ratio(threads[2], threads[1], cpu_of)
    return found


def work_ability(polku, options):
    """ips-vs-typ without variants, and ten times the replications."""
    many = 10 * max(1, size_for(options.seconds, 20, polku.ips) // 10)
    measured = in_turn(options.runs, {n: lambda n=n: polku.ips(n) for n in (many // 10, many)})
    return {"whole_program": ns(measured[many]), "replications": many,
            "simulation_only": spread(m["seconds"] * 1e9 / m["transitions"] for m in measured[many]),
            "ten_times_the_replications": ratio(measured[many], measured[many // 10], cpu_of)}


def stages(polku, people, replications, runs):
    """What each stage costs, ns a transition; the stages are timed, which makes the run slower."""
    told = in_turn(runs, {"ref5": lambda: polku.ref5(people, "--stages"),
                          "ips-vs-typ": lambda: polku.ips(replications, "--stages")})
    return {name: {stage: statistics.median(m["stages_ns"][stage] for m in measured) for stage in STAGES}
            for name, measured in told.items()}


def nation(polku, runs):
    """5.6 million people, 44 years, no service and one arm; their memory, and that of as many in ref5."""
    two = min(2, os.cpu_count())
    measured = in_turn(runs, {n: lambda n=n: polku.run(NATION, threads=n) for n in {1, two}})
    return {"threads": two, "seconds": spread(map(wall_of, measured[two])),
            "transitions": measured[two][0]["transitions"], "seconds_one_thread": spread(map(wall_of, measured[1])),
            "peak_memory_MB": {"nation": max(m["memory"] for n in measured for m in measured[n]),
                               "ref5": max(polku.ref5(5600000, threads=n)["memory"] for n in {1, two}),
                               # a process starts with the peak of the one that forked it
                               "cannot be told below": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}


def places(polku, runs):
    """30,000 people in one calendar; a million who may ask, and their memory."""
    measured = in_turn(runs, {n: lambda n=n: polku.run(PLACES, "--people", n, "--replications", 1, "--stages")
                              for n in (30000, 1000000)})
    return {n: {"ns_an_event": spread(m["calendar_ns"] for m in runs_of), "events": runs_of[0]["calendar_events"],
                "memory_MB": max(m["memory"] for m in runs_of)} for n, runs_of in measured.items()}


def start_up(polku, runs):
    def check():
        return {"wall": execute([polku.program, "check", "--quiet", ROOT / IPS])[2]}

    measured = in_turn(max(7, runs), {
        "ref5, 100 people": lambda: polku.ref5(100),
        "ips-vs-typ, 4000 people": lambda: polku.ips(1, "--people", 4000),
        "check of ips-vs-typ (read, convert, plan)": check})
    return {name: spread(map(wall_of, m)) for name, m in measured.items()}


# ---- telling it ------------------------------------------------------------------------------------------------------

def row(figure, target, measured, reached=None, text="{:.2f}"):
    """measured: a spread or a number; reached: None where there is no target."""
    told = text.format(measured["median"]) + f" ({text} to {text})".format(measured["low"], measured["high"]) \
        if isinstance(measured, dict) else text.format(measured)
    return {"figure": figure, "target": target, "measured": told,
            "reached": "" if reached is None else "yes" if reached else "no"}


def summary(found):
    ref5, scale, work, whole = found["ref5"], found["scaling"], found["work_ability"], found["nation"]
    ours = next(iter(ref5))

    def at_most(figure, limit, measured, unit="", text="{:.2f}"):
        value = measured["median"] if isinstance(measured, dict) else measured
        return row(figure, f"at most {limit}{unit}", measured, value <= limit, text)

    def at_least(figure, limit, measured, text="{:.2f}"):
        return row(figure, f"at least {limit}", measured, measured["median"] >= limit, text)

    different = max(found["digests"]["ref5"], found["digests"]["ips-vs-typ"])
    off = max(m["standard_errors_off"] for m in ref5.values())
    ways = found["digests"]["ways"]
    rows = [row(f"digests, {ways} ways of vectors and threads", "1", different, different == 1, "{}"),
            at_most("all programs off the exact answers, s.e.", 5, off),
            row(f"ref5, {ours}: ns a transition", "", ref5[ours])]
    rows.append(at_most("ref5, polku over the bare vector loop", 2, ref5["bare vector loop"]["polku_over"]))
    rows.append(at_least("ref5, numpy over polku", 8, ref5["numpy, no months"]["times_polku"]))
    rows += [row(f"ref5, {name} over polku", "", m["times_polku"]) for name, m in ref5.items()
             if name not in (ours, "bare vector loop", "numpy, no months")]
    rows.append(at_most("ips-vs-typ: ns a transition", 25, work["whole_program"]))
    rows.append(at_most("ten times the people: times the CPU time", 10.2, scale["ten_times_the_people"]))
    rows.append(row("ten times the replications: times the CPU time", "", work["ten_times_the_replications"]))
    if "two_threads_speed_up" in scale:
        rows.append(at_least("two threads: times as fast", 1.95, scale["two_threads_speed_up"]))
    memory = whole["peak_memory_MB"]
    peak = max(memory["nation"], memory["ref5"])
    rows.append(at_most("5.6 million people: peak memory, MB", 200, peak, text="{:.0f}"))
    for n, m in found["places"].items():
        rows.append(at_most(f"{n} people in one calendar: ns an event", 150, m["ns_an_event"]) if n == 30000 else
                    row(f"{n} people in one calendar: ns an event", "", m["ns_an_event"]))
        rows.append(row(f"{n} people in one calendar: peak memory, MB", "", m["memory_MB"], text="{:.0f}"))
    for name, wall in found["start_up_seconds"].items():
        ms = {key: 1000 * wall[key] for key in ("median", "low", "high")}
        rows.append(at_most(f"{name}: ms", 50, ms, text="{:.0f}") if "check" not in name else
                    row(f"{name}: ms", "", ms, text="{:.0f}"))
    rows.append(row(f"5.6 million, 44 years, none and ips, {whole['threads']} threads: s", "", whole["seconds"]))
    return rows


def tell(found):
    ref5 = found["ref5"]
    print(f"{found['polku']}, {found['cores']} cores, load {found['load_before']:.2f} before the first run")
    print(f"median (lowest to highest) of {found['runs']} runs in turn")
    print("\nref5, monthly tables, one thread: CPU ns a transition, and times polku's")
    for name, m in ref5.items():
        print(f"  {name:17} {m['median']:8.2f} {m['times_polku']['median']:8.2f}  ({m['low']:.2f} to {m['high']:.2f}; "
              f"{m['people']} people, {m['cpu_seconds_a_run']:.1f} s a run, {m['standard_errors_off']:.1f} s.e. off)")
    work = found["work_ability"]
    print(f"\nips-vs-typ without variants, one thread, {work['replications']} replications: CPU ns a transition")
    for name in ("whole_program", "simulation_only"):
        print(f"  {name.replace('_', ' '):17} {work[name]['median']:8.2f}  "
              f"({work[name]['low']:.2f} to {work[name]['high']:.2f})")
    print("\nstages, ns a transition (timing them costs too)")
    print("  " + " " * 10 + "".join(f"{stage:>8}" for stage in STAGES) + f"{'all':>8}")
    for name, costs in found["stages_ns"].items():
        print(f"  {name:10}" + "".join(f"{costs[stage]:8.2f}" for stage in STAGES) + f"{sum(costs.values()):8.2f}")
    rows = found["summary"]
    lines = [tuple(rows[0]), *(tuple(r.values()) for r in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    print()
    for line in lines:
        print("  ".join(f"{text:{width}}" for text, width in zip(line, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--polku", default=str(ROOT / "build/release/polku"), help="the program to measure")
    parser.add_argument("--runs", type=int, help="runs of each program, in turn (7; 3 with --quick)")
    parser.add_argument("--seconds", type=float, help="CPU seconds of a run of the main ones (5; 0.5 with --quick)")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs, for a try")
    parser.add_argument("--json", metavar="FILE", help="write everything found there too")
    options = parser.parse_args()
    options.runs = options.runs or (3 if options.quick else 7)
    options.seconds = options.seconds or (0.5 if options.quick else 5)
    compile_bases()
    polku = Polku(pathlib.Path(options.polku).resolve(), BUILD / "bench.h5")
    version = subprocess.run([polku.program, "--version"], check=True, capture_output=True, text=True).stdout
    found = {"polku": version.splitlines()[0], "cores": os.cpu_count(), "runs": options.runs,
             "load_before": os.getloadavg()[0]}
    if found["load_before"] > 0.3:
        print(f"bench: the machine is busy (load {found['load_before']:.2f}); wall times will suffer", file=sys.stderr)
    vectors = polku.vectors()
    found["vectors"] = vectors
    found["digests"] = digests(polku, vectors)
    found["ref5"] = beside_others(polku, vectors, options)
    people = found["ref5"][f"polku, {vectors[0]}"]["people"]
    found["scaling"] = scaling(polku, people, options)
    found["work_ability"] = work_ability(polku, options)
    found["stages_ns"] = stages(polku, people, found["work_ability"]["replications"], min(3, options.runs))
    found["nation"] = nation(polku, options.runs)
    found["places"] = places(polku, options.runs)
    found["start_up_seconds"] = start_up(polku, options.runs)
    found["summary"] = summary(found)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    tell(found)
    right = found["summary"][:2]
    sys.exit(any(r["reached"] == "no" for r in right))


main()
