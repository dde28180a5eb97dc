#!/usr/bin/python3
"""Runs a command and holds on to everything that it starts, daemons too. On SIGTERM, and when whoever started this is
gone, all of it is killed at once, as when the power of a machine is cut. Ends by itself when nothing is left."""
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def below(root):
    """The processes that came from this one, which itself is not among them."""
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                state, parent = file.read().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            children.setdefault(int(parent), []).append(int(name))
    found, left = [], [root]
    while left:
        more = children.get(left.pop(), [])
        found += more
        left += more
    return found


def end_with_parent(number):
    """This process gets the signal when the one that started it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def main():
    heard = {signal.SIGTERM, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    end_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        return
    if os.fork() == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, heard)
        os.execvp(sys.argv[1], sys.argv[1:])
    told = False
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        if told:
            for pid in below(os.getpid()):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        found = signal.sigtimedwait(heard, 0.05 if told else 60)
        told = told or (found is not None and found.si_signo == signal.SIGTERM)


if __name__ == "__main__":
    main()
