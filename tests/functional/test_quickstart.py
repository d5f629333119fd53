"""What a newcomer does first: one command, then the commands that it prints."""

import json
import os
import pathlib
import re
import subprocess
import urllib.parse
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "packaging" / "quickstart"


def quickstart(*arguments):
    return subprocess.run(
        [str(QUICKSTART), *map(str, arguments)], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=900,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A quickstart that runs; stopped at the end whatever happened."""
    directory = tmp_path_factory.mktemp("quickstart")
    started = quickstart("start", directory)
    if "apt-get needs root" in started.stderr:
        pytest.skip("packages are missing and apt-get needs root")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield directory, started.stdout
    finally:
        quickstart("stop", directory)


def commands(printed):
    """The lines to try, without their comments."""
    tried = printed.partition("Try:\n")[2].partition("Stop:")[0]
    return [line for line in tried.splitlines() if line and not line.strip().startswith("#")]


def paste(lines):
    """What each line prints, pasted one after the other into one shell. All have to succeed."""
    end = "--- end of a command: "
    script = "".join(f"{line.strip()}\nprintf '\\n%s%s\\n' '{end}' $?\n" for line in lines)
    done = subprocess.run(["bash", "-s"], input=script, capture_output=True, text=True, timeout=60)
    said = re.split(rf"\n{end}(\d+)\n", done.stdout)
    assert said[1::2] == ["0"] * len(lines), done.stdout + done.stderr
    return said[:-1:2]


def test_it_says_what_to_open_and_what_to_try(place):
    _, printed = place
    assert len(re.findall(r"https://localhost:\d+/", printed)) >= 2
    assert len(re.findall(r"http://127\.0\.0\.1:\d+/", printed)) >= 2
    assert len(commands(printed)) == 25
    assert "quickstart stop" in printed


def test_the_readme_shows_what_is_printed(place):
    directory, printed = place
    readme = (ROOT / "README.md").read_text()
    shown = readme.partition("$ packaging/quickstart\n")[2].partition("Stop:")[0]
    printed = printed.partition("Built")[1] + printed.partition("Built")[2].partition("Stop:")[0]
    printed = printed.replace(f"mail {directory}", "mail")  # the usual place needs no name
    printed = printed.replace(str(directory), "…/quickstart").replace(str(ROOT), "…")
    assert re.sub(r"\d+", "N", printed) == re.sub(r"\d+", "N", shown)


def test_each_printed_command_works(place):
    _, printed = place
    (own, query, notary, base, asked, mail, token, proved, checked, bound, found, who,
     identity, _, _, ann, bob, room, joined, sent, read, account, vouched, users,
     homeserver) = paste(commands(printed))
    assert '"verify_keys"' in own
    assert '"server_keys"' in query and '"verify_keys"' in query
    assert all('"ready": true' in status for status in (notary, identity, homeserver))
    assert (base, asked, token) == ("", "", "")
    assert "To: ann@example.org" in mail
    assert json.loads(proved) == {"success": True}
    assert json.loads(checked)["address"] == "ann@example.org"
    assert json.loads(bound)["mxid"] == json.loads(found)["mxid"] == "@ann:example.org"
    assert json.loads(found)["signatures"]
    assert "email ann@example.org: @ann:example.org" in who
    assert (ann, bob, room) == ("", "", "")
    assert json.loads(joined)["room_id"].startswith("!") and json.loads(sent)["event_id"]
    assert json.loads(read)["chunk"][0]["content"]["body"] == "hello"
    assert json.loads(account)["token"]
    [vouched] = json.loads(vouched)["server_keys"]
    assert len(vouched["signatures"]) == 2
    assert "@ann" in users and "@bob" in users


def test_the_validation_may_be_tried_again_and_again(place):
    _, printed = place
    validation = commands(printed)[3:11]
    for _ in range(6):
        assert "@ann:example.org" in paste(validation)[-1]


def test_the_link_in_the_mail_opens_a_page_with_a_button(place):
    directory, printed = place
    base, asking = commands(printed)[3:5]
    paste([base, asking.replace("ann@", "page@")])
    mail = quickstart("mail", directory).stdout
    assert mail.startswith("From: Trinity quickstart <identity@quickstart.invalid>\n")
    (link,) = re.findall(r"^http://\S+$", mail, re.M)
    page = urllib.request.urlopen(link, timeout=30).read().decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    (action,) = re.findall(r'action="([^"]*)"', page)
    pressed = urllib.request.urlopen(action, urllib.parse.urlencode(fields).encode(), timeout=30)
    assert pressed.status == 200 and "page@example.org" in pressed.read().decode()


def test_each_printed_address_answers(place):
    directory, printed = place
    for url in re.findall(r"https?://(?:localhost|127\.0\.0\.1):\d+/(?=\s)", printed):
        opened = subprocess.run(
            ["curl", "-sf", "--cacert", str(directory / "tls/ca.pem"), url],
            capture_output=True, text=True, timeout=60,
        )
        assert opened.returncode == 0 and "<html" in opened.stdout.lower(), url
    versions = re.findall(r"https?://\S+/versions", printed)
    for url in versions:
        opened = subprocess.run(["curl", "-sf", "--cacert", str(directory / "tls/ca.pem"), url],
                                capture_output=True, text=True, timeout=60)
        assert json.loads(opened.stdout)["versions"]
    assert len(versions) == 4


def test_started_again_it_finds_itself_running(place):
    directory, _ = place
    again = quickstart("start", directory)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("runs already") == 4
    assert "before this build" not in again.stdout


def test_status_says_that_it_is_ready(place):
    directory, _ = place
    status = quickstart("status", directory)
    assert status.returncode == 0 and status.stdout.count("is ready (pid") == 4


def test_secrets_are_for_their_owner_only(place):
    directory, _ = place
    for name in ("tls/ca.key", "tls/server.key", "notary/signing.key", "notary/notary.yaml",
                 "identity/signing.key", "identity/identity.yaml", "mail/mails",
                 "homeserver/signing.key", "homeserver/homeserver.yaml"):
        assert (directory / name).stat().st_mode & 0o077 == 0, name
    for name in ("notary", "identity", "homeserver"):
        assert (directory / name / "data").stat().st_mode & 0o7777 == 0o700
        assert "warn" not in (directory / name / "log").read_text()


def test_stopped_and_started_it_keeps_its_keys(place):
    directory, _ = place
    names = ("notary/signing.key", "identity/signing.key", "identity/identity.yaml",
             "homeserver/signing.key")
    before = [(directory / name).read_bytes() for name in names]
    assert quickstart("stop", directory).returncode == 0
    assert quickstart("status", directory).returncode == 3
    assert quickstart("stop", directory).returncode == 0
    assert quickstart("start", directory).returncode == 0
    assert [(directory / name).read_bytes() for name in names] == before


def test_a_process_of_someone_else_is_never_signalled(place):
    directory, _ = place
    assert quickstart("stop", directory).returncode == 0
    other = subprocess.Popen(["sleep", "600"])
    try:
        (directory / "notary/pid").write_text(f"{other.pid} 1\n")
        assert "is stopped" in quickstart("stop", directory).stdout
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
    assert quickstart("start", directory).returncode == 0


def test_where_nothing_was_started_there_is_nothing_to_stop(tmp_path):
    status = quickstart("status", tmp_path / "none")
    assert status.returncode == 3 and "Nothing was started" in status.stdout


def test_a_wrong_word_is_answered_with_the_usage():
    wrong = quickstart("--begin")
    assert wrong.returncode == 1 and "usage" in wrong.stderr
    assert os.access(QUICKSTART, os.X_OK)
