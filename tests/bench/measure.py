"""What the benchmarks share: rounds, load, the machine's description, and figures with their goals.

A figure is never a test: a goal that was missed is printed as missed, and the status stays 0.
"""

import contextlib
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import trinity

SHORT = "--short" in sys.argv
FIRST = "--first" in sys.argv  # before the machine's other work
ROUNDS = 1 if SHORT else 5
SECONDS = 0.5 if SHORT else 3  # of load in a round
CONNECTIONS = 64
SERVER_CPU, LOAD_CPU = "0", "1"
PACKAGES = ("libmicrohttpd", "gnutls", "libcurl", "libsodium", "jansson")


# ---- the machine


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return f"no {command[0]}"
    return ((done.stdout or done.stderr).splitlines() or ["?"])[0].strip()


def cpu_model():
    found = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    return found[1] if found else platform.processor()


def machine():
    libraries = [f"{name} {first_line('pkg-config', '--modversion', name)}" for name in PACKAGES]
    wrk = first_line("wrk", "-v").partition(" [")[0]
    return "\n".join([
        f"machine: {cpu_model()}, {os.cpu_count()} CPUs, Linux {platform.release()}",
        f"built by: {first_line('gcc', '--version')}, preset release",
        f"libraries: {', '.join(libraries)}, Berkeley DB 5.3; {wrk}",
        f"load on the machine before: {os.getloadavg()[0]:.2f}",
    ])


# ---- processes


def pin(pid, cpu=SERVER_CPU):
    """All threads of a process to one processor, where there is another one for the load."""
    if (os.cpu_count() or 1) > 1:
        subprocess.run(["taskset", "-acp", cpu, str(pid)], check=True, stdout=subprocess.DEVNULL)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid):
    """(resident, private) in MiB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    kb = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    return kb["Rss"] / 1024, (kb["Private_Clean"] + kb["Private_Dirty"]) / 1024


def come_first(thread=0, priority=2):
    """Where it is allowed: a probe's own waiting for a processor is not the server's."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(thread, os.SCHED_RR, os.sched_param(priority))


def put_first(pid):
    """With --first: a server whose threads, all alike, go before everything else but the probe."""
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir() if FIRST else ():
        come_first(int(thread.name), priority=1)


def probe(port, target, per_second, seconds, *more):
    """(median, p99) in µs of requests at a steady pace; see http_probe.c."""
    command = [trinity.program("http_probe"), port, target, per_second, seconds, *more]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True,
                          preexec_fn=come_first)
    figures = dict(line.split() for line in done.stdout.splitlines())
    return float(figures["p50_us"]), float(figures["p99_us"])


# ---- load

LOADED = re.compile(r"Requests/sec:\s+([\d.]+)")
TOTAL = re.compile(r"(\d+) requests in")
PATIENCE = 20  # seconds


def wrk_command(url, script=None, connections=CONNECTIONS, seconds=SECONDS):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout=30s"]
    command += ["-s", str(script), url] if script else [url]
    return ["taskset", "-c", LOAD_CPU, *command] if (os.cpu_count() or 1) > 1 else command


def load(url, script=None, connections=CONNECTIONS, seconds=SECONDS):
    """(requests per second, requests) of one run of wrk. Any answer but 2xx fails. Who answers
    nothing in a short time, as a peer on a busy machine, gets a longer one."""
    for length in (seconds, seconds + PATIENCE):
        command = wrk_command(url, script, connections, length)
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            sys.exit(f"{url} did not answer every request:\n{done.stdout}")
        requests = int(TOTAL.search(done.stdout)[1])
        if requests:
            return float(LOADED.search(done.stdout)[1]), requests
    sys.exit(f"{url} answered nothing in time:\n{done.stdout}")


class Side:
    """One server under load: its rate and what a request costs it, round by round."""

    def __init__(self, url, pid, script=None, connections=CONNECTIONS, seconds=SECONDS):
        self.url, self.pid, self.how = url, pid, (script, connections, seconds)
        self.rates, self.costs = [], []

    def run(self):
        before = cpu_seconds(self.pid)
        rate, requests = load(self.url, *self.how)
        self.rates.append(rate)
        self.costs.append((cpu_seconds(self.pid) - before) / requests * 1e6)

    @property
    def rate(self):
        return statistics.median(self.rates)

    @property
    def cost_us(self):
        return statistics.median(self.costs)

    @property
    def command(self):
        return " ".join(wrk_command(self.url, *self.how))


def compare(ours, theirs, names, goal):
    """Both sides in turns; the rates, what a request costs, and the ratios of both."""
    for _ in range(ROUNDS):
        ours.run()
        theirs.run()
    told(ours.command)
    for name, side in zip(names, (ours, theirs)):
        figure(f"requests a second, {name}", side.rate)
        figure(f"processor time of a request, {name}", side.cost_us, unit=" µs")
    rates = statistics.median(a / b for a, b in zip(ours.rates, theirs.rates))
    costs = statistics.median(b / a for a, b in zip(ours.costs, theirs.costs))
    figure("ratio of the rates", rates, goal, at_least=True)
    figure("ratio by processor time", costs)


# ---- figures


def heading(text):
    print(f"\n{text}", flush=True)


def figure(text, value, goal=None, unit="", at_least=False):
    """One line: what was measured, and whether it is as good as it should be."""
    verdict = ""
    if goal is not None:
        good = value >= goal if at_least else value <= goal
        limit = f"{'at least' if at_least else 'at most'} {goal:g}{unit}"
        verdict = f"  ({limit}: {'reached' if good else 'MISSED'})"
    print(f"  {text:<58} {value:10,.2f}{unit}{verdict}", flush=True)


def told(command):
    print(f"  $ {command}", flush=True)


# ---- notaries


class Bench:
    """Daemons in a directory that goes away; their replies are not held against schemas here."""

    def __enter__(self):
        print(machine())
        self._directory = tempfile.TemporaryDirectory(prefix="trinity-")
        self.path = pathlib.Path(self._directory.name)
        self.story = trinity.Story(self.path)
        return self

    def __exit__(self, *_):
        self.story.end()
        self._directory.cleanup()

    def notary(self, configuration=None, **more):
        made = self.story.notary(configuration, **more)
        return made.unchecked()

    def settle(self, seconds=1.0):
        time.sleep(0.1 if SHORT else seconds)
