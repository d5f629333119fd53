"""A notary whose disk is full: it reads on, says so, refuses what it cannot keep, and goes on by
itself once there is room. Needs root, for a small file system in memory."""

import itertools
import json

import pytest

import origins as world_of
from disk import LITTLE, is_refused, says_full
from origins import Origin
from trinity import eventually

QUERY = "/_matrix/key/v2/query"
SERVERS = "/admin/v1/servers"


@pytest.fixture
def notary(disk, story, origins):  # in this order: it ends before its disk goes
    data = disk.path / "data"
    data.mkdir(mode=0o700)
    return story.notary({"outbound": origins.outbound, "data_directory": str(data)}).start()


def ask(notary, *names):
    reply = notary.post(QUERY, {"server_keys": {name: {} for name in names}})
    assert reply.status == 200
    return {entry["server_name"]: entry for entry in reply.json["server_keys"]}


def import_one(notary, origin):
    item = {"server": origin.name, "object": json.dumps(origin.published())}
    body = {"source": "a test", "objects": [item]}
    return notary.admin.request("POST", "/admin/v1/import", body)


def deny(notary, name):
    return notary.admin.request("PUT", f"{SERVERS}/{name}/deny", {"reason": "a test"})


def pin(notary, origin):
    key = {"key_id": "ed25519:a", "public_key": origin.public_key("ed25519:a"), "reason": "a test"}
    return notary.admin.request("PUT", f"{SERVERS}/{origin.name}/pin", key)


def metric(notary, name):
    text = notary.admin.request("GET", "/metrics").body.decode()
    return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))


@pytest.mark.parametrize("leave", [LITTLE, 0], ids=["little_room", "no_room"])
def test_it_reads_on_refuses_clearly_and_recovers_by_itself(disk, notary, origins, leave):
    known, fresh, late = origins.add("known.test"), Origin("fresh.test"), Origin("late.test")
    before = ask(notary, "known.test")
    assert import_one(notary, fresh).status == 200
    disk.fill(leave)

    eventually(lambda: says_full(notary))
    assert metric(notary, "trinity_store_full") == 1
    for reply in import_one(notary, late), deny(notary, "denied.test"), pin(notary, fresh):
        assert is_refused(reply), reply
    assert ask(notary, "known.test") == before
    assert set(ask(notary, "known.test", "fresh.test", "late.test")) == {"known.test", "fresh.test"}
    assert notary.get(f"{QUERY}/known.test").status == 200
    assert notary.get("/_matrix/key/v2/server").status == 200

    disk.clear()
    eventually(lambda: not says_full(notary))
    assert metric(notary, "trinity_store_full") == 0
    for reply in import_one(notary, late), deny(notary, "denied.test"), pin(notary, fresh):
        assert reply.status == 200, reply
    known.fault = world_of.answers(500)
    notary.kill()
    notary.start()
    assert set(ask(notary, "known.test", "fresh.test", "late.test", "denied.test")) == {
        "known.test", "fresh.test", "late.test"}


def test_a_question_about_an_unknown_server_costs_the_others_nothing(disk, notary, origins):
    origins.add("known.test")
    before = ask(notary, "known.test")
    unknown = origins.add("unknown.test")
    disk.fill(LITTLE)
    eventually(lambda: says_full(notary))
    assert ask(notary, "known.test", "unknown.test")["known.test"] == before["known.test"]
    assert unknown.fetches == 1
    disk.clear()
    eventually(lambda: not says_full(notary))
    eventually(lambda: "unknown.test" in ask(notary, "unknown.test"))


def test_it_starts_on_a_full_disk_and_answers(disk, notary, origins):
    origins.add("known.test")
    before = ask(notary, "known.test")
    disk.fill(LITTLE)
    for leave in LITTLE, 0:
        disk.fill(leave)
        notary.kill()
        notary.start()
        assert says_full(notary)
        assert ask(notary, "known.test") == before
        assert is_refused(deny(notary, "denied.test"))
    disk.clear()
    eventually(lambda: not says_full(notary))
    assert deny(notary, "denied.test").status == 200


def import_until_refused(notary, domain, acknowledged):
    for number in itertools.count():
        origin = Origin(f"s{number}.{domain}")
        reply = import_one(notary, origin)
        if reply.status != 200:
            assert is_refused(reply), reply
            return
        acknowledged[origin.name] = {"ed25519:a": {"key": origin.public_key("ed25519:a")}}


def test_no_import_is_lost_whenever_the_disk_fills(disk, notary):
    """Somebody takes all there is while imports are under way; some times it is killed then."""
    acknowledged = {}
    for point in range(6):
        disk.fill_amid(0.3, lambda: import_until_refused(notary, f"p{point}.test", acknowledged))
        if point % 3 == 2:
            notary.kill()
            notary.start()
        found = ask(notary, *acknowledged)
        assert {name: entry["verify_keys"] for name, entry in found.items()} == acknowledged
        disk.clear()
        eventually(lambda: not says_full(notary))
    assert len(acknowledged) > 6


def test_a_backup_that_finds_no_room_leaves_nothing_that_looks_like_one(disk, notary, story):
    to = disk.path / "backup"
    assert import_one(notary, Origin("a.test")).status == 200
    disk.fill(64 * 1024)
    failed = notary.command("backup", to)
    assert failed.returncode != 0 and "No space left" in failed.stderr
    assert not to.exists() or not (to / "manifest.json").exists()
    disk.clear()
    eventually(lambda: not says_full(notary))
    assert notary.command("backup", story.directory / "backup").returncode == 0
