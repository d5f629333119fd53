"""What the notary does for whom: budgets, back-off, lists, and questions of every size."""

import concurrent.futures
import time

import pytest

import origins
from notary_world import ALL, QUERY
from origins import Origin, now_ms
from trinity import eventually

TIGHT = {"fetch": {"cold_burst": 3, "cold_per_minute": 1, "cold_total_burst": 5,
                   "cold_total_per_minute": 1},
         "http": {"trusted_proxies": ["127.0.0.1"]}}


def names_of(reply):
    assert reply.status == 200, reply
    return [entry["server_name"] for entry in reply.json["server_keys"]]


# ---- budgets of those who ask for strangers


@pytest.fixture
def tight(make_world):
    world = make_world(TIGHT).start()
    world.names = [world.origins.add(f"s{n}.test").name for n in range(8)]
    return world


def ask_from(world, address, *names):
    return world.notary.post(QUERY, {"server_keys": {name: ALL for name in names}},
                             headers={"X-Forwarded-For": address})


def test_what_is_over_the_budget_is_left_out(tight):
    assert names_of(ask_from(tight, "192.0.2.1", *tight.names[:5])) == tight.names[:3]
    assert sum(tight.origins[name].fetches for name in tight.names) == 3
    assert tight.metrics()['notary_answers_total{how="over_budget"}'] == 2


def test_only_an_answer_without_anything_is_a_refusal(tight):
    ask_from(tight, "192.0.2.1", *tight.names[:3])
    reply = ask_from(tight, "192.0.2.1", tight.names[3])
    assert (reply.status, reply.errcode) == (429, "M_LIMIT_EXCEEDED")
    assert reply.json["retry_after_ms"] > 0 and int(reply.headers["Retry-After"]) > 0
    assert names_of(ask_from(tight, "192.0.2.1", *tight.names[2:5])) == tight.names[2:3]


def test_what_is_known_costs_nothing(tight):
    ask_from(tight, "192.0.2.1", *tight.names[:3])
    for _ in range(20):
        assert names_of(ask_from(tight, "192.0.2.1", *tight.names[:3])) == tight.names[:3]


def test_what_is_stale_is_answered_as_it_is_when_the_budget_is_used_up(tight):
    a = tight.origins[tight.names[0]]
    a.expire()
    ask_from(tight, "192.0.2.1", *tight.names[:3])
    assert names_of(ask_from(tight, "192.0.2.1", a.name)) == [a.name]
    assert a.fetches == 1


def test_neighbours_share_a_budget_and_strangers_do_not(tight):
    ask_from(tight, "192.0.2.1", *tight.names[:3])
    assert ask_from(tight, "192.0.2.77", tight.names[3]).status == 429
    assert names_of(ask_from(tight, "198.51.100.1", tight.names[3])) == tight.names[3:4]


def test_all_askers_together_have_a_budget(tight):
    ask_from(tight, "192.0.2.1", *tight.names[:3])
    assert names_of(ask_from(tight, "198.51.100.1", *tight.names[3:8])) == tight.names[3:5]
    assert ask_from(tight, "203.0.113.1", tight.names[7]).status == 429


def test_names_that_are_none_cost_no_budget(tight):
    ask_from(tight, "192.0.2.1", "..", "a/b", "x:0", "a b", *tight.names[:1])
    assert len(names_of(ask_from(tight, "192.0.2.1", *tight.names[1:3]))) == 2


def test_a_larger_budget_counts_after_a_reload(tight):
    ask_from(tight, "192.0.2.1", *tight.names[:3])
    tight.notary.reload(fetch={"cold_burst": 100, "cold_per_minute": 60000,
                               "cold_total_burst": 100, "cold_total_per_minute": 60000})
    eventually(lambda: ask_from(tight, "192.0.2.1", tight.names[3]).status == 200)


# ---- back-off


def test_a_failing_server_is_left_alone_however_often_it_is_asked_for(world):
    a = world.origins.add("failing.test")
    a.fault = origins.closes
    for _ in range(50):
        assert world.ask(a.name) == []
    assert a.fetches <= 2  # a connection that closes may be tried again at once
    a.fault = None
    world.refetch(a.name)
    assert len(world.ask(a.name)) == 1


def test_a_server_that_fails_after_it_was_known_is_left_alone_too(world):
    a = world.origins.add("failing-later.test")
    a.expire()
    before = world.ask(a.name)
    a.fault = origins.answers(503)
    for _ in range(20):
        assert world.ask(a.name) == before
    assert a.fetches == 2
    assert world.inspect(a.name)["fetch"]["backed_off_until_ts"] > now_ms()


def test_a_dead_server_costs_a_thousand_askers_nothing(world):
    a = world.origins.add("dead-and-wanted.test")
    a.fault = origins.closes

    def ask(_):
        return world.notary.get(f"{QUERY}/{a.name}")

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(ask, range(1000)))
    assert {reply.body for reply in replies} == {b'{"server_keys":[]}'}
    assert a.fetches <= 2


def test_back_off_survives_a_restart(make_world):
    world = make_world().start()
    a = world.origins.add("failing.test")
    a.expire()
    before = world.ask(a.name)
    a.fault = origins.answers(500)
    world.ask(a.name)
    world.notary.restart()
    assert world.ask(a.name) == before
    assert a.fetches == 2


def test_a_want_that_cannot_be_met_asks_a_few_times_and_no_more(world):
    a = world.origins.add("pestered.test")
    begin = time.monotonic()
    for _ in range(30):
        assert len(world.ask(a.name, "ed25519:none")) == 1
    assert 5 <= a.fetches <= 6 + (time.monotonic() - begin) / 10


# ---- who is asked and answered for at all


def test_servers_that_are_not_allowed_are_neither_asked_nor_answered_for(make_world):
    world = make_world({"trust": {"allow": ["*.good.test"], "deny": ["bad*.good.test"]}}).start()
    names = ["a.good.test", "bad1.good.test", "other.test"]
    for name in names:
        world.origins.add(name)
    found = world.post({name: ALL for name in names})
    assert [entry["server_name"] for entry in found] == names[:1]
    assert [world.origins[name].fetches for name in names] == [1, 0, 0]
    assert world.metrics()['notary_answers_total{how="denied"}'] == 2


def test_lists_count_after_a_reload_for_what_is_known_already(make_world):
    world = make_world().start()
    world.origins.add("a.test")
    assert len(world.get("a.test")) == 1
    world.notary.reload(trust={"deny": ["a.*"]})
    eventually(lambda: world.get("a.test") == [] and world.ask("a.test") == [])
    world.notary.reload(trust={})
    eventually(lambda: len(world.get("a.test")) == 1)
    assert world.origins["a.test"].fetches == 1


ADDRESSES = ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[fd00::1]",
             "[::ffff:10.0.0.1]", "0.0.0.0", "192.168.1.1:8448", "[::]"]


def test_names_that_lead_to_private_addresses_are_not_followed(make_world):
    world = make_world({"outbound": {"allow": []}}).start()
    a = world.origins.add("inside.test")
    found = world.post({name: ALL for name in [*ADDRESSES, a.name]})
    assert found == [] and a.host.connections == 0
    assert world.inspect(a.name)["fetch"]["last_result"] == "ADDRESS_REFUSED"


# ---- size


def test_three_thousand_known_servers_are_one_answer(make_world):
    world = make_world().start()
    objects = [Origin(f"s{n}.many.test") for n in range(3000)]
    for first in range(0, 3000, 500):
        reply = world.admin("POST", "/admin/v1/import", {"objects": [
            {"server": a.name, "object": origins.encode_canonical_json(a.published()).decode()}
            for a in objects[first : first + 500]]})
        assert reply.json["new"] == 500
    asked = {a.name: {"ed25519:a": {"minimum_valid_until_ts": 0}} for a in objects}
    reply = world.notary.post(QUERY, {"server_keys": asked})
    assert names_of(reply) == list(asked)
    for entry in reply.json["server_keys"][::100]:
        world.check(entry)
    assert world.net.dns.queries == []


def test_an_answer_holds_everything_that_arrived_before_the_deadline(make_world):
    world = make_world({"query": {"deadline_ms": 6000}, "fetch": {"total_ms": 20000}}).start()
    quick = [a.name for a in world.origins.add_many("quick.test", 20, listeners=2)]
    slow = world.origins.add_many("slow.test", 20, listeners=2)
    for a in slow:
        a.fault = origins.hang
    begin = time.monotonic()
    reply = world.notary.post(QUERY, {"server_keys": {
        name: ALL for pair in zip(quick, (a.name for a in slow)) for name in pair}})
    assert time.monotonic() - begin < 15
    assert names_of(reply) == quick
    assert world.notary.is_running()


def test_a_server_with_a_long_history_is_one_answer(world):
    a = world.origins.add("old-timer.test", key_ids=("ed25519:k0",))
    for number in range(1, 13):
        world.refetch(a.name)
        a.rotate(f"ed25519:k{number}")
        a.forget_old_keys()
    assert len(world.ask(a.name)) == 12
    [only, newest] = world.ask(a.name, "ed25519:k3")
    assert set(only["verify_keys"]) == {"ed25519:k3"}
    assert set(newest["verify_keys"]) == {"ed25519:k11"}


def test_a_thousand_keys_of_one_server_are_all_its_keys(world):
    a = world.origins.add("many-wanted.test")
    found = world.post({a.name: {f"ed25519:k{n}": {} for n in range(1000)}})
    assert len(found) == 1 and a.fetches == 1
