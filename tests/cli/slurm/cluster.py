"""A real Slurm cluster of several nodes on this machine, in a folder of its own, with ports of its own: no systemd, no
settings of the machine are used or changed, several can run side by side. See keeper.py for how its processes end."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

from keeper import below

KEEPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "keeper.py")
PACKAGES = "munge slurmctld slurmd slurm-client"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo", "scancel")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
LONG = 600  # seconds that anything may take on a busy machine

CONFIGURATION = """\
ClusterName=polku
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/sock,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmctldLogFile={folder}/log/slurmctld
SlurmdPidFile={folder}/run/slurmd.%n.pid
SlurmdLogFile={folder}/log/slurmd.%n
SlurmdSpoolDir={folder}/spool/%n
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,requeue_delay=1
MaxArraySize={most_tasks}
SlurmdTimeout=300
SlurmctldTimeout=300
InactiveLimit=0
KillWait=2
MinJobAge=600
MessageTimeout=20
TCPTimeout=10
ReturnToService=2
JobRequeue=1
MailProg=/bin/true
PropagateResourceLimits=NONE
"""


def missing_programs():
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


def free_ports(n):
    """Not taken now, and different."""
    sockets = [socket.socket() for _ in range(n)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_until(true, what, seconds=LONG):
    """Returns what true() returns once that is anything; an error if it takes too long."""
    end = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def send(pid, number):
    """A signal to a process; whether there was one: it may have ended since it was found."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


class Cluster:
    """nodes node1, node2, ... of some cores each, and one partition, main, with all of them."""

    def __init__(self, folder, n_nodes, cores=2, memory=4000, most_tasks=101):
        self.folder, self.n_nodes, self.cores, self.memory, self.most_tasks = folder, n_nodes, cores, memory, most_tasks
        self.names = [f"node{i + 1}" for i in range(n_nodes)]
        self.keepers = {}
        self.environment = dict(os.environ, PATH=PATH, SLURM_CONF=os.path.join(folder, "slurm.conf"))
        for name in [name for name in self.environment if name.startswith(("SLURM_", "SBATCH_", "SQUEUE_"))]:
            if name != "SLURM_CONF":
                del self.environment[name]

    def start(self):
        for _ in range(3):  # a port may be taken by somebody else between finding and using it
            self.prepare()
            self.keep("munge", "munged", "--foreground", "--num-threads=2", *(f"--{what}={self.folder}/munge/{file}" for what, file in (
                ("key-file", "key"), ("socket", "sock"), ("pid-file", "pid"), ("log-file", "log"), ("seed-file", "seed"))))
            try:
                wait_until(lambda: os.path.exists(f"{self.folder}/munge/sock"), "munge", LONG / 5)
                self.keep("controller", "slurmctld", "-D", "-c")
                for name in self.names:
                    self.keep(name, "slurmd", "-D", "-N", name)
                wait_until(self.is_ready, "the cluster is up", LONG / 5)
                return
            except TimeoutError as error:
                why = error
                self.stop()
        raise RuntimeError(f"{why}\n{self.logs()}")

    def prepare(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("munge", "state", "log", "run", "spool", *(f"spool/{name}" for name in self.names)):
            os.makedirs(os.path.join(self.folder, name), 0o755)
        os.chmod(self.folder, 0o755)  # munge insists
        with open(f"{self.folder}/munge/key", "wb") as file:
            os.chmod(file.name, 0o600)
            file.write(os.urandom(1024))
        ports = free_ports(1 + self.n_nodes)
        with open(f"{self.folder}/slurm.conf", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(folder=self.folder, port=ports[0], user=pwd.getpwuid(os.getuid()).pw_name,
                                            most_tasks=self.most_tasks))
            for name, port in zip(self.names, ports[1:]):
                file.write(f"NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs={self.cores} "
                           f"RealMemory={self.memory} State=UNKNOWN\n")
            file.write(f"PartitionName=main Nodes=node[1-{self.n_nodes}] Default=YES MaxTime=120 State=UP LLN=YES\n")

    def keep(self, name, program, *arguments):
        with open(f"{self.folder}/log/{name}.out", "ab") as out:
            self.keepers[name] = subprocess.Popen(
                [sys.executable, KEEPER, shutil.which(program, path=PATH), *arguments], env=self.environment,
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)

    def ask(self, *words):
        done = subprocess.run(words, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LONG)
        return done.stdout if done.returncode == 0 else ""

    def is_ready(self):
        return self.ask("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * self.n_nodes

    def partition(self, state):
        """UP, or DOWN: then jobs wait."""
        self.tell("PartitionName=main", f"State={state}")

    def tell(self, *words):
        subprocess.run(["scontrol", "update", *words], env=self.environment, stdin=subprocess.DEVNULL, check=True,
                       timeout=LONG)

    def processes(self, node):
        """(process, its words) of what runs on a node."""
        found = []
        for pid in below(self.keepers[node].pid):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    found.append((pid, file.read().decode(errors="replace").split("\0")[:-1]))
            except OSError:
                pass
        return found

    def cut_power(self, node):
        """Everything on it dies at once; its jobs are queued again."""
        self.end(node)
        self.tell(f"NodeName={node}", "State=DOWN", "Reason=power")

    def lose(self, node):
        """Nobody hears of it any more, but what runs there runs on; its jobs are queued again."""
        for pid, words in self.processes(node):
            if words[:1] and os.path.basename(words[0]) == "slurmd":
                send(pid, signal.SIGKILL)
        self.tell(f"NodeName={node}", "State=DOWN", "Reason=lost")

    def end(self, name):
        keeper = self.keepers.pop(name)
        keeper.terminate()
        keeper.wait(LONG)

    def stop(self):
        for name in reversed(list(self.keepers)):
            self.end(name)

    def logs(self):
        """What is of use when something fails."""
        texts = []
        for name in sorted(os.listdir(os.path.join(self.folder, "log"))):
            with open(os.path.join(self.folder, "log", name), encoding="utf-8", errors="replace") as file:
                texts.append(f"==== {name}\n" + "".join(file.readlines()[-25:]))
        return "".join(texts)
