"""Rules for our sources that no compiler checks."""

import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

import mutation  # of tests/support/python
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINES_OF_A_FILE = 600
LINES_OF_A_FUNCTION = 60
PARAMETERS = 5
LEVELS = 3
CODE_FOLDERS = ("shared", "notary", "identity", "homeserver", "tests")


def tracked():
    """Every file of the project that git knows or would take."""
    out = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
        capture_output=True, text=True,
    )
    if out.returncode != 0:
        pytest.skip("this is no git checkout")
    return sorted({ROOT / name for name in out.stdout.splitlines() if (ROOT / name).is_file()})


def with_suffix(*suffixes):
    return [path for path in tracked() if path.suffix in suffixes]


def c_files():
    return with_suffix(".c", ".h")


def product_files():
    return [path for path in c_files() if "tests" not in path.relative_to(ROOT).parts]


def complain(complaints):
    assert not complaints, "\n" + "\n".join(complaints)


def name_of(path):
    return str(path.relative_to(ROOT))


def lines_that_match(paths, pattern):
    rule = re.compile(pattern)
    return [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if rule.search(line)
    ]


# ---- functions, as clang-format leaves them: a brace in the first column begins and ends one


class Function:
    def __init__(self, path, number, head, body):
        self.path, self.number, self.head, self.body = path, number, head, body

    def place(self):
        return f"{name_of(self.path)}:{self.number}"

    def parameters(self):
        """The inputs: outputs come last as ret_x, out and err, a callback's ctx belongs to it.
        A callback of a library has the parameters that the library gives it."""
        depth, found = 0, [""]
        for char in re.sub(r"__attribute__\(\(.*?\)\)\)?", "", self.head):
            depth += char == "("
            if char == "(" and depth == 1:
                found = [""]
            elif char == "," and depth == 1:
                found.append("")
            elif depth >= 1 and not (char == ")" and depth == 1):
                found[-1] += char
            depth -= char == ")"
        if re.search(r"\b(gnutls_session_t|struct MHD_Connection)\b|\bvoid \*cls$", found[0]):
            return []
        names = [text.replace("*", " ").split()[-1] for text in found if text.split()]
        return [
            name for name in names
            if name not in ("void", "out", "err", "ctx") and not name.startswith("ret_")
        ]

    def levels(self):
        """How deep control statements with braces are nested; switch and its cases are one."""
        depth, deepest, stack = 0, 0, []
        for line in self.body:
            code = re.sub(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])*\'|/\*.*?\*/', "", line)
            control = re.search(r"(\)|\belse|\bdo) \{$", code.rstrip()) and " = " not in code
            for char in code:
                if char == "{":
                    stack.append(bool(control))
                    depth += bool(control)
                elif char == "}" and stack:
                    depth -= stack.pop()
                deepest = max(deepest, depth)
        return deepest


def functions(path):
    lines = path.read_text(errors="replace").splitlines()
    begin = None
    for number, line in enumerate(lines):
        if line == "{":
            begin = number
        elif line == "}" and begin is not None:
            first = begin
            while first > 0 and lines[first - 1] and not lines[first - 1].startswith(("}", "#")):
                first -= 1
            head = " ".join(lines[first:begin])
            yield Function(path, begin + 1, head, lines[begin + 1 : number])
            begin = None


def all_functions():
    found = [function for path in c_files() for function in functions(path)]
    assert len(found) > 100
    return found


def test_clang_format_leaves_every_file_as_it_is():
    program = shutil.which("clang-format-14")
    if not program:
        pytest.skip("clang-format 14 is not here; other versions disagree with it")
    paths = [str(path) for path in c_files()]
    batches = [paths[first:first + 50] for first in range(0, len(paths), 50)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = pool.map(
            lambda batch: subprocess.run(
                [program, "--dry-run", "--Werror", *batch], capture_output=True, text=True),
            batches,
        )
        complain([run.stderr[:500] for run in runs if run.returncode != 0])


def test_no_file_is_longer_than_a_person_reads():
    complain([
        f"{name_of(path)} has {count} lines"
        for path in with_suffix(".c", ".h", ".py", ".sh", ".cmake")
        if (count := len(path.read_text(errors="replace").splitlines())) > LINES_OF_A_FILE
    ])


def test_no_function_is_longer_than_a_screen():
    complain([
        f"{function.place()}: {len(function.body)} lines"
        for function in all_functions()
        if len(function.body) > LINES_OF_A_FUNCTION
    ])


def test_no_function_has_more_than_five_parameters():
    complain([
        f"{function.place()}: {' '.join(names)}"
        for function in all_functions()
        if len(names := function.parameters()) > PARAMETERS
    ])


def test_no_function_is_nested_deeper_than_three_levels():
    complain([
        f"{function.place()}: {function.levels()} levels"
        for function in all_functions()
        if function.levels() > LEVELS
    ])


def test_error_codes_are_written_in_one_place():
    files = [path for path in product_files() if path.name != "errc.def"]
    complain(lines_that_match(files, r'^(?!.*/\*.*"M_).*"M_[A-Z]'))


def test_nothing_is_left_for_later():
    files = with_suffix(".c", ".h", ".py", ".sh", ".cmake", ".md", ".yaml", ".def")
    marks = "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"])
    complain(lines_that_match(files, rf"\b({marks})\b"))


def test_comments_are_not_written_with_slashes():
    complain(lines_that_match(c_files(), r"(^|[;{}\s])//(?!.*\")"))


def test_no_line_ends_in_blanks_and_every_file_ends_in_a_newline():
    files = [
        path
        for path in with_suffix(".c", ".h", ".py", ".sh", ".cmake", ".md", ".yaml", ".def", ".txt")
        if "corpus" not in path.parts  # bad input on purpose
    ]
    complaints = lines_that_match(files, r"[ \t]+$")
    complaints += [
        f"{name_of(path)} does not end in a newline"
        for path in files
        if (text := path.read_bytes()) and not text.endswith(b"\n")
    ]
    complain(complaints)


def test_every_header_says_what_it_is_and_is_read_once():
    complaints = []
    for path in with_suffix(".h"):
        text = path.read_text()
        if not text.startswith("/*"):
            complaints.append(f"{name_of(path)} does not begin with what it is")
        if "#pragma once" not in text:
            complaints.append(f"{name_of(path)} has no #pragma once")
    complain(complaints)


def compile_header(path):
    flags = subprocess.run(
        ["pkg-config", "--cflags", "libmicrohttpd", "jansson", "libcyaml", "libcurl", "cmocka"],
        capture_output=True, text=True,
    ).stdout.split()
    # cmocka.h wants these three before it, as its manual says.
    cmocka = ["-include", "stdarg.h", "-include", "setjmp.h", "-include", "stdint.h"]
    more = cmocka if "tests" in path.relative_to(ROOT).parts else []
    return subprocess.run(
        ["gcc", "-std=gnu17", "-D_GNU_SOURCE", f"-I{ROOT}", *flags, *more, "-Wall", "-Wextra",
         "-Wno-missing-field-initializers", "-Wno-unused-const-variable", "-Wno-unused-function",
         "-Wno-unused-variable", "-Werror", "-fsyntax-only", "-x", "c", "-include", str(path),
         "/dev/null"],
        capture_output=True, text=True,
    )


def test_every_header_compiles_alone():
    headers = [path for path in with_suffix(".h") if path.name != "banned.h"]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = zip(headers, pool.map(compile_header, headers))
        complain([f"{name_of(path)}: {run.stderr[:500]}" for path, run in runs if run.returncode])


def test_what_a_file_includes_stands_in_order():
    """The file's own header is a block of its own, in front."""
    complaints = []
    for path in c_files():
        for block in re.findall(r'(?:^#include "[^"]+".*\n)+', path.read_text(), re.M):
            names = re.findall(r'^#include "([^"]+)"', block, re.M)
            complaints += [f"{name_of(path)}: {later} stands before {name}"
                           for later, name in zip(names, names[1:]) if later > name]
    complain(complaints)


# ---- who may include whom


def module_uses():
    """Module → the modules that it may use, as shared/CMakeLists.txt says."""
    text = (ROOT / "shared" / "CMakeLists.txt").read_text()
    rows = re.findall(r"mx_module\((\w+)(?: USES ([\w ]+?))?(?: LINKS [^)]*)?\)", text)
    return {name: set(uses.split()) | {name} for name, uses in rows}


def includes(path):
    return re.findall(r'^#include "([^"]+)"', path.read_text(errors="replace"), re.M)


def test_a_shared_module_includes_only_modules_below_it():
    uses, complaints = module_uses(), []
    assert "core" in uses and len(uses) > 5
    for path in c_files():
        parts = path.relative_to(ROOT).parts
        if parts[0] != "shared":
            continue
        for other in includes(path):
            top, _, rest = other.partition("/")
            if not rest:
                continue  # made by the build
            if top != "shared" or rest.partition("/")[0] not in uses.get(parts[1], set()):
                complaints.append(f"{name_of(path)} includes {other}")
    complain(complaints)


def test_a_daemon_does_not_include_another():
    complaints = []
    for path in c_files():
        top = path.relative_to(ROOT).parts[0]
        if top not in ("notary", "identity", "homeserver"):
            continue
        complaints += [
            f"{name_of(path)} includes {other}"
            for other in includes(path)
            if other.partition("/")[0] not in (top, "shared")
        ]
    complain(complaints)


@pytest.mark.parametrize("daemon", ["notary", "identity", "homeserver"])
def test_the_folders_of_a_daemon_stand_above_one_another(daemon):
    needs = {}
    for path in c_files():
        top, *folders, _ = path.relative_to(ROOT).parts
        if top == daemon and folders:
            own = {other.split("/")[1] for other in includes(path) if other.startswith(f"{daemon}/")}
            named = {other for other in own if (ROOT / daemon / other).is_dir()}
            needs.setdefault(folders[0], set()).update(named - {folders[0]})
    while lowest := [name for name, others in needs.items() if not others & set(needs)]:
        for name in lowest:
            del needs[name]
    complain([f"{daemon}/{name} needs {others & set(needs)}" for name, others in needs.items()])


@pytest.mark.parametrize("header, folders", [
    ("db.h", ("shared/store",)),
    # Besides HTTP: SMTP to the operator's relay, and our own admin listener.
    ("curl/curl.h", ("shared/net", "shared/mail/smtp.c", "shared/daemon/ask.c")),
    ("microhttpd.h", ("shared/http",)),
])
def test_a_library_is_used_in_one_module(header, folders):
    complain([
        f"{name_of(path)} includes <{header}>"
        for path in product_files()
        if f"#include <{header}>" in path.read_text() and not name_of(path).startswith(folders)
    ])


# ---- scripts


def test_every_shell_script_passes_shellcheck():
    scripts = [
        path for path in tracked()
        if path.suffix in ("", ".sh") and path.read_bytes().startswith((b"#!/bin/bash", b"#!/bin/sh"))
    ]
    assert scripts
    run = subprocess.run(
        ["shellcheck", "-x", *map(str, scripts)], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout


def test_every_python_file_compiles():
    for path in with_suffix(".py"):
        compile(path.read_text(), str(path), "exec")


def test_names_of_tests_are_sentences():
    """At least two words: `a_taken_alias_is_refused`, not `alias_3`."""
    complaints = []
    for path in c_files():
        text = re.sub(r"^#define (.*\\\n)*.*", "", path.read_text(), flags=re.M)
        for name in re.findall(r"cmocka_unit_test\w*\(\s*(\w+)", text):
            if name.count("_") < 2 or name.startswith("test_"):
                complaints.append(f"{name_of(path)}: {name}")
    complain(complaints)


# ---- what is broken on purpose


def test_what_is_to_be_broken_is_there_and_has_its_test():
    complain([why for case in mutation.cases(ROOT) if (why := mutation.complaint(ROOT, case))])
