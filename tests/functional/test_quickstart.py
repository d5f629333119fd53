"""What a newcomer does first: one command, then the commands that it prints."""

import os
import pathlib
import re
import subprocess

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


def test_it_says_what_to_open_and_three_commands(place):
    _, printed = place
    assert re.search(r"https://localhost:\d+/", printed)
    assert re.search(r"http://127\.0\.0\.1:\d+/", printed)
    assert len(commands(printed)) == 3
    assert "quickstart stop" in printed


def test_the_readme_shows_what_is_printed(place):
    directory, printed = place
    readme = (ROOT / "README.md").read_text()
    shown = readme.partition("$ packaging/quickstart\n")[2].partition("Stop:")[0]
    printed = printed.partition("Built")[1] + printed.partition("Built")[2].partition("Stop:")[0]
    printed = printed.replace(str(directory), "…/quickstart").replace(str(ROOT), "…")
    assert re.sub(r"\d+", "N", printed) == re.sub(r"\d+", "N", shown)


def test_each_printed_command_works(place):
    _, printed = place
    answers = [
        subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
        for line in commands(printed)
    ]
    assert [answer.returncode for answer in answers] == [0, 0, 0], answers
    assert '"verify_keys"' in answers[0].stdout
    assert '"server_keys"' in answers[1].stdout and '"verify_keys"' in answers[1].stdout


def test_each_printed_address_answers(place):
    directory, printed = place
    for url in re.findall(r"https?://(?:localhost|127\.0\.0\.1):\d+/(?=\s)", printed):
        opened = subprocess.run(
            ["curl", "-sf", "--cacert", str(directory / "tls/ca.pem"), url],
            capture_output=True, text=True, timeout=60,
        )
        assert opened.returncode == 0 and "<html" in opened.stdout.lower(), url


def test_started_again_it_finds_itself_running(place):
    directory, _ = place
    again = quickstart("start", directory)
    assert again.returncode == 0, again.stderr
    assert "runs already" in again.stdout


def test_status_says_that_it_is_ready(place):
    directory, _ = place
    status = quickstart("status", directory)
    assert status.returncode == 0 and "ready" in status.stdout


def test_secrets_are_for_their_owner_only(place):
    directory, _ = place
    for name in ("tls/ca.key", "tls/server.key", "notary/signing.key", "notary/notary.yaml"):
        assert (directory / name).stat().st_mode & 0o077 == 0, name
    assert (directory / "notary/data").stat().st_mode & 0o7777 == 0o700
    assert "warn" not in (directory / "notary/log").read_text()


def test_stopped_and_started_it_keeps_its_keys(place):
    directory, _ = place
    before = (directory / "notary/signing.key").read_bytes()
    assert quickstart("stop", directory).returncode == 0
    assert quickstart("status", directory).returncode == 3
    assert quickstart("stop", directory).returncode == 0
    assert quickstart("start", directory).returncode == 0
    assert (directory / "notary/signing.key").read_bytes() == before


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
