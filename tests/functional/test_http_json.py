"""JSON bodies against shared/http: what the scanner refuses is refused with its code, whatever the
route; what it lets pass reaches the handler unchanged."""

import pytest

import bad_json
from bad_json import BJ, TL, member, nested, text
from wire import ALL, check_error, request

REFUSED = {
    **bad_json.refused(numbers={"022 a million digits": (b"1" * 1000000, BJ)}),
    "044 five million brackets": (b"[" * 5000000, BJ),
    "046 a million arrays": (member(b"[" + b"[]," * 1000000 + b"[]]"), TL),
    "047 200,000 keys": (b"{" + b",".join(b'"%d":0' % i for i in range(200000)) + b"}", TL),
}


def post(echo, path, body):
    """The answer, and that the connection is still in step."""
    answers, closed = echo.send(request("POST", path, body) + request("GET", "/echo/next"), 2)
    assert len(answers) == 2 and answers[1].json["name"] == "next" and not closed
    return answers[0]


@pytest.mark.parametrize("lane", ["/json/big", "/io/json/big"])
@pytest.mark.parametrize("case", REFUSED)
def test_bad_json_is_refused_and_the_connection_goes_on(echo, case, lane):
    body, expected = REFUSED[case]
    check_error(post(echo, lane, body), *expected)


@pytest.mark.parametrize("case", ["044 five million brackets", "046 a million arrays"])
def test_a_route_that_takes_little_refuses_before_it_parses(echo, case):
    answers, closed = echo.send(request("POST", "/json", REFUSED[case][0]))
    assert closed or answers[0].status == 413


def test_a_body_of_the_rows_cap_is_taken_and_one_more_byte_is_not(echo):
    def padded(size):
        return text(b"a" * (size - len(text(b""))))

    assert post(echo, "/json", padded(64 * 1024)).status == 200
    answers, closed = echo.send(request("POST", "/json", padded(64 * 1024 + 1)), ALL)
    check_error(answers[0], *TL)
    assert not closed


ACCEPTED = {
    **bad_json.taken(),
    "014 a real": (member(b"1.5"), {"x": 1.5}),
    "019 2^53": (member(b"9007199254740992"), {"x": 9007199254740992}),
    "042 100 levels": (nested(100), None),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_good_json_reaches_the_handler_unchanged(echo, case):
    body, expected = ACCEPTED[case]
    answer = post(echo, "/json/big", body)
    assert answer.status == 200, answer.body
    if expected is not None:
        assert answer.json == {"body": expected}
