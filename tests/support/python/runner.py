"""Builds what a kind of tests needs, runs it, counts every single test, prints one last line.

Started by tests/run, which has installed the Debian packages.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

import campaign
import mutation

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / "build"
# Stories mostly wait, each for daemons of its own: some files of them at once; rules one by one.
PARALLEL = {"functional": "loadfile", "fault": "loadfile", "lint": "load"}
WORKERS = (os.cpu_count() or 1) + 1
VENV = BUILD / "venv"
VENV_SYNAPSE = BUILD / "venv-synapse"
VENV_SYDENT = BUILD / "venv-sydent"
NPM = BUILD / "npm"
PROGRAM_SECONDS = 600  # one cmocka program or fuzz replay
PYTEST_SECONDS = 3600
SHOWN = 12000  # characters of a failed program's output
CASE = re.compile(r"^(ok|not ok) \d+ (?:- )?(.*)$")
PLAN = re.compile(r"^1\.\.(\d+)$")

# What the sanitizers do when they find something: fail, with a stack that can be read.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1"
    ":check_initialization_order=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=0:second_deadlock_stack=1:exitcode=66:suppressions="
    + str(ROOT / "tests" / "support" / "tsan.supp"),
}
# Modules that have threads: their unit tests run once more under the thread sanitizer.
THREADED = re.compile(
    r"^unit/(shared/(core|store|http|net|keys|daemon|schema|outbox|mail)|notary|identity"
    r"|homeserver/(account|ephemeral|ingest|media|room|stream|sync))/"
)
# Stories in which much happens at once: they run once more with a daemon under it.
CROWDED = ["hs_stream", "hs_sync_random", "hs_media"]


class Count:
    """What happened: tests that passed, failed and were skipped."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def total(self):
        return self.passed + self.failed + self.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


class Unbuildable(Exception):
    """A build or an installation failed; the text is for the person."""


class NoPackages(Unbuildable):
    """Packages of Python cannot be had."""


def say(text):
    print(text, flush=True)


def run_logged(command, log, **more):
    """Runs a command with its output in a file; its exit status."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as out:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=ROOT, **more
        ).returncode


def tail(log, lines=60):
    text = log.read_text(errors="replace").splitlines()
    wrong = [i for i, line in enumerate(text) if "error:" in line or "FAILED:" in line]
    start = max(0, wrong[0] - 2) if wrong else max(0, len(text) - lines)
    return "\n".join(text[start : start + lines])


def last_words(log):
    """The last thing that a program said, in one line; pip's offer of help is not it."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    said = [line for line in lines if line and not line.startswith(("hint:", "note:", "[notice]"))]
    return said[-1][:300] if said else "it said nothing"


# ---- building


def build_env():
    # Another clone of the same sources finds its objects in the cache too.
    return dict(os.environ, CCACHE_BASEDIR=str(ROOT), CCACHE_NOHASHDIR="1")


STRICT = ["-DCMAKE_COMPILE_WARNING_AS_ERROR=ON"]  # the other presets are strict anyway


def build(preset, targets=(), options=()):
    """build/PRESET, up to date. Raises Unbuildable."""
    log = BUILD / "log" / f"{preset}.log"
    start = time.monotonic()
    configure = ["cmake", "--preset", preset, *options]
    compile_ = ["cmake", "--build", "--preset", preset, "-j", str(os.cpu_count() or 2)]
    if targets:
        compile_ += ["--target", *targets]
    for command in (configure, compile_):
        if run_logged(command, log, env=build_env()) != 0:
            raise Unbuildable(f"{' '.join(command[:4])} failed:\n{tail(log)}")
    say(f"built {preset} in {time.monotonic() - start:.0f} s")
    return BUILD / preset


def venv(path, requirements):
    """A Python environment with exactly these packages; made again when the list changes."""
    stamp = path / "requirements.sha256"
    want = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == want:
        return path / "bin" / "python"
    log = BUILD / "log" / f"{path.name}.log"
    shutil.rmtree(path, ignore_errors=True)
    make = [sys.executable, "-m", "venv", str(path)]
    install = [str(path / "bin" / "pip"), "install", "-q", "--disable-pip-version-check"]
    for command in (make, [*install, "-r", str(requirements)]):
        if run_logged(command, log) != 0:
            raise NoPackages(
                f"{requirements.relative_to(ROOT)} cannot be had from PyPI: {last_words(log)}"
                f" (build/log/{log.name})"
            )
    stamp.write_text(want)
    return path / "bin" / "python"


# ---- cmocka programs and fuzz replays


def programs(preset, pattern, area):
    """The ctest tests of a build directory whose name matches, as (name, command)."""
    out = subprocess.run(
        ["ctest", "--show-only=json-v1"], cwd=BUILD / preset, capture_output=True, check=True
    ).stdout
    found = []
    for test in json.loads(out)["tests"]:
        name = test["name"]
        if re.search(pattern, name) and area in name and "command" in test:
            found.append((name, test["command"]))
    return found


def run_program(command, extra_env):
    env = dict(os.environ, **SANITIZERS, **extra_env, CMOCKA_MESSAGE_OUTPUT="TAP")
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=env, timeout=PROGRAM_SECONDS, cwd=ROOT,
        )
    except subprocess.TimeoutExpired as late:
        return -1, (late.stdout or b"").decode(errors="replace") + "\ntook too long\n"
    return done.returncode, done.stdout.decode(errors="replace")


def shown(output):
    """The beginning and the end of what may be very long."""
    output = output.strip()
    if len(output) <= SHOWN:
        return output
    return output[: SHOWN // 2] + "\n[…]\n" + output[-SHOWN // 2 :]


def count_tap(status, output):
    """Each test of a cmocka program. One that died before its end failed, as did the rest."""
    count, planned = Count(), 0
    for line in output.splitlines():
        plan, case = PLAN.match(line), CASE.match(line)
        if plan:
            planned += int(plan[1])
        elif case and case[2].startswith("# SKIP"):
            count.skipped += 1
        elif case and case[1] == "ok":
            count.passed += 1
        elif case:
            count.failed += 1
    count.failed += max(0, planned - count.total())
    if status != 0 and count.failed == 0:
        count.failed = 1
    return count


def count_replay(status):
    return Count(passed=1) if status == 0 else Count(failed=1)


def run_ctest(preset, pattern, area, whole=False):
    """whole: the program is one test (a fuzz replay), else each cmocka test counts."""
    total = Count()
    found = programs(preset, pattern, area)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        jobs = {pool.submit(run_program, command, {}): name for name, command in found}
        for job in concurrent.futures.as_completed(jobs):
            status, output = job.result()
            count = count_replay(status) if whole else count_tap(status, output)
            total.add(count)
            if count.failed or count.total() == 0:
                say(f"--- {jobs[job]} [{preset}], exit status {status}\n{shown(output)}\n---")
                total.failed += count.total() == 0
            for line in output.splitlines():
                if "# SKIP" in line:
                    say(f"skipped: {jobs[job]}: {line.split('# SKIP', 1)[1].strip()}")
    return total


# ---- pytest


def run_pytest(folder, preset, area, marks="", python=None, extra_env=None, only=None):
    """Each case of the folder's files whose name has the area in it."""
    files = sorted(ROOT.joinpath("tests", folder).glob("test_*.py"))
    files = [f for f in files if only is None or f.stem.removeprefix("test_") in only]
    chosen = [f for f in files if area in f.stem]
    options = []
    if not chosen and files and area:
        chosen, options = files, ["-k", area]
    if not chosen:
        return Count()
    report = BUILD / "log" / f"{folder}.xml"
    report.unlink(missing_ok=True)
    env = dict(
        os.environ, **SANITIZERS, TRINITY_BUILD=str(BUILD / preset), PYTHONDONTWRITEBYTECODE="1",
        PYTHONPATH=str(ROOT / "tests" / "support" / "python"), TRINITY_PYTHON=str(python or ""),
        **(extra_env or {}),
    )
    command = [
        str(VENV / "bin" / "python"), "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
        "--tb=short", "--show-capture=all", f"--junit-xml={report}", *options,
        *(["-n", str(WORKERS), "--dist", PARALLEL[folder]] if folder in PARALLEL else []),
        *(["-m", marks] if marks else []), *[str(f) for f in chosen],
    ]
    log = BUILD / "log" / f"{folder}.log"
    try:
        status = run_logged(command, log, env=env, timeout=PYTEST_SECONDS)
    except subprocess.TimeoutExpired:
        status = -1
    return count_junit(report, log, status)


def count_junit(report, log, status):
    text = log.read_text(errors="replace")
    if not report.exists():
        say(f"--- pytest stopped with {status}\n{text.strip()[-6000:]}\n---")
        return Count(failed=1)
    count = Count()
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            count.failed += 1
        elif skipped is not None:
            count.skipped += 1
            say(f"skipped: {case.get('name')}: {skipped.get('message')}")
        else:
            count.passed += 1
    if status not in (0, 5) and count.failed == 0:
        count.failed = 1
    if count.failed:
        say(f"--- pytest\n{text.strip()[-20000:]}\n---")
    return count


# ---- the kinds


def kind_lint(area):
    venv(VENV, ROOT / "tests" / "requirements.txt")
    build("dev")  # gcc's warnings are errors there
    return run_pytest("lint", "dev", area)


def tsan_targets(area):
    found = [name for name, _ in programs("asan", THREADED, area)]
    return found, [name.replace("/", "_") for name in found]


def kind_unit(area):
    build("asan")
    count = run_ctest("asan", r"^unit/", area)
    names, targets = tsan_targets(area)
    if names:
        build("tsan", targets)
        exact = "^(" + "|".join(re.escape(n) for n in names) + ")$"
        count.add(run_ctest("tsan", exact, area))
    return count


def kind_scenario(area):
    build("asan")
    return run_ctest("asan", r"^scenarios/", area)


def kind_contract(area):
    build("asan")
    return run_ctest("asan", r"^contract/", area)


def kind_fuzz(area):
    build("asan")
    count = run_ctest("asan", r"^fuzz/", area, whole=True)
    seconds = os.environ.get("FUZZ_SECONDS")
    if seconds:
        count.add(fuzz_campaign(area, seconds))
    return count


def fuzz_campaign(area, seconds):
    """libFuzzer itself, for so many seconds a target; what it finds stays in build/fuzz/found."""
    count = Count()
    out = build("fuzz")
    found = out / "found"
    found.mkdir(exist_ok=True)
    for program in sorted((out / "tests").glob("fuzz_*")):
        name = program.name.removeprefix("fuzz_")
        if area not in name or not os.access(program, os.X_OK):
            continue
        grown = out / "grown" / name
        grown.mkdir(parents=True, exist_ok=True)
        command = [
            str(program), f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=1024",
            f"-artifact_prefix={found}/{name}-", "-print_final_stats=1", str(grown),
            str(ROOT / "tests" / "fuzz" / "corpus" / name),
        ]
        log = BUILD / "log" / f"fuzz_{name}.log"
        status = run_logged(command, log, env=dict(os.environ, **SANITIZERS))
        if status != 0:
            say(f"--- fuzz {name}, exit status {status}\n{tail(log)}\n---")
        count.add(count_replay(status))
    return count


def kind_functional(area):
    venv(VENV, ROOT / "tests" / "requirements.txt")
    build("asan")
    release = build("release", options=STRICT)  # hardening and packages are properties of what is shipped
    count = run_pytest("functional", "asan", area, extra_env={"TRINITY_RELEASE": str(release)})
    if any(area in name for name in CROWDED):
        build("tsan", ["trinity-homeserver", "contract_check_homeserver"])
        count.add(run_pytest("functional", "tsan", area, only=CROWDED))
    return count


def kind_fault(area):
    venv(VENV, ROOT / "tests" / "requirements.txt")
    build("asan")
    return run_pytest("fault", "asan", area)


def kind_interop(area):
    """Software that we did not write comes from PyPI: without it nothing can be said."""
    try:
        venv(VENV, ROOT / "tests" / "requirements.txt")
    except NoPackages as why:
        say(f"skipped: interop: {why}")
        return Count(skipped=1)
    build("asan")
    return run_pytest("interop", "asan", area, python=synapse_python(),
                      extra_env={"TRINITY_SYDENT": sydent_python(), "TRINITY_NPM": npm_modules()})


def bench_env():
    return dict(
        os.environ, TRINITY_BUILD=str(BUILD / "release"), PYTHONDONTWRITEBYTECODE="1",
        PYTHONPATH=str(ROOT / "tests" / "support" / "python"), TRINITY_PYTHON=synapse_python(),
        TRINITY_SYDENT=sydent_python(),
    )


def dry_run(script, command, env):
    """Its figures mean nothing: only whether it works."""
    log = BUILD / "log" / f"{script.stem}.log"
    status = run_logged([*command, "--short"], log, env=env)
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("skipped:"):
            say(line)
    if status != 0:
        say(f"--- {script.stem}, exit status {status}\n{tail(log)}\n---")
    return status


def measure(_script, command, env):
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, cwd=ROOT).returncode


def kind_bench(area, short=False):
    """Each benchmark prints its own figures; it fails only when it cannot run."""
    python = str(venv(VENV, ROOT / "tests" / "requirements.txt"))
    build("release", options=[*STRICT, "-DMX_BENCH=ON"])
    scripts = [script for script in sorted((ROOT / "tests" / "bench").glob("bench_*.py"))
               if area in script.stem]
    env = bench_env()
    run = dry_run if short else measure
    count = Count()
    with concurrent.futures.ThreadPoolExecutor(2 if short else 1) as pool:
        for status in pool.map(lambda script: run(script, [python, str(script)], env), scripts):
            count.add(count_replay(status))
    return count


def kind_mutation(area):
    """Each place broken on purpose is a test, which passes if a test of ours fails there."""
    python = venv(VENV, ROOT / "tests" / "requirements.txt")
    rows = mutation.cases(ROOT, area)
    copy = mutation.Copy(ROOT, dict(build_env(), **SANITIZERS), python)
    noticed, unnoticed = mutation.run(copy, rows, say)
    return Count(passed=noticed, failed=unnoticed)


def python_with(name, path, requirements):
    """The Python that has a peer, or "" where it cannot be had: what needs it is then skipped."""
    try:
        return str(venv(path, ROOT / "tests" / "interop" / requirements))
    except NoPackages as why:
        say(f"no {name}: {why}")
        return ""


def npm_modules():
    """Where the packages from npm are, or "" where they cannot be had."""
    source, log = ROOT / "tests" / "interop" / "js", BUILD / "log" / "npm.log"
    lists = [source / "package.json", source / "package-lock.json"]
    stamp = NPM / "packages.sha256"
    want = hashlib.sha256(b"".join(path.read_bytes() for path in lists)).hexdigest()
    if stamp.exists() and stamp.read_text() == want:
        return str(NPM)
    shutil.rmtree(NPM, ignore_errors=True)
    NPM.mkdir(parents=True)
    for path in lists:
        shutil.copy(path, NPM)
    command = ["npm", "ci", "--prefix", str(NPM), "--ignore-scripts", "--no-audit", "--no-fund"]
    if not shutil.which("npm") or run_logged(command, log) != 0:
        say("no matrix-js-sdk: npm has no packages (build/log/npm.log)")
        return ""
    stamp.write_text(want)
    return str(NPM)


def synapse_python():
    return python_with("Synapse", VENV_SYNAPSE, "requirements.txt")


def sydent_python():
    return python_with("Sydent", VENV_SYDENT, "requirements-sydent.txt")


def kind_campaign(area):
    """For a night, not for every run."""
    out = build("campaign", [program for program, *_ in campaign.CAMPAIGNS.values()])
    chosen = [name for name in campaign.CAMPAIGNS if area in name]
    count = Count()
    for name in chosen:
        good = campaign.run(out / "tests", name, say)
        count.add(Count(passed=1) if good else Count(failed=1))
    return count


KINDS = {
    "lint": kind_lint,
    "unit": kind_unit,
    "scenario": kind_scenario,
    "contract": kind_contract,
    "fuzz": kind_fuzz,
    "functional": kind_functional,
    "fault": kind_fault,
    "interop": kind_interop,
    "bench": kind_bench,
}
# Only when asked for: each row of mutation is a build, a campaign takes hours.
BY_NAME = {"mutation": kind_mutation, "campaign": kind_campaign}


def run_kind(kind, area, whole_run):
    start = time.monotonic()
    try:
        more = {"short": True} if kind == "bench" and whole_run else {}
        count = {**KINDS, **BY_NAME}[kind](area, **more)
    except Unbuildable as why:
        say(f"--- {kind}\n{why}\n---")
        count = Count(failed=1)
    if count.total() == 0:
        say(f"--- no test of kind {kind}" + (f" with {area} in its name" if area else ""))
        count.failed = 1
    say(f"{kind}: {count} in {time.monotonic() - start:.0f} s")
    return count


def main(arguments):
    kind, area = (arguments + ["", ""])[:2]
    if len(arguments) > 2 or (kind and kind not in {**KINDS, **BY_NAME}):
        say(f"usage: tests/run [{'|'.join([*KINDS, *BY_NAME])} [AREA]]")
        return 2
    total = Count()
    for one in [kind] if kind else KINDS:
        total.add(run_kind(one, area, not kind))
    say(str(total))
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
