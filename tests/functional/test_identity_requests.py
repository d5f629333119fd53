"""What holds for every endpoint of the identity service: who may ask, what a browser may read,
and what is said to requests that are none."""

import pathlib

import pytest

import bind_world
from bind_world import refused
from identity_world import UNLIMITED, V1, V2, Client
from mail_world import NO_LIMITS
from trinity import eventually

WORLD = bind_world.World
CONFIGURATION = {"limits": NO_LIMITS}
SPECIFIED = pathlib.Path(__file__).parents[1] / "contract" / "endpoints.txt"
URL = "https://x.test/terms"
TERMS = {"documents": [{"id": "privacy", "version": "1", "languages": [
    {"language": "en", "name": "Privacy", "url": URL}]}]}


def specified():
    """(method, path) of every operation of version 2."""
    lines = (line.split() for line in SPECIFIED.read_text().splitlines())
    return [(line[1], line[2].replace("{keyId}", "ed25519:0")) for line in lines
            if line[0] == "identity"]


def version_1(method, path):
    only_v2 = ("/account", "/terms", "/hash_details", "/lookup", "/versions")
    return not any(word in path for word in only_v2) and (method, path.replace(V2, V1))


ALL_V2 = specified()
ALL_V1 = [*filter(None, (version_1(*each) for each in ALL_V2)),
          ("GET", f"{V1}/lookup"), ("POST", f"{V1}/bulk_lookup")]
ALL = ALL_V2 + ALL_V1
OPEN = ("/account/register", "/pubkey", "/3pid/unbind", "/versions")
CLOSED = [(method, path) for method, path in ALL_V2
          if not any(word in path for word in OPEN) and path != V2
          and (method, path) != ("GET", f"{V2}/terms")
          and not (method == "GET" and "submitToken" in path)]
NO_BODY = ("/account/logout",)
WITH_BODY = [(method, path) for method, path in ALL
             if method == "POST" and not path.endswith(NO_BODY)]
V2_BODIES = [(method, path) for method, path in WITH_BODY if path.startswith(V2)]


@pytest.fixture
def ann(people):
    return people.person("@ann:hs.test")


def raw_head(*lines):
    return ("\r\n".join((*lines, "Host: id.test", "", ""))).encode("latin-1")


# ---- browsers


def test_the_list_of_the_specification_is_all_there():
    assert len(ALL_V2) == 23 and len(CLOSED) == 13 and len(ALL_V1) == 17


@pytest.mark.parametrize("method, path", ALL, ids=str)
def test_browsers_may_ask_for_everything(people, method, path):
    reply = people.identity.plain.request("OPTIONS", path)
    assert (reply.status, reply.json) == (200, {})
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    for header in ("Origin", "X-Requested-With", "Content-Type", "Accept", "Authorization"):
        assert header in reply.headers["Access-Control-Allow-Headers"]
    allowed = reply.headers["Access-Control-Allow-Methods"].replace(" ", "").split(",")
    assert {"GET", "POST", "PUT", "DELETE", "OPTIONS"} <= set(allowed)


def readable(reply):
    assert reply.headers["Access-Control-Allow-Origin"] == "*", reply
    assert reply.headers["Content-Type"].startswith("application/json"), reply
    assert isinstance(reply.json["errcode"], str) and isinstance(reply.json["error"], str)
    return reply


@pytest.mark.parametrize("path", sorted({path for _, path in ALL}))
def test_another_method_is_not_allowed_and_browsers_may_read_that(people, path):
    known = {method for method, each in ALL if each == path}
    for method in {"GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "get"} - known:
        refused(readable(people.anybody.request(method, path)), 405, "M_UNRECOGNIZED")


@pytest.mark.parametrize("target", [
    "/nonsense", f"{V2}/nonsense", f"{V1}/hash_details", f"{V1}/terms", "/_matrix/identity/v3",
    "/_matrix/identity/api/v2", f"{V2}/account/", f"{V2}/lookup/x", f"{V2};v=1/account", "/",
    "//_matrix/identity/v2/account", "/_matrix//identity/v2", "/_matrix/client/versions",
    f"{V2}/pubkey/ed25519:0/x", f"{V2}/pubkey/",
])
def test_what_is_not_there_is_unrecognised(people, target):
    reply = people.identity.plain.request("GET", target)
    readable(reply)
    assert (reply.status, reply.errcode) in ((404, "M_UNRECOGNIZED"), (404, "M_NOT_FOUND"))
    assert reply.errcode == "M_UNRECOGNIZED" or "/pubkey/" in target


@pytest.mark.parametrize("target", [
    "%zz", "%", "%2", "%00", "%ff%fe", "%2e%2e", "..", "ed25519:%00", "a%0d%0ab"])
def test_a_path_that_cannot_be_is_refused(people, target):
    reply = people.identity.plain.request("GET", f"{V2}/pubkey/{target}")
    assert reply.status in (400, 404) and reply.errcode in ("M_INVALID_PARAM", "M_NOT_FOUND")
    readable(reply)


def test_an_escaped_slash_does_not_lead_elsewhere(people):
    reply = people.identity.plain.request("GET", f"{V2}/pubkey/isvalid%2F..%2F..")
    refused(readable(reply), 404, "M_NOT_FOUND")


def test_what_is_too_large_is_refused_where_browsers_can_read_it(people, ann):
    body = b'{"x":"' + b"y" * (64 * 1024) + b'"}'
    for path in (f"{V2}/3pid/bind", f"{V2}/account/register", f"{V2}/3pid/unbind"):
        refused(readable(ann.post(path, body)), 413, "M_TOO_LARGE")
    assert refused(ann.post("/lookup", body), 400, "M_MISSING_PARAMS")
    large = b'{"x":"' + b"y" * (1024 * 1024) + b'"}'
    for path in ("/lookup", f"{V1}/bulk_lookup"):
        refused(readable(ann.post(path, large)), 413, "M_TOO_LARGE")


def test_failures_of_others_can_be_read_by_browsers(people):
    issued = people.homeserver("broken.test").issue("@a:broken.test")
    people.homeserver("broken.test").openid = lambda exchange: exchange.reset()
    refused(readable(people.register(issued)), 502, "M_UNKNOWN")


# ---- who asks


@pytest.mark.parametrize("method, path", CLOSED)
def test_without_a_token_nothing_is_answered(people, method, path):
    """Whatever else is wrong: a stranger hears of nothing but the token."""
    for body in (None, b"{bad", b"{}") if method == "POST" else (None,):
        reply = people.anybody.request(method, path, body)
        assert reply.status == 401 or (reply.status, reply.errcode) == (400, "M_BAD_JSON"), reply
        readable(reply)
    wrong = Client(people.identity, "wrong").request(method, path, b"{}" if body else None)
    assert wrong.status == 401 and wrong.errcode in ("M_UNAUTHORIZED", "M_UNKNOWN_TOKEN")


@pytest.mark.parametrize("header", [
    "Bearer", "Bearer ", "Bearer  ", "Bearer " + "x" * 4096, "Bearer t\u00f6ken", "Basic eDp5",
    "bearer", "Token x", "X-Matrix origin=hs.test", ""], ids=lambda header: header[:12])
def test_what_is_no_token_is_none(people, header):
    reply = people.anybody.get("/account", headers={"Authorization": header})
    refused(readable(reply), 401, "M_UNAUTHORIZED")


def test_a_token_is_said_once(people, ann):
    target = f"/account?access_token={ann.token}&access_token={ann.token}"
    refused(people.anybody.get(target), 400, "M_INVALID_PARAM")
    twice = raw_head(f"GET {V2}/account HTTP/1.1", *[f"Authorization: Bearer {ann.token}"] * 2)
    assert people.identity.plain.raw_request(twice).status == 400


def test_the_word_bearer_may_be_written_in_any_case(ann):
    headers = {"Authorization": f"bearer {ann.token}"}
    assert Client(ann.identity).get("/account", headers=headers).status == 200


def test_a_post_has_its_token_in_the_header_only(people, ann):
    body = {"addresses": [], "algorithm": "sha256", "pepper": "x", "access_token": ann.token}
    refused(people.anybody.post(f"/lookup?access_token={ann.token}", body), 401, "M_UNAUTHORIZED")


def test_a_token_is_over_after_a_year_without_use(make_people):
    people = make_people().start()
    ann, idle = people.person("@ann:hs.test"), people.person("@idle:hs.test")
    for month in range(1, 14):
        people.clock.jump(month * 30 * 24 * 3600)
        assert ann.get("/account").status == 200
    refused(idle.get("/account"), 401, "M_UNAUTHORIZED")


# ---- terms


@pytest.fixture(scope="module")
def lawyers(request):
    import tempfile

    with tempfile.TemporaryDirectory(prefix="trinity-") as directory:
        made = bind_world.World(directory, {"terms": TERMS, "limits": NO_LIMITS}).start()
        yield made
        made.end()


@pytest.mark.parametrize("method, path", CLOSED)
def test_terms_come_before_everything_but_leaving(lawyers, method, path):
    new = lawyers.sign_in("@new:hs.test")
    reply = new.request(method, path, b"{}" if method == "POST" else None)
    if path.endswith("/account/logout"):
        assert reply.status == 200
    elif path.endswith("/terms"):
        refused(reply, 400, "M_MISSING_PARAMS")
    else:
        refused(readable(reply), 403, "M_TERMS_NOT_SIGNED")


def test_who_accepted_may_go_on(lawyers):
    ann = lawyers.sign_in("@ann:hs.test")
    refused(ann.get("/hash_details"), 403, "M_TERMS_NOT_SIGNED")
    assert ann.post("/terms", {"user_accepts": [URL]}).status == 200
    assert ann.get("/hash_details").status == 200


# ---- what is asked


NO_OBJECTS = {
    "nothing": b"", "blanks": b"  \n", "an array": b"[]", "a string": b'"x"', "a number": b"1",
    "true": b"true", "an open brace": b"{bad", "two": b"{}{}", "text behind": b"{}x",
    "a BOM": b"\xef\xbb\xbf{}", "UTF-16": "{}".encode("utf-16"), "a key twice": b'{"a":1,"a":2}',
    "NaN": b'{"a":NaN}', "Infinity": b'{"a":Infinity}', "a lone surrogate": b'{"a":"\\ud800"}',
    "an overlong slash": b'{"a":"\xc0\xaf"}', "a raw NUL": b'{"a":"\x00"}',
    "a NUL in a key": b'{"a\\u0000b":1}', "10,000 levels": b'{"a":' * 10000 + b"1" + b"}" * 10000,
}


@pytest.mark.parametrize("method, path", V2_BODIES)
def test_what_is_no_object_is_refused(people, ann, method, path):
    takes_forms = "/validate/" in path or "/sign-ed25519" in path
    for name, body in NO_OBJECTS.items():
        reply = readable(ann.post(path, body))
        is_form = takes_forms and body[:1] not in (b"{", b"[", b'"')
        assert reply.status == 400, (name, reply)
        assert reply.errcode == "M_BAD_JSON" or is_form, (name, reply)
    assert ann.get("/account").status == 200


@pytest.mark.parametrize("method, path", WITH_BODY)
def test_what_is_missing_is_asked_for(ann, method, path):
    refused(readable(ann.post(path, {})), 400, "M_MISSING_PARAMS")


@pytest.mark.parametrize("method, path", WITH_BODY)
def test_values_of_a_wrong_kind_are_refused(ann, method, path):
    """Every member that any endpoint knows, as a number, an object, a list and null."""
    names = ("sid client_secret mxid token private_key medium address room_id sender threepid "
             "threepids addresses algorithm pepper email phone_number country send_attempt "
             "access_token matrix_server_name user_accepts next_link").split()
    lists = "/terms" in path or "/bulk_lookup" in path
    for value in (17, {"a": 1}, [1] if lists else [], None, True):
        reply = readable(ann.post(path, dict.fromkeys(names, value)))
        assert reply.status == 400 and reply.errcode.startswith("M_"), (value, reply)


@pytest.mark.parametrize("method, path", WITH_BODY)
def test_a_nul_hides_nothing(ann, method, path):
    names = "sid client_secret mxid token medium address email access_token pepper".split()
    reply = ann.post(path, dict.fromkeys(names, "a\0b"))
    assert reply.status == 400, reply


def test_a_query_that_cannot_be_is_refused(people, ann):
    for query in ("sid=%zz&client_secret=x", "sid=%ff&client_secret=x", "sid=a&sid=b"):
        reply = ann.get(f"/3pid/getValidated3pid?{query}")
        assert reply.status == 400, reply
    refused(ann.get("/3pid/getValidated3pid?sid=%00&client_secret=x"), 400, "M_INVALID_PARAM")


# ---- where it comes from


def test_an_address_that_anybody_can_claim_is_not_believed(make_people):
    """A budget of an address cannot be evaded by a header."""
    limits = NO_LIMITS | {"registers": {"burst": 2, "per_day": 24}}
    people = make_people({"limits": limits}).start()

    def register(claimed):
        issued = people.homeserver("hs.test").issue("@a:hs.test")
        return people.anybody.post("/account/register", issued,
                                   headers={"X-Forwarded-For": claimed})

    assert [register(f"198.51.100.{i}").status for i in range(4)] == [200, 200, 429, 429]


def test_a_proxy_of_the_operators_says_who_asks(make_people):
    """The hop before it is believed, not what that hop claims."""
    limits = NO_LIMITS | {"registers": {"burst": 2, "per_day": 24}}
    people = make_people({"limits": limits, "http": {"trusted_proxies": ["127.0.0.1/32"]}}).start()

    def register(claimed):
        issued = people.homeserver("hs.test").issue("@a:hs.test")
        return people.anybody.post("/account/register", issued,
                                   headers={"X-Forwarded-For": claimed}).status

    assert [register(f"198.51.100.{i}") for i in range(4)] == [200] * 4
    assert [register(f"10.0.0.{i}, 203.0.113.9") for i in range(4)] == [200, 200, 429, 429]


def test_all_requests_of_an_address_may_be_limited(make_people):
    limits = NO_LIMITS | UNLIMITED | {"requests": {"per_second": 1, "burst": 5}}
    people = make_people({"limits": limits}).start()
    target = f"{V1}/lookup?medium=email&address=a@b.test"
    replies = [people.anybody.get(target) for _ in range(12)]
    limited = [reply for reply in replies if reply.status == 429]
    assert refused(readable(limited[0]), 429, "M_LIMIT_EXCEEDED").json["retry_after_ms"] > 0
    eventually(lambda: people.anybody.get(target).status == 200)
    for _ in range(12):
        assert people.anybody.get("/pubkey/isvalid?public_key=x").status == 200, "rooms need it"
