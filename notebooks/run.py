#!/usr/bin/python3
"""Runs notebooks as plain programs, cell after cell, in this folder: run.py NOTEBOOK.ipynb...

What their cells print is printed, pictures are written beside them. Jupyter is not needed; to look at a notebook open it
there. Exit code 1 if a cell fails, with its number."""
import json
import os
import pathlib
import sys
import traceback


def run(path):
    path = pathlib.Path(path).resolve()
    os.chdir(path.parent)
    scope = {"__name__": "__main__"}
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
        if cell["cell_type"] != "code":
            continue
        try:
            exec(compile("".join(cell["source"]), f"{path.name}, cell {number}", "exec"), scope)
        except Exception:
            traceback.print_exc()
            print(f"{path.name}: cell {number} fails", file=sys.stderr)
            return False
    return True


sys.exit(0 if all([run(path) for path in [pathlib.Path(name).resolve() for name in sys.argv[1:]]]) else 1)
