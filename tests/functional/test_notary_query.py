"""Questions to the notary. Spec: server-server API, "Querying keys through another server"."""

import concurrent.futures
import threading
import time

import pytest

import origins
from notary_world import ALL, NAME, QUERY, SERVER
from origins import DAY_MS, now_ms
from trinity import eventually

CONFIGURATION = {"query": {"deadline_ms": 3000}, "fetch": {"total_ms": 8000}}
HOUR_MS = 3600 * 1000


def key_ids(entry, kind="verify_keys"):
    return set(entry[kind])


# ---- one server


def test_an_unknown_server_is_asked_and_signed_for(world):
    a = world.origins.add("n3.test")
    [entry] = world.ask("n3.test")
    assert entry["verify_keys"] == {"ed25519:a": {"key": a.public_key("ed25519:a")}}
    assert set(entry["signatures"]) == {"n3.test", NAME}
    assert set(entry["signatures"][NAME]) == set(world.own_keys())
    assert a.fetches == 1


def test_get_fetches_too(world):
    a = world.origins.add("n3get.test")
    [entry] = world.get("n3get.test")
    assert entry["server_name"] == "n3get.test"
    assert world.get("n3get.test") == [entry]
    for rest in ("/", "/ed25519:a", "/ed25519%3Aa", "/ed25519:a/"):
        assert world.get("n3get.test", rest) == [entry]
    assert a.fetches == 1


def test_an_origin_that_is_down_and_was_never_seen_is_left_out(world):
    begin = time.monotonic()
    assert world.ask("n4-nowhere.test") == []
    world.net.dns.set("n4.test", "A", world.net.address())  # nothing listens there
    assert world.ask("n4.test") == []
    assert world.get("n4.test") == []
    assert time.monotonic() - begin < 6


def test_an_origin_that_is_down_and_was_seen_is_answered_for(world):
    a = world.origins.add("n5.test")
    a.expire()
    [before] = world.ask("n5.test")
    a.fault = origins.closes
    assert world.ask("n5.test") == [before]
    assert world.get("n5.test") == [before]
    assert before["valid_until_ts"] == a.valid_until_ts < now_ms()


def test_an_expired_key_is_asked_for_again_and_then_served_as_it_is(world):
    a = world.origins.add("n6.test")
    a.expire(24 * HOUR_MS)
    minimum = a.valid_until_ts + 1000
    first = world.ask("n6.test", "ed25519:a", minimum)
    assert a.fetches == 1
    assert world.ask("n6.test", "ed25519:a", minimum) == first
    assert a.fetches == 2
    a.fault = origins.answers(400)
    assert world.ask("n6.test", "ed25519:a", minimum) == first
    assert a.fetches == 3
    assert [entry["valid_until_ts"] for entry in first] == [a.valid_until_ts]


def test_a_key_that_is_not_published_any_more_comes_first(world):
    a = world.origins.add("n7.test", key_ids=("ed25519:key_1",))
    a.expire()
    expiry = a.valid_until_ts
    world.ask("n7.test")
    a.rotate("ed25519:key_2")
    a.forget_old_keys()
    a.valid_until_ts = None
    found = world.ask("n7.test", "ed25519:key_1", expiry)
    assert key_ids(found[0]) == {"ed25519:key_1"}


def test_an_answer_without_the_asked_key_brings_the_stored_and_the_fresh_object(world):
    a = world.origins.add("n7b.test", key_ids=("ed25519:key_1",))
    a.expire()
    world.ask("n7b.test")
    a.rotate("ed25519:key_2")
    a.forget_old_keys()
    a.valid_until_ts = None
    found = world.ask("n7b.test", "ed25519:key_1", now_ms())
    assert [key_ids(entry) for entry in found] == [{"ed25519:key_1"}, {"ed25519:key_2"}]
    assert a.fetches == 2


def test_a_key_that_was_rotated_is_found_as_an_old_one(world):
    a = world.origins.add("old.test", key_ids=("ed25519:one",))
    world.ask("old.test")
    a.rotate("ed25519:two")
    world.refetch("old.test")
    found = world.ask("old.test", "ed25519:one")
    assert key_ids(found[0]) == {"ed25519:one"}
    assert key_ids(found[1], "old_verify_keys") == {"ed25519:one"}


def test_all_keys_brings_the_whole_history(world):
    a = world.origins.add("all.test", key_ids=("ed25519:k0",))
    for number in range(1, 4):
        world.refetch("all.test")
        a.rotate(f"ed25519:k{number}")
        a.forget_old_keys()
    world.refetch("all.test")
    found = world.ask("all.test")
    assert [key_ids(entry) for entry in found] == [{f"ed25519:k{n}"} for n in range(4)]
    assert [entry["valid_until_ts"] for entry in found] == sorted(
        entry["valid_until_ts"] for entry in found)
    assert world.get("all.test") == found


# ---- many servers


def test_bad_origins_do_not_spoil_the_batch(world):
    world.origins.add("n8-signature.test").fault = origins.bad_signature
    world.origins.add("n8-name.test").fault = origins.other_server_name("n8-fine.test")
    world.origins.add("n8-fine.test")
    found = world.post({f"n8-{kind}.test": ALL for kind in ("signature", "name", "fine")})
    assert [entry["server_name"] for entry in found] == ["n8-fine.test"]


def test_an_origin_that_hangs_delays_nobody_beyond_the_deadline(world):
    world.origins.add("n9-hangs.test").fault = origins.hang
    world.origins.add("n9.test")
    begin = time.monotonic()
    found = world.post({"n9-hangs.test": ALL, "n9.test": ALL})
    assert time.monotonic() - begin < 6
    assert [entry["server_name"] for entry in found] == ["n9.test"]
    metrics = world.metrics()
    assert metrics["notary_deadline_total"] >= 1


def test_an_origin_that_answers_after_the_deadline_is_known_the_next_time(world):
    slow = world.origins.add("late.test")
    slow.delay = 5
    assert world.ask("late.test") == []
    slow.delay = 0
    assert eventually(lambda: world.ask("late.test"), every=0.3) and slow.fetches == 1


def test_a_hundred_askers_cause_one_fetch(world):
    a = world.origins.add("n14.test")
    a.delay = 1.0
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        replies = list(pool.map(lambda _: world.notary.get(f"{QUERY}/n14.test"), range(100)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1
    assert len(world.entries(replies[0])) == 1
    assert a.fetches == 1


def test_an_asker_that_leaves_does_not_end_the_fetch_of_others(world):
    a = world.origins.add("n39.test")
    a.delay = 1.0
    leaving = world.notary.plain.socket()
    leaving.sendall(f"GET {QUERY}/n39.test HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    found = []
    staying = threading.Thread(target=lambda: found.extend(world.get("n39.test")))
    eventually(lambda: a.fetches)
    staying.start()
    leaving.close()
    staying.join()
    assert len(found) == 1 and a.fetches == 1


# ---- what may be asked


def test_no_servers_no_keys(world):
    assert world.notary.post(QUERY, {"server_keys": {}}).body == b'{"server_keys":[]}'


SHAPES = {
    "no server_keys": ({}, 400, "M_INVALID_PARAM"),
    "a list of servers": ({"server_keys": []}, 400, "M_BAD_JSON"),
    "servers null": ({"server_keys": None}, 400, "M_BAD_JSON"),
    "a server that is a text": ({"server_keys": {"a.test": "x"}}, 400, "M_BAD_JSON"),
    "a server that is a list": ({"server_keys": {"a.test": []}}, 400, "M_BAD_JSON"),
    "a server that is null": ({"server_keys": {"a.test": None}}, 400, "M_BAD_JSON"),
    "criteria that are a number": ({"server_keys": {"a.test": {"ed25519:a": 5}}}, 400,
                                       "M_BAD_JSON"),
    "a minimum that is a text": (
        {"server_keys": {"a.test": {"ed25519:a": {"minimum_valid_until_ts": "5"}}}}, 400,
        "M_BAD_JSON"),
    "a minimum that is a fraction": (
        {"server_keys": {"a.test": {"ed25519:a": {"minimum_valid_until_ts": 1.5}}}}, 400,
        "M_BAD_JSON"),
    "too many servers": (
        {"server_keys": {f"s{n}.test": {} for n in range(10001)}}, 413, "M_TOO_LARGE"),
    "more than a mebibyte": (
        {"server_keys": {"a.test": {"ed25519:a": {"x": "y" * (1 << 20)}}}}, 413, "M_TOO_LARGE"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_questions_of_the_wrong_shape_are_refused(world, case):
    body, status, errcode = SHAPES[case]
    reply = world.notary.post(QUERY, body)
    assert (reply.status, reply.errcode) == (status, errcode)


def test_members_that_nobody_knows_are_ignored(world):
    world.origins.add("n11x.test")
    body = {"server_keys": {"n11x.test": {"ed25519:a": {"more": 1.0}}}, "also": [None]}
    assert len(world.entries(world.notary.post(QUERY, body))) == 1


@pytest.mark.parametrize("criteria", [{}, {"minimum_valid_until_ts": None}])
def test_an_absent_minimum_means_now(world, criteria):
    name = f"n11-{len(criteria)}.test"
    a = world.origins.add(name)
    world.post({name: {"ed25519:a": criteria}})
    world.post({name: {"ed25519:a": criteria}})
    assert a.fetches == 1
    b = world.origins.add("expired-" + name)
    b.expire()
    world.post({b.name: {"ed25519:a": criteria}})
    world.post({b.name: {"ed25519:a": criteria}})
    assert b.fetches == 2


def test_a_minimum_of_zero_is_met_by_what_is_known(world):
    a = world.origins.add("n11zero.test")
    a.expire()
    world.ask("n11zero.test", "ed25519:a", 0)
    world.ask("n11zero.test", "ed25519:a", 0)
    world.get("n11zero.test", "?minimum_valid_until_ts=0")
    assert a.fetches == 1


@pytest.mark.parametrize("minimum", [-1, -(2**63) + 1, 10**18, 2**53, 2**63 - 1])
def test_absurd_minimums_cause_one_fetch(world, minimum):
    a = world.origins.add(f"n11far{minimum % 1009}.test")
    for _ in range(5):
        assert len(world.ask(a.name, "ed25519:a", minimum)) == 1
        assert len(world.get(a.name, f"?minimum_valid_until_ts={minimum}")) == 1
    assert a.fetches == 1


def test_a_minimum_within_a_week_asks_the_origin(world):
    """Events of the near future and checks of requests ask an hour ahead."""
    a = world.origins.add("hour.test")
    a.valid_until_ts = now_ms() + HOUR_MS // 2
    world.ask("hour.test")
    a.valid_until_ts = None
    [entry] = world.ask("hour.test", "ed25519:a", now_ms() + HOUR_MS)
    assert entry["valid_until_ts"] > now_ms() + 20 * HOUR_MS and a.fetches == 2


@pytest.mark.parametrize("text", ["abc", "1.5", "1e3", "", "9223372036854775808", "0x10", "1 "])
def test_a_minimum_that_is_no_number_is_refused(world, text):
    reply = world.notary.get(f"{QUERY}/a.test?minimum_valid_until_ts={text.replace(' ', '%20')}")
    assert (reply.status, reply.errcode) == (400, "M_INVALID_PARAM")


@pytest.mark.parametrize("key_id", ["", "ed25519:a"])
def test_the_empty_key_id_asks_for_all(world, key_id):
    a = world.origins.add(f"n12{len(key_id)}.test")
    world.ask(a.name)
    a.rotate("ed25519:b")
    world.refetch(a.name)
    assert len(world.ask(a.name, key_id)) == 2
    assert world.ask(a.name, "") == world.ask(a.name)


@pytest.mark.parametrize("key_id", ["rsa:1", "nonsense", "ed25519:", ":", "ed25519:none", "\u00e9"])
def test_an_unknown_key_id_is_no_error(world, key_id):
    a = world.origins.add(f"n13-{sum(key_id.encode())}.test")
    found = world.ask(a.name, key_id)
    assert [entry["server_name"] for entry in found] == [a.name]


def test_several_keys_of_one_server_bring_each_object_once(world):
    a = world.origins.add("several.test", key_ids=("ed25519:a", "ed25519:b"))
    found = world.post({a.name: {"ed25519:a": {}, "ed25519:b": {}, "": {}, "rsa:1": {}}})
    assert len(found) == 1 and a.fetches == 1


# ---- names

NAMES = {
    "an address in brackets": ("%5B2001:db8::1%5D%3A8448", 200),
    "an address": ("192.0.2.1", 200),
    "an escaped slash": ("a%2Fb", 400),
    "dots": ("..", 400),
    "escaped dots": ("%2e%2e", 400),
    "a plain slash is another route": ("a/b/c", 404),
    "no address": ("%5B::g%5D", 400),
    "port zero": ("x:0", 400),
    "a port with a leading zero": ("x:08448", 400),
    "a port that is too large": ("x:65536", 400),
    "300 characters": ("a" * 300, 400),
    "a user": ("u@a.test", 400),
    "an escaped NUL": ("a%00b", 400),
    "an underscore": ("a_b", 400),
    "beyond ASCII": ("%C3%A9.test", 400),
    "not UTF-8": ("%ff.test", 400),
    "a blank": ("a%20b", 400),
}


@pytest.mark.parametrize("case", NAMES)
def test_names_are_checked_before_anybody_is_asked(world, case):
    name, status = NAMES[case]
    before = len(world.net.dns.queries)
    reply = world.notary.get(f"{QUERY}/{name}")
    assert reply.status == status, reply
    if status == 200:
        assert reply.json == {"server_keys": []}
        return
    assert reply.errcode == ("M_INVALID_PARAM" if status == 400 else "M_UNRECOGNIZED")
    assert len(world.net.dns.queries) == before


def test_a_bad_name_in_a_batch_costs_the_others_nothing(world):
    world.origins.add("n359.test")
    before = len(world.net.dns.queries)
    bad = ["..", "a/b", "[::g]", "x:0", "a" * 300, "", "u@a.test", "a b", "\u00e9"]
    assert world.post({name: ALL for name in bad}) == []
    assert len(world.net.dns.queries) == before
    found = world.post({**{name: ALL for name in bad}, "n359.test": ALL})
    assert [entry["server_name"] for entry in found] == ["n359.test"]


def test_names_that_differ_in_case_are_two_servers(world):
    upper = origins.Origin("N34.test")
    lower = world.origins.add("n34.test")
    # DNS and TLS do not tell them apart: the same host answers for both.
    assert world.ask("N34.test") == []  # what came was n34.test's object
    assert len(world.ask("n34.test")) == 1
    world.net.dns.set("n34b.test", "A", world.net.address())
    both = world.origins.add("n34b.test")
    both.fault = lambda origin, exchange: origins.send(
        origins.encode_canonical_json(upper.published()))
    upper.name = "N34b.test"
    [entry] = world.ask("N34b.test")
    assert entry["server_name"] == "N34b.test"
    assert world.ask("n34b.test") == []
    assert lower.fetches == 2


def test_a_name_with_a_port_is_asked_there(world):
    a = world.origins.add("port.test", port=0)
    [entry] = world.get(a.name.replace(":", "%3A"))
    assert entry["server_name"] == a.name
    assert a.host.requests[-1].host == a.name


# ---- the notary itself


def test_the_notarys_own_keys_are_answered_like_others(world):
    [entry] = world.ask(NAME)
    published = world.notary.get(SERVER).json
    assert {key: entry[key] for key in published if key != "signatures"} == {
        key: published[key] for key in published if key != "signatures"}
    assert entry["signatures"] == published["signatures"]
    assert world.get(NAME) == [entry]
    assert world.ask(NAME, next(iter(entry["verify_keys"]))) == [entry]
    assert world.net.dns.count(NAME) == 0


def test_the_notarys_own_expired_minimum_asks_nobody(world):
    assert len(world.ask(NAME, "ed25519:none", now_ms() + 6 * DAY_MS)) == 1
    assert world.net.dns.count(NAME) == 0


# ---- bytes


def test_unknown_members_keep_their_signature(world):
    a = world.origins.add("n18.test")
    a.extra = {
        "tls_fingerprints": [{"sha256": "MTIz"}],
        "org.example.nested": {"\uffff": 1, "\U00010000": {"a": [True, None, "\u2028\u007f/<"]}},
        "org.example.big": 2**53 - 1, "org.example.small": -(2**53) + 1,
        "control": "\x01\x0b\x1f\b\n\t", "__proto__": {}, "": "empty",
    }
    [entry] = world.ask("n18.test")
    assert {key: entry[key] for key in a.extra} == a.extra


def test_integers_beyond_doubles_keep_their_digits(world):
    a = world.origins.add("n18big.test")
    body = origins.encode_canonical_json(a.unsigned()).replace(
        b'"valid_until_ts"', b'"unknown":9223372036854775807,"valid_until_ts"')
    key = a.keys["ed25519:a"]
    from unpaddedbase64 import encode_base64
    signature = encode_base64(key.sign(body).signature)
    a.fault = lambda origin, exchange: origins.send(
        body[:-1] + b',"signatures":{"n18big.test":{"ed25519:a":"%s"}}}' % signature.encode())
    reply = world.notary.get(f"{QUERY}/n18big.test")
    assert b'"unknown":9223372036854775807' in reply.body


def test_signatures_of_others_do_not_disturb(world):
    a = world.origins.add("n26.test")

    def cosigned(origin, exchange):
        published = origin.published()
        published["signatures"]["other-notary.test"] = {"ed25519:x": "c2lnbmF0dXJl"}
        return origins.send(origins.encode_canonical_json(published))

    a.fault = cosigned
    assert len(world.ask("n26.test")) == 1


def test_a_false_signature_in_the_notarys_name_does_not_survive(world):
    a = world.origins.add("forged.test")
    [key_id] = world.own_keys()

    def forged(origin, exchange):
        published = origin.published()
        published["signatures"][NAME] = {key_id: "c2lnbmF0dXJl"}
        return origins.send(origins.encode_canonical_json(published))

    a.fault = forged
    assert len(world.ask("forged.test")) == 1  # ask() verifies the notary's signature


def test_answers_are_the_same_bytes_by_get_and_post_warm_and_cold(world):
    world.origins.add("bytes.test")
    cold = world.notary.get(f"{QUERY}/bytes.test")
    warm = world.notary.get(f"{QUERY}/bytes.test")
    posted = world.notary.post(QUERY, {"server_keys": {"bytes.test": {}}})
    slash = world.notary.get(f"{QUERY}/bytes.test/")
    assert cold.body == warm.body == posted.body == slash.body
    assert warm.headers["Content-Type"] == "application/json"
    assert warm.headers["Access-Control-Allow-Origin"] == "*"
