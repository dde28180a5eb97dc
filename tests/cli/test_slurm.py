#!/usr/bin/python3
"""polku submit on a real Slurm cluster of three nodes: one loses its power in the middle, one is given up though what it
runs lives on, shards are damaged, missing, of another study or killed while they are written. What comes out has the
bytes of a sweep in one piece. Also where there is no Slurm, and the scripts by hand.

Skipped only where Slurm is not installed. Nothing is left behind: see slurm/keeper.py.
"""
import glob
import os
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "slurm"))
import h5py
from checks import POLKU, SOURCE, check, finish, polku
from cluster import LONG, PACKAGES, Cluster, missing_programs, send, wait_until
from keeper import end_with_parent
from sweeps import read

SKIPPED = 77  # ctest's SKIP_RETURN_CODE
N_SHARDS = 16
TASK_SECONDS = 0.7  # about what a shard takes here, however slow this machine and this build are
NAME = "it's a \"test\" of 100 % #1 $HOME; {1..3} *"  # a folder: names are words, whatever is in them
STEM = "out put's"
COPY = ("model.yaml", "scenario.yaml", "study.yaml")


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def path_of(folder, stem, i_shard, n_shards=N_SHARDS):
    return os.path.join(folder, f"{stem}.shard-{i_shard:04}-of-{n_shards:04}.h5")


def make_study(folder):
    """The study, with so many replications that a shard takes about as long as it should."""
    for name in COPY:
        shutil.copy(os.path.join(SOURCE, "tests", "data", "sweep", name), folder)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    polku("sweep", "-s", f"1/{N_SHARDS}", "-t", "1", "-o", "speed", "study.yaml", cwd=folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    os.remove(path_of(folder, "speed", 1))
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime  # of a processor, however busy it is
    n = max(4, min(400, round(8 * TASK_SECONDS / seconds)))
    text = read(os.path.join(folder, "study.yaml"))
    write(os.path.join(folder, "study.yaml"), text.replace(b"replications: 8", b"replications: %d" % n))


def check_done(done, what, code=0, out=(), err=()):
    """A finished program, with its code and what it says. A sanitizer's report is a failure of its own."""
    good = done.returncode == code and all(text in done.stdout for text in out) and all(text in done.stderr for text in err)
    good = good and "Sanitizer" not in done.stderr and "runtime error:" not in done.stderr
    return check(good, f"{what}: exit {done.returncode}, expected {code}; stdout {done.stdout!r}, expected {out}; "
                       f"stderr {done.stderr!r}, expected {err}")


class World:
    """The cluster, the folder with the study, and the bytes that everything must come to."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder = cluster, folder
        self.result = os.path.join(folder, STEM + ".h5")
        os.mkdir(folder)
        make_study(folder)
        check_done(polku("sweep", "-t", "2", "-o", "whole", "study.yaml", cwd=folder), "the sweep in one piece")
        check_done(polku("analyse", "whole.h5", cwd=folder), "its analysis")
        self.bytes = read(os.path.join(folder, "whole.h5"))

    def polku(self, *arguments, **options):
        return polku(*arguments, cwd=self.folder, env=self.cluster.environment, **options)

    def submit(self, *options):
        return self.polku("submit", "study.yaml", "-o", STEM, *options)

    def aside(self, *arguments, stderr=subprocess.PIPE):
        """The program while something else is done."""
        return subprocess.Popen([POLKU, *arguments], cwd=self.folder, text=True, env=self.cluster.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr,
                                preexec_fn=lambda: end_with_parent(signal.SIGKILL))

    def submit_aside(self, *options, **others):
        return self.aside("submit", "study.yaml", "-o", STEM, *options, **others)

    def shard(self, i):
        return path_of(self.folder, STEM, i)

    def merge(self):
        return self.polku("merge", "-o", STEM, "study.yaml")

    def array(self):
        """The tasks that the script asks for."""
        script = read(os.path.join(self.folder, STEM + ".slurm", "array.sh")).decode()
        return re.search(r"^#SBATCH --array=(.*)$", script, re.M).group(1)

    def is_same(self, name):
        """Whether a file of the folder is there and has the bytes of the sweep in one piece."""
        path = os.path.join(self.folder, name)
        return os.path.exists(path) and read(path) == self.bytes

    def queue(self):
        return self.cluster.ask("squeue", "-h", "-r", "-o", "%F").split()

    def check_whole(self, what):
        check(self.is_same(STEM + ".h5"), f"{what}: the bytes of the sweep in one piece")
        left = glob.glob(glob.escape(os.path.join(self.folder, STEM)) + ".*part*")
        check(not left, f"{what}: nothing half done is left: {left}")


def finished(process):
    out, err = process.communicate(timeout=LONG)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


# ---- nodes that fail ------------------------------------------------------------------------------------------------


def state(pid):
    """The letter of a process; Z when it is gone: it may go while we look, whoever its parent is meanwhile."""
    try:
        return read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[0].decode()
    except (FileNotFoundError, ProcessLookupError):
        return "Z"


def has_ended(pid):
    return state(pid) in "ZX"


def stands_still(pid):
    """Tells a process to stop; whether it did before its end."""
    return send(pid, signal.SIGSTOP) and wait_until(lambda: (now := state(pid)) in "TZX" and now, "a task stands still") == "T"


def freeze(world, node):
    """Stops a task on a node in the middle of its work; returns its process and shard. Not while it writes: the merge, which
    is there only after the shard, takes away what tasks that were killed have half written."""
    def caught():
        for pid, words in world.cluster.processes(node):
            if len(words) < 4 or words[1] != "sweep":
                continue
            i_shard = int(words[words.index("--shard") + 1].partition("/")[0])
            if stands_still(pid):
                path = world.shard(i_shard)
                if not os.path.exists(path) and not glob.glob(glob.escape(path) + ".partial-*"):
                    return pid, i_shard
                send(pid, signal.SIGCONT)
        return None
    return wait_until(caught, f"a task runs on {node}")


def check_once(world):
    """Every point is in one shard, every shard has its own points only."""
    points = []
    for i in range(1, N_SHARDS + 1):
        with h5py.File(world.shard(i)) as file:
            points += file["/points/point"][()].tolist()
    check(points == list(range(200)), f"every point is in exactly one shard: {points}")
    names = sorted(glob.glob(glob.escape(os.path.join(world.folder, STEM)) + ".shard-*"))
    check(names == [world.shard(i) for i in range(1, N_SHARDS + 1)], f"one file a shard and no other: {names}")


def test_failing_nodes(world):
    cluster = world.cluster
    following = world.submit_aside("--shards", str(N_SHARDS))
    try:
        _, dead = freeze(world, "node2")  # from the first task on: after the last one there is none to be caught
        left, doubled = freeze(world, "node3")
        wait_until(lambda: glob.glob(glob.escape(os.path.join(world.folder, STEM)) + ".shard-*.h5"), "a shard is done")
        cluster.cut_power("node2")
        cluster.lose("node3")
        done = finished(following)
    finally:
        following.kill()
    again = re.findall(r"ArrayTaskId=(\d+).*?Restarts=(\d+)", cluster.ask("scontrol", "-o", "show", "job"))
    again = {int(task) for task, restarts in again if restarts != "0"}
    check({dead, doubled} <= again, f"shards {dead} and {doubled} were started again: {again}")
    if done.returncode != 0:  # a node can fail in ways that Slurm does not mend: then the same command does
        done = world.submit("--shards", str(N_SHARDS))
    check_done(done, "a sweep on a cluster with failing nodes", out=[f"200 points in {N_SHARDS} shards", f"{STEM}.h5"])
    check(done.stderr == "", f"in a pipe it is quiet: {done.stderr!r}")
    world.check_whole("a sweep on a cluster with failing nodes")
    check_once(world)
    check(read(os.path.join(world.folder, STEM + ".analysis.h5")) == read(os.path.join(world.folder, "whole.analysis.h5")),
          "the analysis is that of the sweep in one piece")
    # the copy of a task on the node that was given up goes on and writes the shard once more
    before, content = os.stat(world.shard(doubled)).st_ino, read(world.shard(doubled))
    os.kill(left, signal.SIGCONT)
    wait_until(lambda: has_ended(left), "the second copy of a task ends")
    check(os.stat(world.shard(doubled)).st_ino != before, "the second copy of a task wrote its shard")
    check(read(world.shard(doubled)) == content, "two copies of a task write the same bytes")
    check_once(world)
    check_done(world.submit("--shards", str(N_SHARDS)), "all is done", out=["nothing to do: all 200 points"])
    check(world.queue() == [], f"and nothing is submitted: {world.queue()}")


# ---- shards that are not as they should be --------------------------------------------------------------------------


def refused(world, i_shard, content, text):
    """A merge with this in the place of a shard names it and writes nothing. None: the shard is away."""
    path, good = world.shard(i_shard), read(world.shard(i_shard))
    os.remove(path) if content is None else write(path, content)
    done = world.merge()
    check_done(done, f"a merge with shard {i_shard} {text}", 1, err=[f"shard-{i_shard:04}-of-{N_SHARDS:04}.h5", text])
    check(not os.path.exists(world.result), f"a merge with shard {i_shard} {text}: nothing is written")
    write(path, good)


def test_damage(world):
    """Leaves shards 2, 3, 5, 7 and 9 as they should not be."""
    os.remove(world.result)
    for folder in ("other", "older"):
        os.mkdir(os.path.join(world.folder, folder))
        for name in COPY:
            shutil.copy(os.path.join(world.folder, name), os.path.join(world.folder, folder))
    other, older = (os.path.join(world.folder, folder, name) for folder, name in (("other", "study.yaml"), ("older", "model.yaml")))
    write(other, read(other).replace(b"polku: 1\n", b"polku: 1\nseed: 17\n"))
    write(older, read(older).replace(b"value: 0.4,", b"value: 0.41,"))
    foreign = {}
    for folder, i_shard in (("other", 9), ("older", 10)):
        done = polku("sweep", "-s", f"{i_shard}/{N_SHARDS}", "-o", "x", "study.yaml", cwd=os.path.join(world.folder, folder))
        check_done(done, f"a shard of the {folder} study")
        foreign[i_shard] = read(path_of(os.path.join(world.folder, folder), "x", i_shard))
    with h5py.File(world.shard(5)) as file:
        number = file["/points/y"][3].tobytes()
    fifth, seventh = read(world.shard(5)), read(world.shard(7))
    at = fifth.index(number)
    flipped = fifth[:at] + bytes([fifth[at] ^ 1]) + fifth[at + 1:]
    refused(world, 5, flipped, "")
    refused(world, 7, seventh[:len(seventh) // 2], "")
    refused(world, 7, b"", "")
    refused(world, 9, foreign[9], "is of another study")
    refused(world, 10, foreign[10], "is of another study")
    refused(world, 3, None, f"shard 3/{N_SHARDS}, points 26 to 38")
    refused(world, 4, read(world.shard(6)), f"shard 4/{N_SHARDS}, points 39 to 51")  # a copy of another one
    check_done(world.merge(), "a merge of good shards", out=["200 points from 16 files"])
    world.check_whole("a merge of good shards")
    for path in (world.result, world.shard(3), world.shard(2)):
        os.remove(path)
    write(world.shard(5), flipped)
    write(world.shard(7), seventh[:len(seventh) // 2])
    write(world.shard(9), foreign[9])
    cannot_write(world, 2)


def cannot_write(world, i_shard):
    """A task that has no room to write, and one that is killed while it writes, which leaves its half."""
    script = os.path.join(world.folder, STEM + ".slurm", "array.sh")
    for first, code, wanted in (("trap '' XFSZ", 3, 0), (":", -signal.SIGXFSZ, 1)):
        done = subprocess.run(["bash", "-c", f"{first}; ulimit -c 0 -f 16; exec bash \"$0\" {i_shard}", script], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=LONG, env=world.cluster.environment)
        check(done.returncode == code, f"a task that cannot write ends with {code}: {done.returncode}, {done.stderr}")
        check(code < 0 or "File too large" in done.stderr, f"and says why: {done.stderr}")
        left = glob.glob(glob.escape(world.shard(i_shard)) + "*")
        check(len(left) == wanted and all(".h5.partial-" in name for name in left),
              f"a task that cannot write leaves nothing under its name: {left}")
    check_done(world.merge(), "a merge beside half a shard", 1, err=["is"])


# ---- submitting what is missing -------------------------------------------------------------------------------------


def keep_some(world, i_shard):
    """A task that is told to stop in the middle; returns how many points it keeps."""
    path, damaged = world.shard(i_shard), read(world.shard(i_shard))
    for _ in range(20):  # it may be too fast for us
        task = world.aside("sweep", "-s", f"{i_shard}/{N_SHARDS}", "-t", "1", "--keep-every", "0", "-o", STEM, "study.yaml")
        wait_until(lambda: os.path.exists(path + ".part") or task.poll() is not None, "a point is kept")
        task.send_signal(signal.SIGTERM)
        done = finished(task)
        if done.returncode != 0:
            break
        write(path, damaged)
    check_done(done, "a task that is told to stop", -signal.SIGTERM, err=["which are kept"])
    kept, = struct.unpack("<q", read(path + ".part")[32:40])
    check(0 < kept <= 13, f"some points are kept: {kept}")
    return kept


def shown_until(terminal, text):
    """What is on a terminal up to this text, or what there is of it: it may come in pieces."""
    shown = ""
    while text not in shown and select.select([terminal], [], [], LONG)[0]:
        shown += os.read(terminal, 4096).decode()
    return shown


def interrupt(world, jobs, n_points):
    """Follows on a terminal and is stopped there."""
    ours, its = pty.openpty()
    following = world.submit_aside(stderr=its)
    try:
        check("submitted already" in following.stdout.readline(), "the second start follows")
        wanted = f"11 of {N_SHARDS} shards, {n_points} of 200 points; 0 run, 5 wait"
        shown = shown_until(ours, wanted)
        check(wanted in shown, f"it shows how far it is: {shown!r}")
        following.send_signal(signal.SIGINT)
        check(following.wait(LONG) == -signal.SIGINT, f"an interruption stops following: {following.returncode}")
        wanted = f"scancel {' '.join(jobs)} ends them"
        shown = shown_until(ours, wanted)
        check(wanted in shown, f"and says how to end the jobs: {shown!r}")
    finally:
        following.kill()
        following.stdout.close()
        os.close(ours)
        os.close(its)


def test_missing(world):
    """Jobs wait as long as the partition is down, so that there is time for every mishap."""
    cluster, kept = world.cluster, keep_some(world, 7)
    cluster.partition("DOWN")
    done = world.submit("--no-follow")
    check_done(done, "what is missing is submitted", out=["submitted: job "])
    check(world.array() == "2-3,5,7,9", f"the missing shards, of as many as there were: {world.array()}")
    jobs = re.findall(r"job (\d+)", done.stdout)
    check_done(world.submit("--no-follow"), "submitting twice", out=[f"submitted already: job {jobs[0]}, then {jobs[1]}"])
    check_done(world.submit("--shards", "8"), "submitting another division", 1,
               err=[f"jobs of an earlier submission, of {N_SHARDS} shards", f"scancel {' '.join(jobs)}"])
    check_done(world.submit("--draws", "201"), "submitting more points meanwhile", 1, err=["jobs of an earlier submission"])
    check(sorted(set(world.queue())) == sorted(jobs), f"no other jobs are there: {world.queue()}, {jobs}")
    interrupt(world, jobs, 136 + kept)
    check(sorted(set(world.queue())) == sorted(jobs), f"and leaves the jobs: {world.queue()}, {jobs}")
    # tasks that fail: the study is not what it was
    study = os.path.join(world.folder, "study.yaml")
    good = read(study)
    following = world.submit_aside()
    try:
        check("submitted already" in following.stdout.readline(), "the third start follows")
        write(study, b"no study at all\n")
        cluster.partition("UP")
        done = finished(following)
    finally:
        following.kill()
    write(study, good)
    check_done(done, "tasks fail", 3, err=[f"missing: shard 9/{N_SHARDS}", f"5 of {N_SHARDS} shards are missing",
                                           f"/logs/{jobs[0]}_9.txt"])
    check(world.queue() == [], f"the merge that waited for them is gone: {world.queue()}")
    check(not os.path.exists(world.result), "and nothing was merged")
    done = world.submit()
    check_done(done, "a second start does what is missing", out=["done already: 11 shards; missing: 5", "200 points in 16 shards"])
    check(world.array() == "2-3,5,7,9", f"only that: {world.array()}")
    logs = [read(path).decode() for path in glob.glob(glob.escape(os.path.join(world.folder, STEM)) + ".slurm/logs/*_7.txt")]
    check(any("13 points of 200" in log and f" {kept} taken up, {13 - kept} run" in log for log in logs),
          f"the {kept} points of a task that was stopped are taken up: {logs}")
    world.check_whole("a second start")
    check_once(world)
    os.remove(world.result)
    done = world.submit()
    check_done(done, "only merging was left", out=["200 points in 16 shards, 16 of them done before"])
    world.check_whole("only merging was left")


def test_refusals(world):
    os.remove(world.result)
    done = world.submit("--shards", "3", "--partition", "nowhere")
    check_done(done, "a partition that is not there", 3, err=["sbatch does not take it", "invalid partition"])
    check_done(world.submit("--shards", "150"), "more tasks than an array may have", 1,
               err=["MaxArraySize 101", "--shards 100 at most"])
    for options, text in ((("--time", "a b"), "--time is \"a b\""), (("--sbatch", "--x\n--y"), "end of a line"),
                          (("--shards", "0"), "--shards is \"0\""), (("--shards", "10000"), "--shards is"),
                          (("--partition", "x'y"), "expected one word"), (("--cpu", "0"), "--cpus is")):
        check_done(world.submit(*options), f"wrong usage {options}", 2, err=[text])
    check(world.queue() == [], f"and nothing is submitted: {world.queue()}")


# ---- without Slurm --------------------------------------------------------------------------------------------------


def test_by_hand(world):
    """The scripts alone, from another folder."""
    where = dict(world.cluster.environment, PATH=os.path.join(world.cluster.folder, "log"))
    extra = "--comment='a b' --nice=3"
    done = polku("submit", "study.yaml", "-o", "by hand", "-n", "3", "--dry-run", "--sbatch", extra, "--partition", "small",
                 "--account", "project_1", "--time", "1-02:00:00", "--mem", "3G", "--cpus", "2", cwd=world.folder, env=where)
    check_done(done, "a dry run", out=["200 points", "in 3 shards of 66 or one more points", "nothing is submitted",
                                       "asks for 1-02:00:00 and 3G"])
    folder = os.path.join(world.folder, "by hand.slurm")
    scripts = [os.path.join(folder, name) for name in ("array.sh", "merge.sh")]
    for script in scripts:
        done = subprocess.run(["bash", "-n", script], capture_output=True, text=True)
        check_done(done, f"bash reads {script}")
        text = read(script).decode()
        wanted = ["--partition=small", "--account=project_1", "--time=1-02:00:00", "--mem=3G", "--requeue",
                  "--open-mode=append", extra]
        wanted += ["--array=1-3", "--cpus-per-task=2"] if "array" in script else ["--kill-on-invalid-dep=yes"]
        check(all(f"#SBATCH {line}\n" in text or f" {line}\n" in text for line in wanted), f"{script} asks for {wanted}: {text}")
    for words in ([scripts[0], "3"], [scripts[0], "1", "1"], [scripts[0], "2", "3"], [scripts[1]]):
        done = subprocess.run(["bash", *words], cwd="/", capture_output=True, text=True, timeout=LONG)
        check_done(done, f"{words} by hand")
    check(world.is_same("by hand.h5"), "by hand: the bytes of the sweep in one piece")
    done = polku("submit", "study.yaml", "-o", "many", "-n", "999", "--dry-run", cwd=world.folder, env=where)
    check_done(done, "more shards than points", out=["in 200 shards of 1 point (999 shards were asked for"])


def test_here(world):
    """No sbatch: the same shards on this machine."""
    where = dict(world.cluster.environment, PATH=os.path.join(world.cluster.folder, "log"))
    done = polku("submit", "study.yaml", "-o", "here", "-n", "5", cwd=world.folder, env=where)
    check_done(done, "without Slurm", out=["200 points in 5 shards"], err=["no sbatch here"])
    check(world.is_same("here.h5"), "without Slurm: the bytes of the sweep in one piece")
    check(os.path.exists(os.path.join(world.folder, "here.analysis.h5")), "without Slurm: it is analysed")
    for path in (os.path.join(world.folder, "here.h5"), path_of(world.folder, "here", 4, 5)):
        if os.path.exists(path):
            os.remove(path)
    done = polku("submit", "study.yaml", "-o", "here", cwd=world.folder, env=where)
    check_done(done, "without Slurm again", out=["done already: 4 shards; missing: 1", "in 5 shards, 4 of them done before"])
    check(world.is_same("here.h5"), "without Slurm again: the same bytes")
    grow(world, where)
    done = polku("submit", "study.yaml", "-o", "nowhere/x", cwd=world.folder, env=where)
    check_done(done, "a folder that is not there", 3, err=["nowhere: cannot create files"])


def grow(world, where):
    """More draws of a study, in another number of shards: what is done is not run again, here or by the scripts."""
    text = read(os.path.join(world.folder, "study.yaml")).replace(b"method: latin_hypercube", b"method: probabilistic")
    write(os.path.join(world.folder, "grown.yaml"), text.replace(b"study: sweep_test", b"study: grown"))
    for n_draws, n_shards, n_kept in ((20, 2, 0), (31, 3, 20)):
        done = polku("submit", "grown.yaml", "--draws", str(n_draws), "-n", str(n_shards), "-o", "grown", cwd=world.folder, env=where)
        check_done(done, f"{n_draws} draws", out=[f"{n_draws} points in {n_shards} shards"])
        kept = [int(re.search(r" (\d+) taken up", read(path).decode()).group(1)) for path in
                glob.glob(os.path.join(glob.escape(world.folder), "grown.slurm", "logs", "here_[0-9].txt"))]
        check(len(kept) == n_shards and sum(kept) == n_kept, f"{n_draws} draws: {n_kept} of them are taken up: {kept}")
    check_done(polku("sweep", "grown.yaml", "--draws", "31", "-o", "at once", cwd=world.folder), "31 draws at once")
    check(read(os.path.join(world.folder, "grown.h5")) == read(os.path.join(world.folder, "at once.h5")), "grown: the same bytes")
    script = os.path.join(world.folder, "grown.slurm", "array.sh")
    done = subprocess.run(["bash", script, "2"], cwd="/", capture_output=True, text=True, timeout=LONG)
    check_done(done, "the script of a grown study", out=["10 points of 31", " 10 taken up, 0 run"])
    check_done(subprocess.run(["bash", script.replace("array", "merge")], cwd="/", capture_output=True, text=True, timeout=LONG),
               "its merge", out=["31 points from 3 files"])
    done = polku("submit", "grown.yaml", "--draws", "30", "-n", "3", "-o", "grown", cwd=world.folder, env=where)
    check_done(done, "fewer draws", 1, err=["holds 31 points of this study, of which 30 would be left"])
    done = polku("submit", "grown.yaml", "--draws", "40", "-o", "grown", cwd=world.folder, env=where)
    check_done(done, "shards of fewer draws do not say how many there are of more", out=["40 points, ", " in 1 shard of 40 points"])


def main():
    missing = missing_programs()
    if missing:
        print(f"skipped: Slurm is not installed ({', '.join(missing)} not found); Debian's packages: {PACKAGES}")
        sys.exit(SKIPPED)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    with tempfile.TemporaryDirectory(prefix="polku-") as folder:
        os.chmod(folder, 0o755)
        cluster = Cluster(os.path.join(folder, "cluster"), 3)
        try:
            cluster.start()
            world = World(cluster, os.path.join(folder, NAME))
            for test in (test_failing_nodes, test_damage, test_missing, test_refusals, test_by_hand, test_here):
                test(world)
        except Exception as error:
            print(cluster.logs(), f"{type(error).__name__}: {error}", sep="\n", flush=True)
            raise
        finally:
            cluster.stop()
    finish()


main()
