"""The flags of a release, looked up in what the linker made of them."""

import collections
import ctypes
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RELEASE = pathlib.Path(os.environ.get("TRINITY_RELEASE", ROOT / "build" / "release"))
PROGRAMS = ["notary/trinity-notary", "identity/trinity-identity",
            "homeserver/trinity-homeserver"]
FORTIFIED_PERCENT = 70
FORMATTING = ["printf", "fprintf", "snprintf", "sprintf", "vprintf", "vfprintf", "vsnprintf",
              "vsprintf", "dprintf", "asprintf", "vasprintf", "syslog"]


def readelf(program, *what):
    if not shutil.which("readelf"):
        pytest.skip("binutils is not here")
    done = subprocess.run(
        ["readelf", "-W", *what, str(RELEASE / program)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def undefined_symbols(program):
    found = re.findall(r"\bUND ([\w.]+)(?:@|\s|$)", readelf(program, "--dyn-syms"))
    assert "__libc_start_main" in found, "no symbols were read"
    return set(found)


def calls(program):
    """How often each function of a library is called."""
    done = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", str(RELEASE / program)], capture_output=True,
        text=True,
    )
    found = collections.Counter(re.findall(r"\bcall.*<(\w+)@plt>", done.stdout))
    assert sum(found.values()) > 100, "no calls were read"
    return found


pytestmark = pytest.mark.parametrize("program", PROGRAMS)


def test_it_is_loaded_at_a_random_address(program):
    assert re.search(r"Type:\s+DYN", readelf(program, "-h"))
    assert re.search(r"FLAGS_1.*\bPIE\b", readelf(program, "-d"))


def test_its_tables_are_read_only_before_main(program):
    assert "GNU_RELRO" in readelf(program, "-l")
    dynamic = readelf(program, "-d")
    assert "BIND_NOW" in dynamic or re.search(r"FLAGS_1.*\bNOW\b", dynamic)


def test_its_stack_cannot_be_run(program):
    assert re.search(r"GNU_STACK\s.*\sRW\s", readelf(program, "-l"))


def test_no_part_of_it_is_both_writable_and_runnable(program):
    loaded = re.findall(r"LOAD\s.*?\s([RWE ]{3})\s+0x", readelf(program, "-l"))
    assert loaded and not [flags for flags in loaded if "W" in flags and "E" in flags]


def test_its_stack_frames_have_canaries(program):
    assert "__stack_chk_fail" in undefined_symbols(program)


def test_it_looks_for_libraries_only_where_the_system_does(program):
    assert not re.search(r"\((RPATH|RUNPATH)\)", readelf(program, "-d"))


def test_it_cannot_be_loaded_as_a_library(program):
    """The linker drops nodlopen for programs: the loader refuses them as such."""
    with pytest.raises(OSError, match="position-independent executable"):
        ctypes.CDLL(str(RELEASE / program))


def test_every_source_is_compiled_with_checked_calls(program):
    """Most calls that are left plain are the ones whose bounds the compiler has proved, or cannot
    know: nothing in a binary tells them apart, so that their count says little."""
    commands = json.loads((RELEASE / "compile_commands.json").read_text())
    ours = [c for c in commands if re.search(rf"/(shared|{program.split('/')[0]})/", c["file"])]
    assert len(ours) > 50
    unchecked = [
        c["file"] for c in ours
        if "-D_FORTIFY_SOURCE=3" not in c["command"] or " -O2 " not in c["command"]
    ]
    assert unchecked == []


def test_its_formatted_output_is_checked(program):
    """The functions that are always checked, unless the compiler has proved that all fits, or
    cannot know the size: a caller's array."""
    called = calls(program)
    checked = sum(called[f"__{name}_chk"] for name in FORMATTING)
    plain = sum(called[name] for name in FORMATTING)
    assert 100 * checked >= FORTIFIED_PERCENT * (checked + plain), (checked, plain)


def test_its_code_is_marked_for_control_flow_protection(program):
    if os.uname().machine != "x86_64":
        pytest.skip("only x86-64 has it")
    # Debian's start code has no landing pads, so that the note can only promise shadow stacks.
    assert re.search(r"x86 feature:.*SHSTK", readelf(program, "-n"))
    code = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", str(RELEASE / program)], capture_output=True,
        text=True,
    ).stdout
    assert code.count("endbr64") >= 20


def test_it_carries_no_sanitizer(program):
    assert not re.search(r"NEEDED.*lib(a|t|ub|l)san", readelf(program, "-d"))
    assert not [name for name in undefined_symbols(program) if name.startswith("__asan")]
