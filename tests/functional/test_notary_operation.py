"""What an operator does with a notary: backup and restore, reload, who may read its files."""

import base64
import json
import os
import pathlib
import re
import shutil
import threading
import time

import pytest

import origins as faults
from metrics import parse_metrics
from mini import plain_build
from trinity import eventually

QUERY = "/_matrix/key/v2/query"
OWN = "/_matrix/key/v2/server"


@pytest.fixture
def notary(story, origins):
    return story.notary({"outbound": origins.outbound})


def known(notary, name):
    """The entries for a server that the notary must know already."""
    return notary.get(f"{QUERY}/{name}").json["server_keys"]


def elsewhere(story, notary, name):
    """The same notary, with everything that it writes in another directory."""
    key = story.directory / name / "notary.key"
    made = story.notary({**notary.configuration, "keys": {"signing_file": str(key)}})
    key.parent.mkdir(exist_ok=True)
    made.configuration.update(
        listen=[{"address": "127.0.0.1", "port": made.plain.port}],
        admin=f"unix:{made.directory}/admin", data_directory=str(story.directory / name / "data"),
    )
    made.admin = made.admin_listener()
    made.write_configuration()
    return made


# ---- backup and restore


def test_a_notary_is_moved_to_another_place_while_it_serves(story, notary, origins):
    origins.add("a.test")
    notary.start()
    entries, keys = known(notary, "a.test"), notary.get(OWN).json["verify_keys"]
    failures, done = [], threading.Event()

    def ask():
        while not done.is_set():
            if known(notary, "a.test") != entries:
                failures.append(notary.log_tail(5))

    asker = threading.Thread(target=ask)
    asker.start()
    taken = notary.command("backup", story.directory / "backup")
    done.set()
    asker.join()
    assert taken.returncode == 0 and failures == [], taken.stderr
    notary.stop()
    origins["a.test"].fault = lambda origin, exchange: exchange.reset()

    other = elsewhere(story, notary, "other")
    restored = other.command("restore", story.directory / "backup")
    assert restored.returncode == 0, restored.stderr
    assert f"{other.configuration['keys']['signing_file']} is restored" in restored.stdout
    other.start()
    assert other.get(OWN).json["verify_keys"] == keys
    assert known(other, "a.test") == entries


def test_a_backup_leaves_nothing_where_it_was_made(story, notary):
    notary.start()
    data = pathlib.Path(notary.configuration["data_directory"])
    before = sorted(path.name for path in data.iterdir())
    (story.directory / "deep").mkdir()
    done = notary.command("backup", "../deep/backup")  # from the notary's directory
    to = story.directory / "deep" / "backup"
    assert done.stdout == f"The backup is in {to}.\n"
    assert (to / "manifest.json").is_file() and (to / "store").is_dir()
    assert sorted(path.name for path in data.iterdir()) == before
    assert f'to="{to}"' in notary.log() and str(data / ".backup-") not in notary.log()


def test_a_backup_that_was_interrupted_is_cleared_away_at_the_next_start(notary):
    notary.start().stop()
    left = pathlib.Path(notary.configuration["data_directory"]) / ".backup-0123456789ab"
    shutil.copytree(left.parent / "store", left / "store")
    notary.start()
    assert not left.exists()
    assert "a backup that was not finished is removed" in notary.log()


def test_a_backup_to_another_file_system_is_whole(story, notary, tmp_path_factory):
    shm = pathlib.Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == story.directory.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    to = shm / f"trinity-{story.directory.name}"
    notary.start()
    try:
        assert notary.command("backup", to).returncode == 0
        assert json.loads((to / "manifest.json").read_text())["daemon"] == "trinity-notary"
        assert all(path.stat().st_mode & 0o077 == 0 for path in to.rglob("*"))
        data = pathlib.Path(notary.configuration["data_directory"])
        assert not list(data.glob(".backup-*"))
    finally:
        shutil.rmtree(to, ignore_errors=True)


# ---- reload


def test_what_a_notary_takes_over_and_what_waits_for_a_restart(notary, origins):
    origins.add("a.test")
    origins.add("b.test")
    notary.start()
    assert known(notary, "a.test") != []
    notary.reload(
        trust={"deny": ["a.test"]}, query={"deadline_ms": 1234}, refresh={"days": 3},
        fetch={"cold_burst": 7, "total_ms": 777}, limit={"requests_per_second": 9},
        status_page=False, server_name="other.test", alarm_url="https://alarm.test/",
    )
    eventually(lambda: "the configuration is reloaded" in notary.log())
    waiting = re.findall(r'waits for a restart key="([\w.]+)"', notary.log())
    assert sorted(waiting) == [
        "alarm_url", "fetch.total_ms", "limit", "query", "refresh.days", "server_name",
        "status_page",
    ]
    assert known(notary, "a.test") == []
    assert known(notary, "b.test") != []


def test_a_rotated_key_is_in_force_after_a_reload(story, notary):
    keys = {**notary.configuration["keys"], "countersign_file": str(story.directory / "old.key")}
    notary.configuration["keys"] = keys
    notary.write_configuration()
    notary.start()
    before = set(notary.get(OWN).json["verify_keys"])
    assert notary.command("key", "rotate").returncode == 0
    assert notary.command("reload").returncode == 0
    after = notary.get(OWN).json
    assert before.isdisjoint(after["verify_keys"]) and before == set(after["old_verify_keys"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for another user")
def test_root_rotates_keys_for_the_notarys_user(story, notary):
    place = story.directory / "keys"
    place.mkdir()
    notary.configuration["keys"] = {
        "signing_file": str(place / "signing.key"), "countersign_file": str(place / "old.key")}
    notary.write_configuration()
    assert notary.command("key", "generate", place / "signing.key").returncode == 0
    for path in (place, place / "signing.key"):
        os.chown(path, 12345, 12345)
    assert notary.command("key", "rotate").returncode == 0
    assert {path.stat().st_uid for path in place.iterdir()} == {12345}
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}


def test_a_sandboxed_notary_reads_its_files_again(story, origins, monkeypatch):
    monkeypatch.setenv("TRINITY_BUILD", str(plain_build()))
    listed = story.directory / "lists" / "prefetch.txt"
    listed.parent.mkdir()
    listed.write_text("")
    notary = story.notary({
        "outbound": origins.outbound, "refresh": {"prefetch_file": str(listed)},
        "keys": {"signing_file": str(story.directory / "keys" / "signing.key"),
                 "countersign_file": str(story.directory / "keys" / "old.key")},
    })
    (story.directory / "keys").mkdir(mode=0o700)
    notary.start()
    a = origins.add("a.test")
    listed.write_text("a.test\n")
    assert notary.command("key", "rotate").returncode == 0
    assert notary.command("reload").returncode == 0
    assert len(notary.get(OWN).json["old_verify_keys"]) == 1
    eventually(lambda: a.fetches == 1)
    assert notary.command("backup", story.directory / "backup").returncode == 0
    notary.restart()
    assert "ERROR" not in notary.log()


# ---- stop, metrics


def test_a_stop_does_not_wait_for_servers_that_hang(story, origins):
    notary = story.notary({"outbound": origins.outbound, "query": {"deadline_ms": 60000},
                           "fetch": {"total_ms": 60000}}).start()
    slow = origins.add("hangs.test")
    slow.fault = faults.hang
    replies = []

    def ask():
        replies.append(notary.plain.raw(f"GET {QUERY}/hangs.test HTTP/1.1\r\nHost: n\r\n\r\n".encode()))

    asker = threading.Thread(target=ask)
    asker.start()
    eventually(lambda: slow.fetches == 1)
    begin = time.monotonic()
    notary.stop()
    took = time.monotonic() - begin
    asker.join()
    assert took < 10
    assert replies[0] == b"" or replies[0].startswith(b"HTTP/1.1 ")


def test_metrics_of_a_notary_are_in_prometheus_text_format(notary, origins):
    origins.add("a.test")
    notary.start()
    for _ in range(3):
        known(notary, "a.test")
    known(notary, origins.dead("dead.test"))
    metrics = parse_metrics(notary.admin.request("GET", "/metrics").body.decode())
    answers = metrics["notary_answers_total"]
    assert answers['how="fetched"'] == 1 and answers['how="missing"'] == 1
    assert answers['how="warm"'] + answers['how="known"'] == 2


# ---- who may read what


def test_what_a_notary_writes_is_for_its_owner_only(story, notary, origins):
    origins.add("a.test")
    notary.start()
    known(notary, "a.test")
    data = pathlib.Path(notary.configuration["data_directory"])
    written = [data, *data.rglob("*"), pathlib.Path(notary.configuration["keys"]["signing_file"])]
    assert [str(path) for path in written if path.stat().st_mode & 0o077] == []


def test_a_data_directory_is_made_for_its_owner_only(story, notary):
    data = story.directory / "made"
    notary.configuration["data_directory"] = str(data)
    notary.write_configuration()
    notary.start()
    assert data.stat().st_mode & 0o7777 == 0o700


def test_a_data_directory_that_everybody_may_write_is_refused(notary):
    data = pathlib.Path(notary.configuration["data_directory"])
    data.mkdir()
    data.chmod(0o777)
    notary.launch()
    assert notary.wait() == 1
    notary.process = None
    assert "use mode 0700" in notary.log()


PERSON = "203.0.113.77"  # an asker behind a proxy
TOKEN = "syt_c2VjcmV0_abcdefgh"


def secrets_of(path):
    """The secret halves in a key file, as the file and as others may write them."""
    lines = [line.split() for line in pathlib.Path(path).read_text().splitlines()]
    seeds = [words[2] for words in lines if len(words) == 3]  # four: an old key, public
    raw = [base64.b64decode(seed + "==") for seed in seeds]
    return [*seeds, *(bytes_.hex() for bytes_ in raw),
            *(base64.urlsafe_b64encode(bytes_).decode().rstrip("=") for bytes_ in raw)]


def test_no_secret_and_nobodys_address_is_in_logs_or_answers(story, notary, origins):
    origins.add("a.test")
    notary.configuration.update(
        log={"level": "debug"}, http={"trusted_proxies": ["127.0.0.1"]},
        keys={**notary.configuration["keys"], "countersign_file": str(story.directory / "old.key")},
    )
    notary.write_configuration()
    notary.start()
    headers = {"X-Forwarded-For": PERSON, "Authorization": f"Bearer {TOKEN}", "Cookie": TOKEN}
    notary.get(f"{QUERY}/a.test?access_token={TOKEN}", headers=headers)
    notary.get(f"/nowhere?access_token={TOKEN}", headers=headers)
    notary.post(QUERY, {"server_keys": {"a.test": {}}, "password": TOKEN}, headers=headers)
    notary.post(QUERY, b"{" + TOKEN.encode(), headers=headers)
    secrets = secrets_of(notary.configuration["keys"]["signing_file"])
    done = [notary.command(*words) for words in (
        ("key", "list"), ("key", "rotate"), ("reload",), ("status",), ("--check",),
        ("inspect", "a.test"), ("overview",), ("backup", story.directory / "backup"))]
    assert [one.returncode for one in done] == [0] * len(done), done
    secrets += secrets_of(notary.configuration["keys"]["signing_file"])
    metrics = notary.admin.request("GET", "/metrics").body.decode()
    page = notary.get("/").body.decode()
    notary.stop()
    told = "".join([notary.log(), metrics, page, *(one.stdout + one.stderr for one in done)])
    assert "a.test" in told
    assert [secret for secret in (*secrets, TOKEN, PERSON) if secret in told] == []
