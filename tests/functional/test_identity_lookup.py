"""Looking people up: by hashes and in clear, v1 and v2, while peppers come and go."""

import itertools

import pytest

import bind_world
from bind_world import hash_of, refused
from identity_world import UNLIMITED, V1, Client
from mail_world import NO_LIMITS
from trinity import eventually

WORLD = bind_world.World
PLENTY = {"burst": 1000000, "per_day": 1000000}
CONFIGURATION = {"limits": NO_LIMITS | {"lookup_misses": PLENTY}}
DAY_S = 24 * 3600


# ---- hashes


def test_friends_are_found_by_hash_and_strangers_are_not(people):
    people.person("@ann:hs.test").has_bound("ann@friends.test")
    pepper = people.pepper
    ann, stranger = hash_of("ann@friends.test", pepper), hash_of("who@friends.test", pepper)
    assert people.mappings([stranger, ann]) == {ann: "@ann:hs.test"}
    assert people.mappings([]) == {}


def test_an_address_counts_once_however_often_it_is_asked_for(people):
    people.person("@twice:hs.test").has_bound("twice@friends.test")
    hashed = hash_of("twice@friends.test", people.pepper)
    assert people.mappings([hashed] * 3) == {hashed: "@twice:hs.test"}


def address_with(letter, pepper):
    """One whose hash has this letter."""
    return next(address for address in (f"letter{i}@friends.test" for i in itertools.count())
                if letter in hash_of(address, pepper))


def test_hashes_are_urlsafe_and_without_padding(people):
    address = address_with("_", people.pepper)
    people.person("@letter:hs.test").has_bound(address)
    hashed = hash_of(address, people.pepper)
    spellings = [hashed + "=", hashed.replace("_", "/").replace("-", "+"), hashed[:-1], "", "ü"]
    assert people.mappings([*spellings, hashed]) == {hashed: "@letter:hs.test"}


def test_what_no_hash_can_be_made_of_is_refused(people):
    for addresses in ("x", {}, None, 1, ["x", 1], [["x"]], [None]):
        refused(people.lookup(addresses), 400, "M_INVALID_PARAM")
    for algorithm in ("md5", "SHA256", ""):
        refused(people.lookup([], algorithm), 400, "M_INVALID_PARAM")


@pytest.mark.parametrize("missing", ["addresses", "algorithm", "pepper"])
def test_what_is_missing_is_named(people, missing):
    body = {"addresses": [], "algorithm": "sha256", "pepper": people.pepper}
    del body[missing]
    reply = refused(people.person("@asker:hs.test").post("/lookup", body), 400, "M_MISSING_PARAMS")
    assert missing in reply.json["error"]


def test_ten_thousand_may_be_asked_for_at_once(people):
    hashes = [hash_of(f"{i}@many.test", "x") for i in range(10000)]
    assert people.mappings(hashes) == {}
    refused(people.lookup([*hashes, hashes[0]]), 400, "M_TOO_LARGE")
    pairs = [["email", f"{i}@many.test"] for i in range(10001)]
    assert people.bulk_lookup(*pairs[:10000]) == []
    refused(people.anybody.post(f"{V1}/bulk_lookup", {"threepids": pairs}), 400, "M_TOO_LARGE")


def test_only_who_signed_in_looks_up_by_hash(people):
    refused(people.anybody.post("/lookup", {}), 401, "M_UNAUTHORIZED")
    refused(people.anybody.get("/hash_details"), 401, "M_UNAUTHORIZED")
    token = people.person("@asker:hs.test").token
    reply = people.anybody.get(f"/hash_details?access_token={token}")
    assert reply.json == {"lookup_pepper": people.pepper, "algorithms": ["sha256", "none"]}
    refused(Client(people.identity, "wrong").get(f"/hash_details?access_token={token}"), 401,
            "M_UNAUTHORIZED")


# ---- in clear


def test_an_address_in_clear_is_answered_as_it_was_sent(people):
    people.person("@clear:hs.test").has_bound("Clear@Example.com")
    asked = ["clear@example.com email", "Clear@Example.com email", "nobody@example.com email"]
    assert people.mappings(asked, "none") == dict.fromkeys(asked[:2], "@clear:hs.test")


@pytest.mark.parametrize("text", ["", "clear@example.com", " ", "a b c", "a  email", " email", "a "])
def test_an_address_in_clear_is_two_words(people, text):
    refused(people.lookup([text], "none"), 400, "M_INVALID_PARAM")


def test_an_address_that_cannot_be_one_is_nobodys(people):
    assert people.mappings(["a@b@c email", "x fax", "abc msisdn"], "none") == {}


def test_the_operator_may_have_hashes_only(make_people):
    people = make_people({"lookup": {"plain": False}}).start()
    people.person("@ann:hs.test").has_bound("ann@example.com")
    details = people.person("@asker:hs.test").get("/hash_details").json
    assert details["algorithms"] == ["sha256"]
    refused(people.lookup(["ann@example.com email"], "none"), 400, "M_INVALID_PARAM")
    hashed = hash_of("ann@example.com", people.pepper)
    assert people.mappings([hashed]) == {hashed: "@ann:hs.test"}


def test_letters_are_folded_before_they_are_hashed(people):
    """As the specification's appendix on third-party identifiers says."""
    bound = people.person("@strauss:hs.test").has_bound("Strauß@Example.com")
    assert bound["address"] == "strauss@example.com"
    assert people.found("strauss@example.com") == "@strauss:hs.test"
    assert people.lookup_v1("STRAUSS@example.COM")["mxid"] == "@strauss:hs.test"


# ---- v1


def test_v1_answers_with_the_signed_association(people):
    bound = people.person("@old:hs.test").has_bound("old@friends.test")
    found = people.lookup_v1("OLD@friends.test")
    assert found == bound
    people.verify(found)


def test_v1_has_an_empty_answer_for_strangers(people):
    for address in ("nobody@friends.test", "no address", ""):
        assert people.lookup_v1(address) == {}
    assert people.lookup_v1("447700900001", "msisdn") == people.lookup_v1("x", "fax") == {}


@pytest.mark.parametrize("query, missing", [
    ("", "medium"), ("?medium=email", "address"), ("?address=a@b.test", "medium")])
def test_v1_names_what_is_missing(people, query, missing):
    reply = refused(people.anybody.get(f"{V1}/lookup{query}"), 400, "M_MISSING_PARAMS")
    assert missing in reply.json["error"]
    refused(people.anybody.post(f"{V1}/bulk_lookup", {}), 400, "M_MISSING_PARAMS")


def test_v1_looks_up_many_at_once(people):
    people.person("@bulk:hs.test").has_bound("bulk@friends.test")
    asked = [["email", "Bulk@Friends.test"], ["email", "nobody@friends.test"]]
    assert people.bulk_lookup(*asked) == [["email", "Bulk@Friends.test", "@bulk:hs.test"]]
    assert people.bulk_lookup() == []


@pytest.mark.parametrize("threepids", [
    {}, "x", 1, None, [["email"]], [["email", "a", "b"]], ["email"], [["email", 1]], [[]]], ids=str)
def test_v1_wants_pairs(people, threepids):
    reply = people.anybody.post(f"{V1}/bulk_lookup", {"threepids": threepids})
    refused(reply, 400, "M_INVALID_PARAM")


# ---- peppers


@pytest.mark.parametrize("pepper", ["wrong", "matrixrocks", " "])
def test_a_pepper_that_is_not_known_is_refused_with_the_right_one(people, pepper):
    reply = refused(people.lookup([], pepper=pepper), 400, "M_INVALID_PEPPER")
    assert reply.json["lookup_pepper"] == people.pepper
    assert reply.json["algorithms" if "algorithms" in reply.json else "algorithm"]


def test_a_pepper_is_long_and_outlives_a_restart(make_people):
    people = make_people().start()
    pepper = people.pepper
    people.identity.restart()
    assert people.pepper == pepper and len(pepper) >= 32


def test_two_peppers_count_while_one_takes_over_from_the_other(make_people):
    people = make_people(CONFIGURATION).start()
    ann, bob = people.person("@ann:hs.test"), people.person("@bob:hs.test")
    ann.has_bound("ann@x.test")
    ann.has_bound("moves@x.test")
    first = people.pepper

    people.after(8 * DAY_S)
    eventually(lambda: people.pepper != first)
    second = people.pepper
    bob.has_bound("moves@x.test")
    bob.has_bound("new@x.test")
    for pepper in first, second:
        assert people.found("ann@x.test", pepper) == "@ann:hs.test"
        assert people.found("moves@x.test", pepper) == "@bob:hs.test"
        assert people.found("new@x.test", pepper) == "@bob:hs.test"

    people.after(DAY_S + 60)
    reply = eventually(lambda: (r := people.lookup([], pepper=first)).status == 400 and r)
    assert refused(reply, 400, "M_INVALID_PEPPER").json["lookup_pepper"] == second
    assert people.found("moves@x.test", second) == "@bob:hs.test"


def test_a_change_of_the_pepper_survives_kills_in_a_row(make_people):
    people = make_people(CONFIGURATION).start()
    ann = people.person("@ann:hs.test")
    addresses = [f"a{i}@x.test" for i in range(10)]
    for address in addresses:
        ann.has_bound(address)
    first = people.pepper
    people.clock.jump(8 * DAY_S)
    for _ in range(3):
        people.identity.kill()
        people.identity.start()
    eventually(lambda: people.pepper != first)
    assert {people.found(address) for address in addresses} == {ann.id}
    assert {people.found(address, first) for address in addresses} == {ann.id}


# ---- what a look-up costs


BUDGET = {"burst": 20, "per_day": 20}


@pytest.fixture
def frugal(make_people):
    """Everybody may miss twenty times a day."""
    made = make_people({"limits": NO_LIMITS | {"lookup_misses": BUDGET}}).start()
    made.person("@ann:hs.test").has_bound("ann@x.test")
    return made


def too_many(reply):
    refused(reply, 429, "M_LIMIT_EXCEEDED")
    assert reply.json["retry_after_ms"] > 0 and int(reply.headers["Retry-After"]) > 0
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


def misses(count, start=0):
    return [hash_of(f"{start + i}@nobody.test", "x") for i in range(count)]


def test_misses_cost_ten_times_what_hits_cost(frugal):
    hit, pepper = hash_of("ann@x.test", frugal.pepper), frugal.pepper
    for _ in range(100):  # ten misses' worth
        assert frugal.mappings([hit], pepper=pepper) == {hit: "@ann:hs.test"}
    assert frugal.mappings(misses(9), pepper=pepper) == {}
    too_many(frugal.lookup(misses(2), pepper=pepper))
    assert frugal.mappings([hit], pepper=pepper), "there is enough left for who is found"


def test_a_budget_is_of_the_account_not_of_its_token(frugal):
    pepper = frugal.pepper
    assert frugal.mappings(misses(20), pepper=pepper) == {}
    body = {"addresses": misses(1), "algorithm": "sha256", "pepper": pepper}
    too_many(frugal.sign_in("@asker:hs.test").post("/lookup", body))
    assert frugal.mappings(misses(20), pepper=pepper, asker="@other:hs.test") == {}


def test_what_is_refused_costs_nothing_and_says_nothing(frugal):
    hit, pepper = hash_of("ann@x.test", frugal.pepper), frugal.pepper
    for _ in range(5):
        too_many(frugal.lookup([hit, *misses(20)], pepper=pepper))
        refused(frugal.lookup(misses(9), "md5", pepper), 400, "M_INVALID_PARAM")
        refused(frugal.lookup(misses(9), pepper="wrong"), 400, "M_INVALID_PEPPER")
    assert frugal.mappings([hit, *misses(19)], pepper=pepper) == {hit: "@ann:hs.test"}


def test_v1_has_a_budget_for_each_network(frugal):
    assert frugal.bulk_lookup(*[["email", f"{i}@nobody.test"] for i in range(19)]) == []
    assert frugal.lookup_v1("nobody@x.test") == {}
    too_many(frugal.anybody.get(f"{V1}/lookup?medium=email&address=nobody@x.test"))
    too_many(frugal.anybody.post(f"{V1}/bulk_lookup", {"threepids": [["email", "a@b.test"]]}))
    assert frugal.mappings(misses(20)) == {}, "accounts have their own"


def test_a_reload_changes_the_budget(frugal):
    pepper = frugal.pepper
    frugal.identity.reload(limits=UNLIMITED | {"lookup_misses": PLENTY})
    eventually(lambda: frugal.lookup(misses(100), pepper=pepper).status == 200)


def test_nobody_is_named_in_the_log(people):
    people.person("@private:hs.test").has_bound("private@friends.test")
    people.lookup_v1("private@friends.test")
    people.mappings(["private@friends.test email"], "none")
    assert "private" not in people.identity.log()
