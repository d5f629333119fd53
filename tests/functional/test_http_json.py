"""JSON bodies against shared/http: what the scanner refuses is refused with its code, whatever the
route; what it lets pass reaches the handler unchanged.

The number in a case's name is its place in our catalogue of bad input."""

import pytest

from wire import ALL, check_error, request

NJ, BJ, TL = (400, "M_NOT_JSON"), (400, "M_BAD_JSON"), (413, "M_TOO_LARGE")


def nested(depth):
    """`depth` levels in all, three of them what the schema wants."""
    return b'{"x":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def member(value):
    return b'{"x":' + value + b"}"


def text(value):
    return member(b'"' + value + b'"')


WHOLE = {
    "001 nothing": (b"", NJ),
    "002 blanks": (b" \t\r\n ", NJ),
    "003 an open brace": (b"{", NJ),
    "004 text behind it": (b'{"a":1}x', NJ),
    "005 two documents": (b"{}{}", NJ),
    "006 NUL behind it": (b"{}\0", NJ),
    "006 NUL before it": (b"\0{}", NJ),
    "007 an array": (b"[]", BJ),
    "008 a number": (b"1", BJ),
    "008 a string": (b'"x"', BJ),
    "008 null": (b"null", BJ),
    "008 true": (b"true", BJ),
    "009 a byte order mark": (b"\xef\xbb\xbf{}", NJ),
    "010 UTF-16, big end first": ("{}".encode("utf-16-be"), NJ),
    "010 UTF-16, small end first": ("{}".encode("utf-16"), NJ),
    "011 a comment": (b"{}/* x */", NJ),
    "011 single quotes": (b"{'a':1}", NJ),
    "011 a comma at the end": (b'{"a":1,}', NJ),
    "011 a comma too many": (b'{"a":[1,,2]}', NJ),
    "012 a key twice": (b'{"a":1,"a":2}', BJ),
    "012 a key twice further in": (b'{"x":[{"a":1,"b":2,"a":1}]}', BJ),
    "013 a key twice, once escaped": (b'{"body":1,"\\u0062ody":2}', BJ),
}

NUMBERS = {
    "021 beyond 64 bits": (member(b"9223372036854775808"), BJ),
    "022 two hundred digits": (member(b"1" * 200), BJ),
    "022 a million digits": (member(b"1" * 1000000), BJ),
    "023 NaN": (member(b"NaN"), NJ),
    "024 Infinity": (member(b"Infinity"), NJ),
    "024 -Infinity": (member(b"-Infinity"), NJ),
    "025 a leading zero": (member(b"01"), NJ),
    "025 a plus": (member(b"+1"), NJ),
    "025 hexadecimal": (member(b"0x10"), NJ),
    "025 no digit behind the point": (member(b"1."), NJ),
    "025 no digit before the point": (member(b".5"), NJ),
    "025 a lone minus": (member(b"-"), NJ),
    "026 a real out of range": (member(b"1e400"), NJ),
}

STRINGS = {
    "027 a lone high surrogate": (text(b"\\ud800"), NJ),
    "028 surrogates the wrong way": (text(b"\\udc00\\ud800"), NJ),
    "029 a raw surrogate": (text(b"\xed\xa0\x80"), NJ),
    "030 an overlong slash": (text(b"\xc0\xaf"), NJ),
    "031 an overlong NUL": (text(b"\xc0\x80"), NJ),
    "032 five bytes": (text(b"\xf8\x88\x80\x80\x80"), NJ),
    "033 beyond Unicode": (text(b"\xf4\x90\x80\x80"), NJ),
    "036 NUL in a key": (b'{"a\\u0000b":1}', BJ),
    "037 raw NUL": (text(b"\x00"), NJ),
    "037 raw 0x01": (text(b"\x01"), NJ),
    "037 raw 0x1F": (text(b"\x1f"), NJ),
    "037 a raw line end": (text(b"\n"), NJ),
    "037 an unknown escape": (text(b"\\x"), NJ),
    "037 an open string": (b'{"x":"a', NJ),
}

SIZES = {
    "043 10,000 levels": (nested(10000), BJ),
    "043 101 levels": (nested(101), BJ),
    "044 five million brackets": (b"[" * 5000000, BJ),
    "046 a million arrays": (member(b"[" + b"[]," * 1000000 + b"[]]"), TL),
    "047 200,000 keys": (b"{" + b",".join(b'"%d":0' % i for i in range(200000)) + b"}", TL),
}

REFUSED = {**WHOLE, **NUMBERS, **STRINGS, **SIZES}


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
    "014 a real": (member(b"1.5"), {"x": 1.5}),
    "017 minus zero": (member(b"-0"), {"x": 0}),
    "018 2^53-1": (member(b"9007199254740991"), {"x": 9007199254740991}),
    "019 2^53": (member(b"9007199254740992"), {"x": 9007199254740992}),
    "034 the ends of planes": (text("\ufffe\U0010ffff".encode()), {"x": "\ufffe\U0010ffff"}),
    "035 NUL in a value": (text(b"a\\u0000b"), {"x": "a\0b"}),
    "038 escaped controls": (text(b"\\u000b\\u001F"), {"x": "\x0b\x1f"}),
    "041 keys that only look dangerous": (
        b'{"__proto__":1,"constructor":2,"":3}', {"__proto__": 1, "constructor": 2, "": 3}),
    "042 100 levels": (nested(100), None),
    "blanks around it": (b" \r\n\t{ } \n", {}),
    "surrogates that make a pair": (text(b"\\ud83d\\ude00"), {"x": "\U0001f600"}),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_good_json_reaches_the_handler_unchanged(echo, case):
    body, expected = ACCEPTED[case]
    answer = post(echo, "/json/big", body)
    assert answer.status == 200, answer.body
    if expected is not None:
        assert answer.json == {"body": expected}
