"""The sample configuration and the manual page against what the program really understands."""

import re
import subprocess

import pytest

import trinity
from mini import make_certificate

SAMPLE = (trinity.ROOT / "packaging/config/notary.yaml").read_text().splitlines()
PAGE = (trinity.ROOT / "packaging/man/trinity-notary.8").read_text()
LINE = re.compile(r"(?P<off>#(?! \S))?(?P<indent>[ -]*)(?P<key>\w+):(?P<value>.*)")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)


def understood():
    """Every option, as "section.key"."""
    printed = run(trinity.program("contract_options"), "trinity-notary")
    assert printed.returncode == 0, printed.stderr
    return printed.stdout.split()


class Option:
    """A line of the sample, with the lines that it does not work without."""

    def __init__(self, number, found, section):
        self.section = section if found["indent"] else None
        self.path = f"{self.section.path}.{found['key']}" if self.section else found["key"]
        self.number, self.is_off = number, bool(found["off"])
        self.is_section = not found["value"].strip() or found["value"].strip().startswith("# ex")
        self.is_example = found["value"].endswith("# example") or bool(
            self.section and self.section.is_example)
        self.begins_entry = "-" in found["indent"]


def options():
    made, section = [], None
    for number, line in enumerate(SAMPLE):
        found = LINE.fullmatch(line)
        if not found:
            continue
        option = Option(number, found, section)
        if option.is_section:
            section = option
        made.append(option)
    return made


OPTIONS = options()


def entry_of(option):
    """The lines of the list entry that the option is in; else the option's own."""
    if option.section is None or option.section.path != "listen":
        return [option]
    entries = []
    for other in OPTIONS:
        if other.section is option.section:
            if other.begins_entry:
                entries.append([])
            entries[-1].append(other)
    return next(entry for entry in entries if option in entry)


def switched_on(*chosen):
    """The sample with these options."""
    lines = list(SAMPLE)
    for option in chosen:
        for needed in filter(None, (option.section, option)):
            lines[needed.number] = SAMPLE[needed.number].removeprefix("#")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """--check of a text, with files in the place of those that the sample names."""
    directory = tmp_path_factory.mktemp("options")
    certificate, key = make_certificate(directory)
    (directory / "prefetch.txt").write_text("")
    (directory / "data").mkdir(mode=0o700)
    files = {"/etc/trinity/tls/fullchain.pem": certificate, "/etc/trinity/tls/privkey.pem": key,
             "/etc/trinity/prefetch.txt": directory / "prefetch.txt",
             "/etc/ssl/certs/ca-certificates.crt": certificate,
             "/var/lib/trinity-notary/data": directory / "data"}

    def checked(text):
        for name, instead in files.items():
            text = text.replace(name, str(instead))
        (directory / "notary.yaml").write_text(text)
        return run(trinity.program("trinity-notary"), "-c", directory / "notary.yaml", "--check")

    return checked


def test_the_sample_shows_every_option_and_no_other():
    shown = [option.path for option in OPTIONS if not option.is_section]
    assert sorted(set(shown)) == sorted(understood())


def test_the_manual_page_explains_every_option_and_no_other():
    section = PAGE.partition(".Sh CONFIGURATION")[2].partition(".Sh ")[0]
    explained = re.findall(r"^\.It Ic ([\w.]+)", section, re.M)
    assert sorted(explained) == sorted(understood())


def test_what_waits_for_a_restart_is_said_alike():
    page = dict(re.findall(r"^\.It Ic ([\w.]+)( No \*)?$", PAGE, re.M))
    blocks = comments_above()
    for option in OPTIONS:
        if not option.is_section:
            waits = any("(restart)" in blocks[one.number] for one in (option, option.section) if one)
            assert waits == bool(page[option.path]), option.path


def comments_above():
    """{line of an option: the comment that speaks of it}; one may speak of several lines."""
    made, comment, fresh = {}, "", False
    for number, line in enumerate(SAMPLE):
        if LINE.fullmatch(line):
            made[number] = comment
            fresh = True
        elif not line.strip():
            comment = ""
        elif fresh:
            comment, fresh = line, False
        else:
            comment += line
    return made


@pytest.mark.parametrize("option", [o for o in OPTIONS if o.is_off and not o.is_section],
                         ids=lambda option: option.path)
def test_an_option_that_is_switched_on_passes(option, check):
    certificate = [o for o in OPTIONS if o.path.startswith("tls.")]
    done = check(switched_on(*entry_of(option), *certificate))
    assert done.returncode == 0 and done.stderr == "", done.stderr
    if not any(one.is_example for one in entry_of(option)):
        without = check(switched_on(*certificate))
        assert effective(done.stdout) == effective(without.stdout), "it is not the default"


def effective(printed):
    """The values in force; an empty list is none."""
    return [line for line in printed.splitlines() if not line.endswith((":", "[]"))]


def test_the_manual_page_explains_every_command_and_no_other():
    shown = run(trinity.program("trinity-notary"), "--help").stdout.partition("Commands:")[2]
    section = PAGE.partition(".Sh COMMANDS")[2].partition(".Sh ")[0]
    explained = re.findall(r"^\.It Cm (\w+)", section, re.M)
    assert set(explained) == set(re.findall(r"^  (\w+)", shown, re.M))
