"""What the scripts in this folder share: counting checks and running the program."""
import ctypes
import os
import pty
import signal
import subprocess
import sys
import time

POLKU = os.environ.get("POLKU") or "polku"
SOURCE = os.environ.get("POLKU_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("POLKU_BUILD") or os.path.dirname(os.path.abspath(POLKU))
GOOD = os.path.join(SOURCE, "tests", "data", "good")

LONG = 900  # seconds: only what hangs takes longer, however slow and busy the machine is

n_passed = n_failed = 0
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so would what we start


def check(good, what):
    """Counts; says what failed."""
    global n_passed, n_failed
    if good:
        n_passed += 1
    else:
        n_failed += 1
        print("FAILED:", what, flush=True)
    return bool(good)


def finish():
    """The last line of every script, and its exit code."""
    print(f"{n_passed} passed, {n_failed} failed")
    sys.exit(n_failed > 0 or n_passed == 0)


def polku(*arguments, **options):
    """Runs the program; a sanitizer's report on stderr is a failure of its own."""
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    done = subprocess.run([POLKU, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True, errors="replace",
                          timeout=LONG, **options)
    if "Sanitizer" in (done.stderr or "") or "runtime error:" in (done.stderr or "") or done.returncode < 0:
        check(False, f"polku {' '.join(map(str, arguments))} crashes: {done.returncode}\n{done.stderr}")
    return done


def processor_seconds(process):
    """What a child has had of processors, on which does not weigh how busy the machine is; also when it has ended, until
    it is waited for."""
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(process.pid, ctypes.byref(clock)) != 0:
        raise ProcessLookupError(process.pid)
    return time.clock_gettime(clock.value)


def on_a_terminal(*arguments, **options):
    """What the program writes to a terminal, as (before it was asked for, when it was there, text), and its output."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([POLKU, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs,
                               **options)
    os.close(theirs)
    seen = []
    while True:  # before it ends: a terminal that nobody reads is full soon
        asked = time.monotonic()
        try:
            part = os.read(ours, 65536)
        except OSError:
            break
        if not part:
            break
        seen.append((asked, time.monotonic(), part.decode(errors="replace")))
    os.close(ours)
    return seen, process.communicate(timeout=LONG)[0].decode()


def expect(code, text, *arguments, **options):
    """The program ends with this code and says this on stderr (all of the texts, if there are several)."""
    done = polku(*arguments, **options)
    texts = [text] if isinstance(text, str) else text
    good = done.returncode == code and all(part in done.stderr for part in texts)
    check(good, f"polku {' '.join(map(str, arguments))}: exit {done.returncode}, expected {code}; "
                f"stderr {done.stderr!r}, expected {texts}")
    return done
