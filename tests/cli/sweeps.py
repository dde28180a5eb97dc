"""What the tests of sweeps share: running one, reading its file, and writing studies."""
import json
import os

import h5py
import yaml

from checks import SOURCE, check, expect, polku

DATA = os.path.join(SOURCE, "tests", "data", "sweeps")


def path_of(name):
    return os.path.join(DATA, name + ".yaml")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def write_study(path, scenario, sweep, **others):
    """A study from what yaml would read of it."""
    study = {"polku": 1, "study": os.path.basename(path)[:-5], **({"scenario": scenario} if scenario else {}), **others,
             "sweep": sweep}
    return write(path, yaml.safe_dump(study, sort_keys=False))


yaml.SafeDumper.add_representer(type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", ""))


class Sample:
    """All of STEM.h5 that tests look at."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            def texts(name):
                return [text.decode().rstrip("\0") for text in file[name][...]] if name in file else []

            self.attributes = {key: value.decode() if isinstance(value, bytes) else value
                               for key, value in file.attrs.items()}
            points = file["points"]
            self.x, self.y, self.se = points["x"][...], points["y"][...], points["y_se"][...]
            self.part, self.row, self.factor, self.level = (points[key][...] for key in ("part", "row", "factor", "level"))
            self.world, self.key = points["world"][...], points["key"][...]
            self.quantities, self.figures = texts("points/quantity"), texts("points/figure")
            self.factors, self.kinds = texts("factors/factor"), file["factors/kind"][...]
            self.first = file["factors/first_quantity"][...]
            self.level_names = texts("levels/name")

    def figure(self, name):
        return self.y[:, self.figures.index(name)]

    def error(self, name):
        return self.se[:, self.figures.index(name)]


def sweep(study, stem, *arguments, **options):
    """Runs it; what it tells as JSON, and its file."""
    done = expect(0, "", "sweep", study, "-o", stem, "--json", *arguments, **options)
    told = json.loads(done.stdout) if done.returncode == 0 else {}
    check(told.get("output", "").startswith(stem), f"the file is told: {done.stdout}{done.stderr}")
    return told, Sample(told["output"]) if "output" in told else None


def analyse(path, *arguments):
    """What it tells as JSON."""
    done = expect(0, "", "analyse", path, "--json", *arguments)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def compared(folder, scenario, sets, replications):
    """polku run with these values, and what polku compare tells of it; None: it cannot be run."""
    result = os.path.join(folder, "run.h5")
    given = [word for name, value in sets for word in ("--set", f"{name}={value}")]
    done = polku("run", scenario, "--no-variants", "-r", replications, "-o", result, *given)
    if not check(done.returncode == 0, f"polku run {given}: {done.stderr}"):
        return None
    return json.loads(expect(0, "", "compare", result, "--json").stdout)
