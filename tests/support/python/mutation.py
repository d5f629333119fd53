"""Breaks the sources on purpose, one place at a time, and sees whether a test notices.

tests/mutation/AREA.json lists the places:
    {"about": "…", "cases": [{
        "was": what went wrong once, here or in another server,
        "file": where we do it right,
        "replace": text that stands once in that file, "by": what breaks it and still compiles,
        "test": "scenarios/event_auth", "unit/homeserver/room/acl", either with "::a_test_of_it",
                or "functional/test_hs_meta.py::test_name" (fault/ and interop/ alike)}]}

Everything happens in a copy of the sources under build/mutation, built there by preset dev.
"""

import contextlib
import json
import os
import pathlib
import re
import subprocess

BUILD_SECONDS = 1800
STORY_SECONDS, PROGRAM_SECONDS = 300, 120  # what hangs has been noticed too
STORIES = ("functional/", "fault/", "interop/")
NOT_COPIED = {"build", ".git"}
DAEMONS = ("notary", "identity", "homeserver")
TESTS_FAILED = 1  # pytest's status; others mean that it ran no test


class Case:
    """A row of a table."""

    def __init__(self, table, row):
        self.table, self.was = table, row["was"]
        self.file, self.replace, self.by = row["file"], row["replace"], row["by"]
        self.program, _, self.name = row["test"].partition("::")

    def __str__(self):
        return f"{self.table}: {self.was}"

    def is_story(self):
        return self.program.startswith(STORIES)

    def test(self):
        return f"{self.program}::{self.name}" if self.name else self.program

    def test_file(self):
        return self.program if self.is_story() else f"{self.program}_test.c"


def cases(root, area=""):
    found = []
    for table in sorted(pathlib.Path(root, "tests", "mutation").glob("*.json")):
        rows = json.loads(table.read_text())["cases"]
        found += [case for case in (Case(table.stem, row) for row in rows) if area in str(case)]
    return found


def complaint(root, case):
    """Why this row breaks nothing any more, or None."""
    source, test = root / case.file, root / "tests" / case.test_file()
    if not source.is_file():
        return f"{case}: there is no {case.file}"
    count = source.read_text().count(case.replace)
    if count != 1:
        return f"{case}: what it replaces stands {count} times in {case.file}"
    if case.replace == case.by:
        return f"{case}: nothing is replaced"
    if not test.is_file():
        return f"{case}: there is no tests/{case.test_file()}"
    if case.is_story() and not case.name:
        return f"{case}: a story has a name"
    function = re.split(r"\[", case.name)[0]
    if function and not re.search(rf"\b{re.escape(function)}\(", test.read_text()):
        return f"{case}: tests/{case.test_file()} has no {function}"
    return None


class Copy:
    """The sources again, to be broken. run(command, env, timeout) gives status and output."""

    def __init__(self, root, env, python):
        self.root, self.env, self.python = root, env, python
        self.tree = root / "build" / "mutation"
        self.out = self.tree / "build" / "dev"

    def update(self):
        """As the sources are now; what did not change keeps its time, so little is built."""
        wanted = set()
        for path in self.root.rglob("*"):
            name = path.relative_to(self.root)
            if name.parts[0] in NOT_COPIED or "__pycache__" in name.parts or not path.is_file():
                continue
            wanted.add(name)
            self.copy(name)
        for path in list(self.tree.rglob("*")):
            name = path.relative_to(self.tree)
            if name.parts[0] not in NOT_COPIED and path.is_file() and name not in wanted:
                path.unlink()

    def copy(self, name):
        source, target = self.root / name, self.tree / name
        if target.is_file() and target.read_bytes() == source.read_bytes():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        target.chmod(source.stat().st_mode & 0o777)

    @contextlib.contextmanager
    def broken(self, case):
        path = self.tree / case.file
        whole = path.read_text()
        path.write_text(whole.replace(case.replace, case.by))
        try:
            yield
        finally:
            path.write_text(whole)

    def run(self, command, seconds, **env):
        try:
            done = subprocess.run(
                command, cwd=self.tree, env=dict(self.env, **env), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return None, "it took too long"
        return done.returncode, done.stdout.decode(errors="replace")

    def build(self, targets):
        """What it said if it does not compile, else None."""
        steps = [["cmake", "--build", "--preset", "dev", "-j", str(os.cpu_count() or 2), "--target",
                  *targets]]
        if not (self.out / "build.ninja").exists():
            steps.insert(0, ["cmake", "--preset", "dev"])
        for step in steps:
            status, said = self.run(step, BUILD_SECONDS)
            if status != 0:
                wrong = [line for line in said.splitlines() if " error: " in line]
                return "\n".join(wrong[:5] or said.splitlines()[-5:])
        return None

    def targets(self, case, tools):
        """What the test runs. The tools of stories only where a row may break them."""
        if not case.is_story():
            return [case.program.replace("/", "_")]
        found = [f"trinity-{daemon}" for daemon in DAEMONS]
        for tool in sorted((self.root / "tests/support/tools").glob("*.c")) if tools else []:
            per_daemon = tool.stem.startswith("contract_")
            found += [f"{tool.stem}_{d}" for d in DAEMONS] if per_daemon else [tool.stem]
        return found

    def passes(self, case):
        """Whether the test passes; None, and what was said, if it did not run."""
        if case.is_story():
            command = [str(self.python), "-m", "pytest", "-q", "-x", "--no-header", "-p",
                       "no:cacheprovider", f"tests/{case.test()}"]
            status, said = self.run(
                command, STORY_SECONDS, TRINITY_BUILD=str(self.out), PYTHONDONTWRITEBYTECODE="1",
                PYTHONPATH=str(self.tree / "tests/support/python"),
            )
            return {0: True, TESTS_FAILED: False, None: False}.get(status), said
        program = str(self.out / "tests" / case.program.replace("/", "_"))
        status, said = self.run([program], PROGRAM_SECONDS)
        return f"OK ] {case.name}\n" in said if case.name else status == 0, said


def why_unfit(copy, case):
    """Why this row's test says nothing even before anything is broken, or None."""
    said = copy.build(copy.targets(case, tools=True))
    if said:
        return f"it does not compile:\n{said}"
    passed, said = copy.passes(case)
    return None if passed else f"it fails with nothing broken:\n{said[-3000:]}"


def why_unnoticed(copy, case):
    """Why nobody can say that the test notices this, or None if it does."""
    with copy.broken(case):
        said = copy.build(copy.targets(case, tools=case.file.startswith("shared/")))
        if said:
            return f"it does not compile:\n{said}"
        passed, said = copy.passes(case)
    if passed is None:
        return f"{case.test()} did not run:\n{said[-2000:]}"
    return f"{case.test()} passes" if passed else None


def run(copy, found, say):
    """Every row: how many were noticed, and how many were not."""
    copy.update()
    unfit, noticed = {}, 0
    for case in found:
        if case.test() not in unfit:
            unfit[case.test()] = why_unfit(copy, case)
        why = unfit[case.test()] or why_unnoticed(copy, case)
        noticed += why is None
        say(f"noticed: {case}" if why is None else f"--- {case}\n{why}\n---")
    return noticed, len(found) - noticed
