#!/usr/bin/python3
"""Instructions a transition, by callgrind: a guard against slowness that does not depend on how busy the machine is.

Of each scenario a run of few replications is subtracted from one of more, of the same people: start-up, tables and
writing are the same in both. valgrind knows no AVX-512, so that AVX2 stands for the widest vectors. A mistake that
costs time but no instructions (memory, waiting) is not seen here: ./dev bench tells that.

To renew the figures after a change that is worth what it costs, or that made polku faster: build the preset release
or ci on Debian 12, run this file with POLKU=build/ci/polku, and put what it prints into MEASURED."""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from checks import BUILD, LONG, POLKU, SOURCE, check, finish

COMPILER = "GNU 12."  # whose instructions these are, in a build of type Release
ALLOWED = 1.10  # times the figure
MEASURED = {
    ("ref5", "avx2"): 145.8,
    ("ref5", "plain"): 313.0,
    ("ref5", "none"): 658.3,
    ("ips-vs-typ", "avx2"): 1337.6,
    ("ips-vs-typ", "plain"): 1921.4,
    ("ips-vs-typ", "none"): 1885.3,
    ("places", "avx2"): 1682.7,
}
# With a tenth of the people in each service, more than in the scenario, so that arms weigh.
OPTIONS = {"ref5": ["--people", "20000"],
           "ips-vs-typ": ["--people", "10000", "--set", "ips_clients=1000", "--no-variants"],
           "places": ["--people", "3000"]}
FOLDERS = {"places": os.path.join("tests", "bench")}
REPLICATIONS = (1, 3)
SKIPPED = 77  # ctest's SKIP_RETURN_CODE


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def instrumented():
    """What sanitizers or coverage add to the build, or nothing."""
    try:
        with open(os.path.join(BUILD, "CMakeCache.txt"), encoding="utf-8") as file:
            cache = dict(re.findall(r"^(POLKU_\w+):\w+=(.*)$", file.read(), flags=re.M))
    except FileNotFoundError:
        return ""
    coverage = cache.get("POLKU_COVERAGE", "OFF") not in ("OFF", "")
    return "".join(f", {what}" for what in (cache.get("POLKU_SANITIZE"), coverage and "coverage") if what)


def counted(valgrind, folder, scenario, vectors, replications):
    """Instructions and transitions of one run, or its messages if there are none."""
    own = os.path.join(folder, f"{scenario}-{vectors}-{replications}")
    done = subprocess.run(
        [valgrind, "--tool=callgrind", f"--callgrind-out-file={own}.callgrind", POLKU, "run",
         os.path.join(SOURCE, FOLDERS.get(scenario, "configs"), f"{scenario}.yaml"), *OPTIONS[scenario], "--replications", str(replications),
         "--vectors", vectors, "--threads", "1", "--keep-every", "1000000", "--json", "-o", f"{own}.h5"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=LONG)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        return done.stderr
    return int(found.group(1)), json.loads(done.stdout)["transitions"]


def main():
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        skip("valgrind is not installed")
    version = subprocess.run([POLKU, "--version"], capture_output=True, text=True).stdout.splitlines()
    build = version[1] if len(version) > 1 else ""
    if not build.startswith(COMPILER) or " Release" not in build or instrumented():
        skip(f"the figures are those of {COMPILER}x, Release, not of {build or 'this'}{instrumented()}")
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = {key: [pool.submit(counted, valgrind, folder, *key, n) for n in REPLICATIONS] for key in MEASURED}
        for (scenario, vectors), figure in MEASURED.items():
            few, more = (job.result() for job in jobs[scenario, vectors])
            if isinstance(few, str) and f"this processor has no {vectors}" in few:
                print(f"left out: this processor has no {vectors}")
                continue
            if not check(not isinstance(few, str) and not isinstance(more, str),
                         f"{scenario}, --vectors {vectors} runs under callgrind: {few}, {more}"):
                continue
            now = (more[0] - few[0]) / (more[1] - few[1])
            print(f'    ("{scenario}", "{vectors}"): {now:.1f},', flush=True)
            check(now <= ALLOWED * figure, f"{scenario}, --vectors {vectors}: {now:.1f} instructions a transition; "
                                           f"{figure} when last measured, and at most {ALLOWED} times as many allowed")
    finish()


main()
