"""A notary whose surroundings fail: names do not resolve, descriptors run out, the clock jumps,
strangers send as much as they can. It goes on answering for what it knows."""

import concurrent.futures
import os
import resource

import pytest

import origins as world_of
import preload
from trinity import eventually

QUERY = "/_matrix/key/v2/query"
HOUR_S = 3600
YEAR_S = 365 * 24 * HOUR_S


@pytest.fixture
def notary(story, origins):
    return story.notary({"outbound": origins.outbound, "query": {"deadline_ms": 2000},
                         "fetch": {"total_ms": 1500}}).start()


def ask(notary, *names):
    """server -> entry, of what a question for all keys brings."""
    reply = notary.post(QUERY, {"server_keys": {name: {} for name in names}})
    assert reply.status == 200, reply
    return {entry["server_name"]: entry for entry in reply.json["server_keys"]}


# ---- names that do not resolve


@pytest.mark.parametrize("how", ["SILENT", "SERVFAIL"])
def test_dead_dns_costs_known_servers_nothing_and_ends(notary, origins, how):
    known = origins.add("known.test")
    before = ask(notary, "known.test")
    dead = [origin.name for origin in origins.add_many("dead.test", 60)]
    later = dead.pop()
    for name in ["known.test", *dead]:
        origins.net.dns.fail(name, how)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        cold = pool.submit(ask, notary, "known.test", *dead)
        while not cold.done():
            assert ask(notary, "known.test") == before
        assert cold.result() == before
    assert known.fetches == 1

    assert set(ask(notary, "known.test", later)) == {"known.test", later}


# ---- out of descriptors


def open_files(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def limit_files(daemon, most):
    _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (most, hard))


def test_without_descriptors_it_answers_for_what_it_knows(notary, origins):
    """One asker has a connection, and nothing else can be opened."""
    origins.add("known.test")
    before = ask(notary, "known.test")
    cold = origins.add("cold.test")
    connection = notary.plain.connection()
    for target in "known.test", "cold.test", "known.test":
        connection.request("GET", f"{QUERY}/{target}")
        if connection.sock and target == "known.test":
            limit_files(notary, open_files(notary))
        answer = connection.getresponse()
        assert answer.status == 200
        found = answer.read()
        assert (b"signatures" in found) == (target == "known.test")
    assert cold.fetches == 0
    limit_files(notary, 4096)
    origins.add("later.test")
    after = ask(notary, "known.test", "later.test")
    assert set(after) == {"known.test", "later.test"} and after["known.test"] == before["known.test"]


# ---- a clock that jumps


@pytest.fixture
def clock(tmp_path):
    return preload.Clock(tmp_path)


JUMPS = [HOUR_S, -HOUR_S, YEAR_S, -YEAR_S, 0]


def own_object_is_valid(notary, clock):
    return notary.get("/_matrix/key/v2/server").json["valid_until_ts"] > clock.now_ms() + 1000


def test_a_clock_that_jumps_stops_nothing(story, origins, clock):
    notary = story.notary({"outbound": origins.outbound}, environment=clock.environment).start()
    known = origins.add("known.test")
    known.valid_until_ts = world_of.now_ms() + 10 * YEAR_S * 1000
    before = ask(notary, "known.test")
    valid_until = 0
    for seconds in JUMPS:
        clock.jump(seconds)
        assert ask(notary, "known.test") == before, seconds
        eventually(lambda: own_object_is_valid(notary, clock))
        own = notary.get("/_matrix/key/v2/server").json["valid_until_ts"]
        assert own >= valid_until, "what it publishes must not get shorter"
        valid_until = own
        uptime = notary.admin.request("GET", "/admin/v1/overview").json["uptime_s"]
        assert 0 <= uptime < HOUR_S, seconds
    assert known.fetches == 1, "nothing expires early"
    origins.add("fresh.test")
    assert set(ask(notary, "fresh.test")) == {"fresh.test"}


# ---- as much as strangers can send


HOSTILE = 16
MEMORY_KB = 600_000  # the sanitizer's own share included


def hostile_body():
    names = ",".join(f'"h{i}.hostile.test":{{"ed25519:x":{{}}}}' for i in range(3000))
    return f'{{"server_keys":{{{names}}}}}'.encode()


def test_as_many_names_as_fit_do_not_fill_the_memory(notary, origins):
    origins.add("known.test")
    before = ask(notary, "known.test")
    body = hostile_body()

    def send(_):
        return notary.plain.request("POST", QUERY, body, timeout=120).status

    with concurrent.futures.ThreadPoolExecutor(HOSTILE) as pool:
        statuses = list(pool.map(send, range(HOSTILE)))
    assert set(statuses) <= {200, 429}
    assert notary.resident_kb() < MEMORY_KB
    assert ask(notary, "known.test") == before
