"""Malformed and odd HTTP on the homeserver's own port, where its routes, tokens and answers matter:
the rest is what test_http.py says of the server that all daemons have.

The number in a test's name is its place in our catalogue of bad input."""

import json
import pathlib
import re
import urllib.parse

import pytest

from homeserver_world import V1, V3, refused
from rooms import create, done, part, path, say, send
from wire import HOST, raw, request, talk

CONTRACT = pathlib.Path(__file__).parent.parent / "contract"
WHOAMI = f"{V3}/account/whoami"
UNKNOWN, MISSING = (401, "M_UNKNOWN_TOKEN"), (401, "M_MISSING_TOKEN")
UR, IP, MNA = (404, "M_UNRECOGNIZED"), (400, "M_INVALID_PARAM"), (405, "M_UNRECOGNIZED")
TYPE_REFUSED = (415, "M_UNKNOWN")


@pytest.fixture(scope="module")
def ann(shared_home):
    return shared_home.user("ann")


def exchange(home, data, want=1):
    """The answers on one connection."""
    with home.homeserver.plain.socket() as sock:
        return talk(sock, data, want)[0]


def check(answer, status, errcode):
    assert (answer.status, answer.json["errcode"]) == (status, errcode), answer.body
    assert answer.json["error"] and answer.headers["access-control-allow-origin"] == "*"


def with_token(user, method, target, body=None, **headers):
    return request(method, target, body, Authorization=f"Bearer {user.token}", **headers)


# ---- who is asking


def client_paths(listed="endpoints.txt"):
    """Method and path of every endpoint that clients have, with something in its braces; of those
    without an answer of our own with "later.txt"."""
    lines = [line.split() for line in (CONTRACT / listed).read_text().splitlines()]
    return sorted({(words[-2], re.sub(r"{\w+}", "x", words[-1]))
                   for words in lines if "client-server" in words})


# What is there for who has no token, or no account yet.
FOR_EVERYBODY = """
GET /.well-known/matrix/client
GET /.well-known/matrix/policy_server
GET /.well-known/matrix/support
GET /_matrix/client/v1/register/m.login.registration_token/validity
GET /_matrix/client/v3/directory/list/room/x
GET /_matrix/client/v3/directory/room/x
GET /_matrix/client/v3/login
GET /_matrix/client/v3/publicRooms
GET /_matrix/client/v3/register/available
GET /_matrix/client/versions
GET /_matrix/media/v3/download/x/x
GET /_matrix/media/v3/download/x/x/x
GET /_matrix/media/v3/thumbnail/x/x
POST /_matrix/client/v3/account/3pid/email/requestToken
POST /_matrix/client/v3/account/3pid/msisdn/requestToken
POST /_matrix/client/v3/account/password/email/requestToken
POST /_matrix/client/v3/account/password/msisdn/requestToken
POST /_matrix/client/v3/login
POST /_matrix/client/v3/refresh
POST /_matrix/client/v3/register
POST /_matrix/client/v3/register/email/requestToken
POST /_matrix/client/v3/register/msisdn/requestToken
"""
# What may be asked without a token, but not with one of nobody's.
FOR_BOTH = """
GET /_matrix/client/v1/room_summary/x
GET /_matrix/client/v3/profile/x
GET /_matrix/client/v3/profile/x/x
POST /_matrix/client/v3/account/password
"""


@pytest.mark.parametrize("header, expected, open_to", [
    ({}, MISSING, FOR_EVERYBODY + FOR_BOTH),
    ({"Authorization": "Bearer tra_nobodys"}, UNKNOWN, FOR_EVERYBODY)])
def test_136_who_is_nobody_is_told_nothing(home, header, expected, open_to):
    told = []
    for method, where in sorted(set(client_paths()) - set(client_paths("later.txt"))):
        answer = exchange(home, request(method, where, b"{}", **header))[0]
        if (answer.status, answer.json.get("errcode")) != expected:
            told.append(f"{method} {where}")
    assert told == sorted(line for line in open_to.splitlines() if line)


@pytest.mark.parametrize("header, expected", [
    ("Bearer ", UNKNOWN), ("Bearer " + "a" * 4096, UNKNOWN), ("Bearer \u00e9\u00e9", UNKNOWN),
    ("Bearer good", UNKNOWN), ("Basic Z29vZDpnb29k", MISSING), ("Bearergood", MISSING)])
def test_094_what_is_no_token_is_not_one(home, header, expected):
    answers = exchange(home, request("GET", WHOAMI, Authorization=header))
    check(answers[0], *expected)


def test_092_there_is_one_token(home, ann):
    token = ann.token
    for target in (f"{WHOAMI}?access_token={token}", f"{WHOAMI}?access_token="):
        check(exchange(home, with_token(ann, "GET", target))[0], *IP)
    for target in (f"{WHOAMI}?access_token={token}&access_token={token}",
                   f"{WHOAMI}?access_token={token}&access_token=x"):
        check(exchange(home, request("GET", target))[0], *IP)
    twice = raw(f"GET {WHOAMI} HTTP/1.1", HOST, f"Authorization: Bearer {token}",
                f"Authorization: Bearer {token}")
    check(exchange(home, twice)[0], 400, "M_UNKNOWN")


def test_096_a_token_in_the_query_is_taken_still(home, ann):
    answers = exchange(home, request("GET", f"{WHOAMI}?access_token={ann.token}"))
    assert answers[0].json["user_id"] == ann.id


# ---- what is asked for


def test_120_nothing_is_added_to_a_path(home, ann):
    data = b"".join(with_token(ann, "GET", where + tail) for _, where in client_paths()
                    for tail in ("/more/and/more", "/;v=1/and/more"))
    answers = exchange(home, data, 2 * len(client_paths()))
    assert len(answers) == 2 * len(client_paths())
    for answer in answers:
        check(answer, *UR)


def test_120_a_slash_at_the_end_is_another_path(home, ann):
    wrong = []
    for method, where in client_paths():
        answer = exchange(home, with_token(ann, method, where + "/", b"{}"))[0]
        if (answer.status, answer.json.get("errcode")) != UR:
            wrong.append(where.removeprefix(V3))
    assert wrong == []


@pytest.mark.parametrize("target, expected", [
    ("/_matrix/client/v3/account/%zz", IP), ("/_matrix/client/v3/account/%2", IP),
    ("/_matrix/client/v3/profile/@a%00b:hs.test", IP), ("/_matrix/client/v3/profile/%ff%fe", IP),
    ("/_matrix/client/v3/%2e%2e/v3/account/whoami", IP), ("/_matrix/./client/versions", IP),
    ("//_matrix//client//versions", UR), ("/_matrix/client//versions", UR),
    ("/_matrix/X/client/versions", UR), ("/_matrix/client/v3/X/account/whoami", UR),
    ("/_matrix/client/versions;v=1", UR), ("/_matrix/client/v3;v=1/account/whoami", UR),
    ("/_matrix/client/v0/account/whoami", UR), ("/_matrix", UR), ("/", UR)])
def test_113_paths_are_exact(home, ann, target, expected):
    answers = exchange(home, with_token(ann, "GET", target) + with_token(ann, "GET", WHOAMI), 2)
    check(answers[0], *expected)
    assert answers[1].json["user_id"] == ann.id


def test_115_an_escaped_slash_stays_in_its_segment(home, ann):
    room = create(ann)
    event_id = say(ann, room, "hello")
    inside = f"{V3}/rooms/{part(room)}%2Fevent/{part(event_id)}"
    check(exchange(home, with_token(ann, "GET", inside))[0], *UR)
    refused(ann.get(path(room, "state", "a/b", "c/d")), 404, "M_NOT_FOUND")
    done(ann.put(path(room, "state", "a/b", "c/d"), {"in": "its segment"}))
    assert done(ann.get(path(room, "state", "a/b", "c/d"))) == {"in": "its segment"}


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "BREW", "get", "DELETE"])
def test_112_other_methods_are_not_allowed_there(home, ann, method):
    answers = exchange(home, with_token(ann, method, WHOAMI))
    check(answers[0], *MNA)
    assert "OPTIONS" in answers[0].headers["allow"]


def test_124_a_plus_in_a_query_is_a_blank(home, ann):
    room = create(ann)
    for event_type in ("org.test a", "org.test+b"):
        done(send(ann, room, event_type, {}))
    for event_type in ("org.test a", "org.test+b"):
        for encoded in (urllib.parse.quote, urllib.parse.quote_plus):
            query = "dir=b&filter=" + encoded(json.dumps({"types": [event_type]}), safe="")
            told = done(ann.get(path(room, "messages") + "?" + query))["chunk"]
            assert [event["type"] for event in told] == [event_type]
    filtered = done(ann.get(path(room, "messages") + '?dir=b&filter={"types":["org.test+a"]}'))
    assert [event["type"] for event in filtered["chunk"]] == ["org.test a"]


# ---- bodies


def test_100_a_body_that_is_missing_is_no_json(home, ann):
    where = f"{V3}/createRoom"
    token = f"Authorization: Bearer {ann.token}"
    check(exchange(home, raw(f"POST {where} HTTP/1.1", HOST, token))[0], 400, "M_NOT_JSON")


def test_101_a_body_of_a_get_is_consumed(home, ann):
    data = with_token(ann, "GET", WHOAMI, b"GET /nowhere HTTP/1.1\r\n\r\n")
    answers = exchange(home, data + with_token(ann, "GET", f"{V3}/joined_rooms"), 2)
    assert [answer.status for answer in answers] == [200, 200]
    assert "joined_rooms" in answers[1].json


def test_125_answers_of_two_users_come_in_their_order(home, ann):
    bob = home.user(None)
    data = b"".join(with_token(user, "GET", target) for target in (WHOAMI, f"{V3}/capabilities")
                    for user in (ann, bob, ann))
    answers = exchange(home, data, 6)
    assert [answer.json["user_id"] for answer in answers[:3]] == [ann.id, bob.id, ann.id]
    assert ["capabilities" in answer.json for answer in answers[3:]] == [True] * 3


@pytest.mark.parametrize("headers", [
    {"Content_Encoding": "gzip"}, {"Content_Type": "Multipart/Form-Data; boundary=x"},
    {"Content_Type": "multipart/form-data"}, {"Content_Type": "MULTIPART/FORM-DATA;boundary=x"}],
    ids=str)
def test_127_bodies_in_another_coding_are_refused(home, ann, headers):
    answers = exchange(home, with_token(ann, "POST", f"{V3}/createRoom", b"{}", **headers))
    check(answers[0], *TYPE_REFUSED)


def test_129_json_needs_no_type(home, ann):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "nonsense"):
        answers = exchange(home, with_token(ann, "POST", f"{V3}/createRoom", b"{}",
                                            Content_Type=kind))
        assert answers[0].json["room_id"]


def test_110_browsers_may_ask_everywhere(home):
    for target in (WHOAMI, f"{V1}/nothing", "/_matrix/media/v3/upload"):
        answer = exchange(home, request("OPTIONS", target))[0]
        assert answer.status == 200 and answer.headers["access-control-allow-origin"] == "*"


def test_097_what_is_far_too_long_is_refused_and_the_next_is_served(home, ann):
    for data, status in ((request("GET", WHOAMI + "?" + "a" * 40960), 414),
                         (request("GET", WHOAMI, X="a" * 40960), 431)):
        assert home.homeserver.plain.raw_request(data).status == status
    refused(home.anybody.get("/account/whoami"), *MISSING)
