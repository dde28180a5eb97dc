#!/usr/bin/python3
"""The house's rules, by machine: floors, single owners, headers that stand alone, names, format, sizes, no machine's paths.

Works on the compile commands in POLKU_BUILD and the sources in POLKU_SOURCE.
"""
import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from checks import BUILD, SOURCE, check, finish

# A floor may include itself and what stands here.
FLOORS = {
    "base": [],
    "maths": ["base"],
    "methods": ["base", "maths"],
    "model": ["base", "maths"],
    "engine": ["base", "maths", "model"],
    "run": ["base", "maths", "model", "engine"],
    "study": ["base", "maths", "methods", "model", "engine", "run"],
    "cli": ["base", "maths", "methods", "model", "engine", "run", "study"],
}
LINES_MAX = 450
SIM = os.path.join(SOURCE, "sim")
# What only one file may use: a pattern and how many files of sim/ use it, all on one floor.
OWNERS = {
    "libyaml": (r"#\s*include\s*<yaml\.h>", ["model/yaml.c"]),
    "malloc": (r"\b(malloc|calloc|realloc|free|aligned_alloc|strdup)\s*\(", ["base/memory.c"]),
    "OpenMP": (r"#\s*pragma\s+omp|#\s*include\s*<omp\.h>", ["run/run.c"]),
    "fsync and rename": (r"\b(fsync|rename)\s*\(", ["base/file.c"]),
    # HDF5's types are in one private header, which the five files of results include.
    "HDF5": (r"#\s*include\s*<hdf5(_hl)?\.h>", ["run/results_hdf5.h"]),
}


def sources(*endings, under=SIM):
    for folder, _, files in sorted(os.walk(under)):
        for file in sorted(files):
            if file.endswith(endings):
                yield os.path.join(folder, file)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def short(path):
    return os.path.relpath(path, SIM)


def without_comments(text):
    """The code alone: comments, and texts in quotes, say what they like."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r'^(?!\s*#\s*include).*$', lambda line: re.sub(r'"(\\.|[^"\\])*"', '""', line.group(0)), text, flags=re.M)


def floor_headers(floor):
    folder = os.path.join(SIM, floor, "include", "polku")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def compile_flags():
    """The compiler and the flags of one file of each floor, without its output."""
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    flags = {}
    for entry in commands:
        floor = os.path.relpath(entry["file"], SIM).split(os.sep)[0]
        if floor not in FLOORS or floor in flags:
            continue
        words, kept, skip = shlex.split(entry["command"]), [], False
        for word in words:
            if skip or word in ("-c", entry["file"]):
                skip = False
            elif word in ("-o", "-MF", "-MT"):
                skip = True
            elif word not in ("-MD", "--coverage"):
                kept.append(word)
        flags[floor] = kept
    return flags


def compiles(words, code, ending=".c"):
    with tempfile.NamedTemporaryFile("w", suffix=ending) as file:
        file.write(code)
        file.flush()
        done = subprocess.run([*words, "-fsyntax-only", file.name], capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def test_floors(pool):
    flags = compile_flags()
    check(set(flags) == set(FLOORS), f"every floor is compiled: {sorted(flags)}")
    jobs = []
    for floor, words in flags.items():
        for other in FLOORS:
            for header in floor_headers(other):
                allowed = other == floor or other in FLOORS[floor]
                jobs.append((floor, other, header, allowed,
                             pool.submit(compiles, words, f'#include "polku/{header}"\nextern int unused;\n')))
    for floor, other, header, allowed, job in jobs:
        good, why = job.result()
        if allowed:
            check(good, f"{floor} includes polku/{header} of {other}: {why}")
        else:
            check(not good and "No such file" in why or "file not found" in why,
                  f"{floor} must not be able to include polku/{header} of {other}")
    names = [header for floor in FLOORS for header in floor_headers(floor)]
    check(len(names) == len(set(names)), "no two floors publish a header of the same name")
    for path in sources(".c", ".h"):
        for include in re.findall(r'#\s*include\s+"([^"]*)"', read(path)):
            check(".." not in include, f"{short(path)} includes {include}: not around the floors' folders")


def test_headers(pool):
    folders = [f"-I{os.path.join(SIM, floor, 'include')}" for floor in FLOORS]
    warn = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-D_POSIX_C_SOURCE=200809L"]
    jobs = []
    for floor in FLOORS:
        for header in floor_headers(floor):
            code = f'#include "polku/{header}"\n#include "polku/{header}"\n'
            text = read(os.path.join(SIM, floor, "include", "polku", header))
            guard = "PK_" + re.sub(r"\W", "_", header).upper()
            check(f"#ifndef {guard}\n" in text, f"{header} is guarded by {guard}")
            jobs.append((header, "C11", pool.submit(compiles, ["cc", "-std=c11", *warn, *folders], code + "extern int unused;\n")))
            jobs.append((header, "C++17", pool.submit(compiles, ["c++", "-std=c++17", *warn, *folders], code, ".cpp")))
    for header, language, job in jobs:
        good, why = job.result()
        check(good, f"polku/{header} compiles alone as {language}: {why}")


def test_owners():
    texts = {short(path): without_comments(read(path)) for path in sources(".c", ".h")}
    for what, (pattern, owners) in OWNERS.items():
        found = sorted(name for name, text in texts.items() if re.search(pattern, text))
        check(found == owners, f"{what} belongs to {owners}, used by {found}")
    found = sorted(name for name, text in texts.items() if re.search(r"#\s*include\s*<\w*mmintrin\.h>|\b_mm\d*_\w+\(", text))
    check(len(found) <= 1, f"intrinsics are in at most one file, found in {found}")
    for name, text in texts.items():
        floor = name.split(os.sep)[0]
        if floor == "cli":
            continue
        check(not re.search(r"\b(exit|_exit|printf|puts|putchar)\s*\(", text), f"{name}: only cli prints and exits")
        if name != "base/status.c":  # says where a bug of ours is, before it aborts
            check(not re.search(r"\b(abort|assert)\s*\(|\bf(printf|puts)\s*\(\s*(stderr|stdout)|,\s*stderr\)", text),
                  f"{name}: nothing below cli aborts or writes to a stream")
        if floor == "engine":
            check(not re.search(r"#\s*include\s*<(stdio|omp|pthread|time)\.h>", text) or "snprintf" in text,
                  f"{name}: the engine knows no streams, threads or clocks")
    for name, text in texts.items():
        check(not re.search(r"\b(rand|srand|random|drand48|time)\s*\(\s*(NULL)?\s*\)", text) or name.startswith("run/store"),
              f"{name}: no random numbers and no time of day but our own")
        check("-ffast-math" not in text and "FP_CONTRACT ON" not in text, f"{name}: no fast mathematics")


def test_symbols():
    library = os.path.join(BUILD, "sim", "libpolku.a")
    if not check(os.path.exists(library), f"{library} is there"):
        return
    listed = subprocess.run(["nm", "--defined-only", "-g", "-P", library], capture_output=True, text=True, check=True).stdout
    symbols = {line.split()[0] for line in listed.splitlines() if len(line.split()) > 2}
    of_compilers = ("__odr_asan", "__gcov", "__llvm", "__covrec", "__sanitizer", "__start_", "__stop_", ".")
    ours = {name for name in symbols if not name.startswith(of_compilers)}
    wrong = sorted(name for name in ours if not name.startswith("pk_"))
    check(len(ours) > 50 and not wrong, f"exported names start with pk_: {wrong}")
    undeclared = sorted(ours - set(re.findall(r"\bpk_\w+", "".join(read(path) for path in sources(".h")))))
    check(not undeclared, f"exported names are declared in a header, else static: {undeclared}")


def test_format(pool):
    program = shutil.which("clang-format-14") or shutil.which("clang-format")
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout if program else ""
    if "version 14." not in version:
        print(f"skipped: the format is that of clang-format 14, found {version.strip() or 'none'}")
        return
    paths = [*sources(".c", ".h"), *sources(".c", ".h", under=os.path.join(SOURCE, "tests"))]
    jobs = [(path, pool.submit(subprocess.run, [program, "--dry-run", "-Werror", path], capture_output=True, text=True))
            for path in paths]
    for path, job in jobs:
        done = job.result()
        check(done.returncode == 0, f"{os.path.relpath(path, SOURCE)} is not formatted: clang-format-14 -i it; "
                                    f"first: {done.stderr.splitlines()[0] if done.stderr else ''}")


def test_tree():
    for path in sources(".c", ".h"):
        lines = read(path).splitlines()
        check(len(lines) <= LINES_MAX, f"{short(path)} has {len(lines)} lines, at most {LINES_MAX} are allowed")
        check(max(map(len, lines), default=0) <= 120, f"{short(path)} has a line of more than 120 characters")
        head = read(path)[:2]
        check(head == "/*", f"{short(path)} starts by saying what it is responsible for")
    listed = subprocess.run(["git", "-C", SOURCE, "ls-files", "-z"], capture_output=True)
    if listed.returncode != 0:
        print("skipped: no git checkout, so no list of files")
        return
    machine = re.compile(r"(?<![\w.])/(work|home|Users|root|mnt|scratch)/\w")
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = os.path.join(SOURCE, name)
        if not os.path.isfile(path) or os.path.islink(path):
            continue
        try:
            text = read(path)
        except UnicodeDecodeError:
            continue
        found = machine.search(text)
        check(found is None, f"{name} holds a path of some machine: {text[found.start() - 20:found.end() + 40] if found else ''!r}")


def main():
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        test_floors(pool)
        test_headers(pool)
        test_owners()
        test_symbols()
        test_format(pool)
        test_tree()
    finish()


if __name__ == "__main__":
    main()
