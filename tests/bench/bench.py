#!/usr/bin/python3
"""Speed, memory and scaling of polku, beside a plain GSL program and numpy on the same model, in one go.

    ./dev bench [--quick] [--runs N] [--seconds S] [--json]

CPU times are user + system of the whole program, output included; numpy is spared its start-up. Programs that are
compared run in turn, the figure is the median, and the spread is the lowest and highest. Not a test: no limits."""
import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PYTHON = "/usr/bin/python3"
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}


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

    def run(self, scenario, *options):
        text, cpu, wall, memory = execute([self.program, "run", ROOT / scenario, "--json", "-o", self.output, *options])
        told = json.loads(text)
        return {"transitions": told["transitions"], "cpu": cpu, "wall": wall, "memory": memory,
                "simulation": told["seconds"] * told["threads"]}


def base(arguments):
    text, cpu, wall, memory = execute(arguments)
    lines = dict(line.split(" ", 1) for line in text.splitlines())
    return {"transitions": int(lines["transitions"]), "cpu": float(lines.get("cpu_seconds", cpu)), "wall": wall,
            "memory": memory}


def spread(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "runs": len(values)}


def in_turn(runs, programs):
    """Each program `runs` times, alternating; {name: [measurement]}."""
    measured = {name: [] for name in programs}
    for _ in range(runs):
        for name, program in programs.items():
            measured[name].append(program())
    return measured


def people_for(seconds, first, program):
    """So many people that the program takes about so many CPU seconds."""
    measured = program(first)
    while measured["cpu"] < 0.2:
        first *= 8
        measured = program(first)
    return max(1000, int(first * seconds / measured["cpu"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--polku", default=str(ROOT / "build/release/polku"), help="the program to measure")
    parser.add_argument("--runs", type=int, default=7, help="runs of each program, in turn (7)")
    parser.add_argument("--seconds", type=float, default=10, help="CPU seconds of each program in all (10)")
    parser.add_argument("--people-small", type=int, default=10**5, help="for memory (100000)")
    parser.add_argument("--people-large", type=int, default=10**7, help="for memory (10000000)")
    parser.add_argument("--quick", action="store_true", help="does everything work? the figures mean nothing")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.seconds, options.people_large = 3, 1, 10**6
    build = ROOT / "build/bench"
    build.mkdir(parents=True, exist_ok=True)
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "gsl"], check=True, capture_output=True, text=True)
    subprocess.run(["gcc", "-O3", "-march=native", str(HERE / "base_gsl.c"), "-o", str(build / "base_gsl"),
                    *flags.stdout.split()], check=True)
    polku = Polku(pathlib.Path(options.polku).resolve(), build / "bench.h5")
    each = options.seconds / options.runs
    found = {"polku": subprocess.run([polku.program, "--version"], check=True, capture_output=True,
                                     text=True).stdout.splitlines()[0], "cores": os.cpu_count()}

    def ref5(people, threads=1):
        return polku.run("configs/ref5.yaml", "--people", people, "--threads", threads)

    # ns a transition on one thread, beside the obvious programs
    programs = {"polku": ref5,
                "GSL": lambda people: base([build / "base_gsl", people]),
                "GSL, no months": lambda people: base([build / "base_gsl", people, "no-months"]),
                "numpy, no months": lambda people: base([PYTHON, HERE / "base_numpy.py", people])}
    people = {name: people_for(each, 100000, program) for name, program in programs.items()}
    measured = in_turn(options.runs, {name: lambda name=name: programs[name](people[name]) for name in programs})
    found["ref5_ns_a_transition"] = {
        name: {**spread([m["cpu"] * 1e9 / m["transitions"] for m in measured[name]]), "people": people[name],
               "cpu_seconds_in_all": sum(m["cpu"] for m in measured[name])} for name in programs}
    ours = found["ref5_ns_a_transition"]["polku"]["median"]
    found["ref5_ratio_to_polku"] = {name: found["ref5_ns_a_transition"][name]["median"] / ours
                                    for name in programs if name != "polku"}

    # the work-ability model
    probe = polku.run("configs/ips-vs-typ.yaml", "--no-variants", "--threads", 1, "--replications", 20)
    replications = max(2, min(2000, int(20 * each / probe["cpu"])))
    tyokyky = in_turn(options.runs, {"polku": lambda: polku.run("configs/ips-vs-typ.yaml", "--no-variants", "--threads",
                                                                1, "--replications", replications)})["polku"]
    found["tyokyky_ns_a_transition"] = {
        "whole program": spread([m["cpu"] * 1e9 / m["transitions"] for m in tyokyky]),
        "simulation only": spread([m["simulation"] * 1e9 / m["transitions"] for m in tyokyky]),
        "replications": replications, "transitions": tyokyky[0]["transitions"]}

    # two threads
    threads = in_turn(options.runs, {n: lambda n=n: ref5(people["polku"], n) for n in (1, 2)})
    found["two_threads_speed_up"] = {"median": statistics.median(m["wall"] for m in threads[1]) /
                                     statistics.median(m["wall"] for m in threads[2]),
                                     "wall_1": spread([m["wall"] for m in threads[1]]),
                                     "wall_2": spread([m["wall"] for m in threads[2]])}

    # memory and start-up; a process starts with the peak of the one that forked it
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found["peak_memory_MB"] = {str(n): ref5(n)["memory"] for n in (options.people_small, options.people_large)}
    found["peak_memory_MB"]["cannot be told below"] = floor
    small = in_turn(max(7, options.runs), {
        "ref5, 100 people": lambda: ref5(100),
        "ips-vs-typ, 4000 people, 1 replication": lambda: polku.run(
            "configs/ips-vs-typ.yaml", "--no-variants", "--people", 4000, "--replications", 1, "--threads", 1)})
    found["start_up_seconds"] = {name: spread([m["wall"] for m in runs]) for name, runs in small.items()}

    if options.json:
        print(json.dumps(found, indent=1))
        return
    print(f"{found['polku']}, {found['cores']} cores; median (lowest to highest) of {options.runs} runs in turn")
    print("\nref5, monthly tables, one thread: CPU ns a transition, and times polku's")
    for name, m in found["ref5_ns_a_transition"].items():
        print(f"  {name:18} {m['median']:8.2f} {m['median'] / ours:8.2f}  ({m['low']:.2f} to {m['high']:.2f}, {m['people']} people)")
    print("\nips-vs-typ without variants, one thread, CPU ns a transition")
    for name in ("whole program", "simulation only"):
        m = found["tyokyky_ns_a_transition"][name]
        print(f"  {name:16} {m['median']:8.2f}  ({m['low']:.2f} to {m['high']:.2f})")
    print(f"\ntwo threads against one, wall time: {found['two_threads_speed_up']['median']:.2f} times as fast")
    print("\npeak memory, one thread")
    for n in (options.people_small, options.people_large):
        print(f"  {n:>10} people {found['peak_memory_MB'][str(n)]:8.1f} MB")
    print("\nstart-up: a small run, wall seconds")
    for name, m in found["start_up_seconds"].items():
        print(f"  {name:42} {m['median']:6.3f}  ({m['low']:.3f} to {m['high']:.3f})")


main()
