"""Everything at once: many ask, keys and lists change, and every answer is whole and right."""

import concurrent.futures
import time

from signedjson.sign import SignatureVerifyException

import origins
from notary_world import ALL, NAME, QUERY, verify
from trinity import eventually

SECONDS = 4
KEYS = {"ed25519:one": "A" * 43, "ed25519:two": "B" * 42 + "A"}


def write_keys(path, *versions):
    lines = [f"ed25519 {version} {KEYS['ed25519:' + version]}\n" for version in versions]
    path.with_suffix(".new").write_text("".join(lines))
    path.with_suffix(".new").chmod(0o600)
    path.with_suffix(".new").replace(path)


def is_signed_by(entry, public_keys):
    """Signed with every key that it says it is signed with, of those that the notary has had."""
    for key_id in entry["signatures"][NAME]:
        try:
            verify(entry, NAME, key_id, public_keys[key_id])
        except SignatureVerifyException:
            return False
    return bool(entry["signatures"][NAME])


def until(end, act):
    """Acts again and again; how often."""
    count = 0
    while time.monotonic() < end:
        act(count)
        count += 1
    return count


def test_answers_stay_whole_while_everything_changes(make_world, tmp_path):
    signing = tmp_path / "signing.key"
    write_keys(signing, "one", "two")
    world = make_world({"keys": {"signing_file": str(signing)},
                        "query": {"deadline_ms": 8000}}).start()
    public_keys = world.own_keys()
    servers = world.origins.add_many("busy.test", 12, listeners=2)
    bad = []

    def hold_against(reply):
        if reply.status != 200:
            bad.append(reply)
            return
        bad.extend(entry for entry in reply.json["server_keys"]
                   if not is_signed_by(entry, public_keys))

    def ask_one(turn):
        hold_against(world.notary.get(f"{QUERY}/{servers[turn % 12].name}"))

    def ask_many(_turn):
        hold_against(world.notary.post(QUERY, {"server_keys": {a.name: ALL for a in servers}}))

    def reload(turn):
        write_keys(signing, *(["one"], ["two"], ["one", "two"])[turn % 3])
        world.notary.reload(trust={"deny": ["s3.*"]} if turn % 2 else {})
        time.sleep(0.1)

    def decide(turn):
        target = f"/admin/v1/servers/{servers[turn % 4].name}/deny"
        world.admin("PUT", target, {"reason": "just so"})
        world.admin("DELETE", target)

    def rotate(turn):
        servers[turn % 12].rotate(f"ed25519:k{turn}")
        world.admin("POST", f"/admin/v1/servers/{servers[turn % 12].name}/refetch")

    def look(_turn):
        world.metrics()
        world.admin("GET", "/admin/v1/overview")
        world.notary.get("/")

    acts = [ask_one, ask_one, ask_many, ask_many, reload, decide, rotate, look]
    end = time.monotonic() + SECONDS
    with concurrent.futures.ThreadPoolExecutor(len(acts)) as pool:
        counts = list(pool.map(lambda act: until(end, act), acts))
    assert all(counts), counts
    assert not bad, bad[:3]
    world.notary.check_log()


def test_a_question_that_waits_ends_with_the_notary(make_world):
    world = make_world().start()
    a = world.origins.add("hangs.test")
    a.fault = origins.hang
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(world.notary.plain.raw, b"GET %s/hangs.test HTTP/1.1\r\nHost: x\r\n\r\n"
                             % QUERY.encode()) for _ in range(4)]
        eventually(lambda: a.fetches)
        begin = time.monotonic()
        world.notary.stop()
        assert time.monotonic() - begin < 10
        for each in asked:
            each.result()
