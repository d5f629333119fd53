"""The sample configurations and the manual pages against what the programs really understand."""

import re
import subprocess

import pytest

import trinity
from mini import make_certificate

LINE = re.compile(r"(?P<off>#(?! \S))?(?P<indent>[ -]*)(?P<key>\w+):(?P<value>.*)")


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60)


def understood(daemon):
    """Every option, as "section.key"."""
    printed = run(trinity.program(f"contract_options_{daemon.removeprefix('trinity-')}"))
    assert printed.returncode == 0, printed.stderr
    return printed.stdout.split()


class Option:
    """A line of a sample, with the lines that it does not work without."""

    def __init__(self, number, found, sections):
        self.number, self.is_off = number, bool(found["off"])
        self.indent = len(found["indent"])
        self.section = next((s for s in reversed(sections) if s.indent < self.indent), None)
        self.path = f"{self.section.path}.{found['key']}" if self.section else found["key"]
        self.is_section = not found["value"].strip() or found["value"].strip().startswith("# ex")
        self.is_example = found["value"].endswith("# example") or bool(
            self.section and self.section.is_example)
        self.begins_entry = "-" in found["indent"]

    def above(self):
        """The sections that it is in, the outermost first."""
        return [*self.section.above(), self.section] if self.section else []


class Sample:
    """A sample configuration of a daemon."""

    def __init__(self, name):
        self.daemon = f"trinity-{name}"
        self.page = (trinity.ROOT / f"packaging/man/{self.daemon}.8").read_text()
        self.lines = (trinity.ROOT / f"packaging/config/{name}.yaml").read_text().splitlines()
        self.options = []
        sections = []
        for number, line in enumerate(self.lines):
            found = LINE.fullmatch(line)
            if not found:
                continue
            option = Option(number, found, sections)
            sections = [s for s in sections if s.indent < option.indent]
            if option.is_section:
                sections.append(option)
            self.options.append(option)

    def entry_of(self, option):
        """The lines of the list entry that the option is in; else the option's own."""
        lists = [s for s in option.above()
                 if any(o.section is s and o.begins_entry for o in self.options)]
        if not lists:
            return [option]
        entries = []
        for other in self.options:
            if lists[0] in other.above():
                if other.section is lists[0] and other.begins_entry:
                    entries.append([])
                entries[-1].append(other)
        return next(entry for entry in entries if option in entry)

    def switched_on(self, *chosen):
        """The sample with these options."""
        lines = list(self.lines)
        for option in chosen:
            for needed in (*option.above(), option):
                lines[needed.number] = self.lines[needed.number].removeprefix("#")
        return "\n".join(lines) + "\n"

    def needed_by(self, option):
        """What else has to be there, because some options make sense only together."""
        together = [*TOGETHER.get(option.path.partition(".")[0], ()), "tls."]
        return [o for o in self.options if o.path.startswith(tuple(together))]

    def comments_above(self):
        """{line of an option: the comment that speaks of it}; one may speak of several lines."""
        made, comment, fresh = {}, "", False
        for number, line in enumerate(self.lines):
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


TOGETHER = {"turn": ("turn.uris", "turn.secret_file"),
            "recaptcha": ("recaptcha.site_key", "recaptcha.secret_file"),
            "replication": ("replication.certificate", "replication.key"),
            "mail": ("mail.relay", "mail.from", "mail.user", "mail.password_file"),
            "sms": ("sms.gateway", "sms.url", "sms.webhook.body", "sms.webhook.success_path",
                    "sms.countries.allow", "sms.originators.", "sms.prices.",
                    "sms.secret_file")}
ALL = [Sample(name) for name in ("notary", "identity", "homeserver")]
SAMPLES = pytest.mark.parametrize("sample", ALL, ids=lambda s: s.daemon)
SWITCHES = [(sample, option) for sample in ALL for option in sample.options
            if option.is_off and not option.is_section]


@pytest.fixture(scope="module")
def check(tmp_path_factory):
    """--check of a text, with files in the place of those that the sample names."""
    directory = tmp_path_factory.mktemp("options")
    certificate, key = make_certificate(directory)
    (directory / "text").write_text("")
    for name in ("data", "templates"):
        (directory / name).mkdir(mode=0o700)
    files = {"/etc/trinity/tls/fullchain.pem": certificate, "/etc/trinity/tls/privkey.pem": key,
             "/etc/trinity/prefetch.txt": directory / "text",
             "/etc/trinity/mail-password": directory / "text",
             "/etc/trinity/turn-secret": directory / "text",
             "/etc/trinity/internal-token": directory / "text",
             "/etc/trinity/recaptcha-secret": directory / "text",
             "/etc/trinity/sms-secret": directory / "text",
             "/etc/trinity/ldap-password": directory / "text",
             "/etc/trinity/registration-secret": directory / "text",
             "/etc/trinity/templates": directory / "templates",
             "/etc/ssl/certs/ca-certificates.crt": certificate,
             "/var/lib/trinity-notary/data": directory / "data",
             "/var/lib/trinity-identity/data": directory / "data",
             "/var/lib/trinity-homeserver/data": directory / "data"}

    def checked(sample, *chosen):
        text = sample.switched_on(*chosen)
        for name, instead in files.items():
            text = text.replace(name, str(instead))
        (directory / "conf.yaml").write_text(text)
        return run(trinity.program(sample.daemon), "-c", directory / "conf.yaml", "--check")

    return checked


@SAMPLES
def test_the_sample_shows_every_option_and_no_other(sample):
    shown = [option.path for option in sample.options if not option.is_section]
    assert sorted(set(shown)) == sorted(understood(sample.daemon))


@pytest.mark.parametrize("sample, option", SWITCHES,
                         ids=lambda value: getattr(value, "path", None) or value.daemon)
def test_an_option_that_is_switched_on_passes(sample, option, check):
    others = sample.needed_by(option)
    done = check(sample, *sample.entry_of(option), *others)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    if not any(one.is_example for one in sample.entry_of(option)):
        without = check(sample, *others)
        assert effective(done.stdout) == effective(without.stdout), "it is not the default"


def effective(printed):
    """The values in force; an empty list is none."""
    return [line for line in printed.splitlines() if not line.endswith((":", "[]"))]


@SAMPLES
def test_the_manual_page_explains_every_option_and_no_other(sample):
    section = sample.page.partition(".Sh CONFIGURATION")[2].partition(".Sh ")[0]
    explained = re.findall(r"^\.It Ic ([\w.]+)", section, re.M)
    assert sorted(explained) == sorted(understood(sample.daemon))


@SAMPLES
def test_what_waits_for_a_restart_is_said_alike(sample):
    page = dict(re.findall(r"^\.It Ic ([\w.]+)( No \*)?$", sample.page, re.M))
    blocks = sample.comments_above()
    for option in sample.options:
        if not option.is_section:
            waits = any("(restart)" in blocks[one.number] for one in (*option.above(), option))
            assert waits == bool(page[option.path]), option.path


@SAMPLES
def test_the_manual_page_explains_every_command_and_no_other(sample):
    shown = run(trinity.program(sample.daemon), "--help").stdout.partition("Commands:")[2]
    section = sample.page.partition(".Sh COMMANDS")[2].partition(".Sh ")[0]
    explained = re.findall(r"^\.It Cm ([\w-]+)", section, re.M)
    assert set(explained) == set(re.findall(r"^  ([\w-]+)", shown, re.M))
