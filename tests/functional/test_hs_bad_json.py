"""What is no JSON, no event, or only looks dangerous, sent as the content of a message into a room of
version 10. The number in a case's name is its place in our catalogue of bad input."""

import json

import pytest

from homeserver_world import refused
from rooms import create, done, event, path, put_state, say, send
from syncing import first_sync

NJ, BJ, TL = (400, "M_NOT_JSON"), (400, "M_BAD_JSON"), (413, "M_TOO_LARGE")
EVENT_MAX = 65536


@pytest.fixture(scope="module")
def room(shared_home):
    ann = shared_home.user("ann")
    return ann, create(ann, room_version="10")


def nested(depth):
    return b'{"x":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def member(value):
    return b'{"body":' + value + b"}"


def text(value):
    return member(b'"' + value + b'"')


WHOLE = {
    "001 nothing": (b"", NJ),
    "002 blanks": (b" \t\r\n ", NJ),
    "003 an open brace": (b"{", NJ),
    "004 text behind it": (b'{"a":1}x', NJ),
    "005 two documents": (b"{}{}", NJ),
    "006 NUL behind it": (b"{}\0", NJ),
    "007 an array": (b"[]", BJ),
    "008 a number": (b"1", BJ),
    "008 a string": (b'"x"', BJ),
    "008 null": (b"null", BJ),
    "008 true": (b"true", BJ),
    "009 a byte order mark": (b"\xef\xbb\xbf{}", NJ),
    "010 UTF-16": ("{}".encode("utf-16"), NJ),
    "011 a comment": (b"{}/* x */", NJ),
    "011 single quotes": (b"{'a':1}", NJ),
    "011 a comma at the end": (b'{"a":1,}', NJ),
    "012 a key twice": (b'{"body":"a","body":"b"}', BJ),
    "012 a key twice further in": (b'{"x":[{"a":1,"b":2,"a":1}]}', BJ),
    "013 a key twice, once escaped": (b'{"body":"a","\\u0062ody":"b"}', BJ),
    "036 NUL in a key": (b'{"a\\u0000b":1}', BJ),
}

NUMBERS = {
    "014 a number with a point": (b"1.0", BJ),
    "015 an exponent": (b"1e2", BJ),
    "016 minus zero with a point": (b"-0.0", BJ),
    "019 2^53": (b"9007199254740992", BJ),
    "020 -2^53": (b"-9007199254740992", BJ),
    "021 2^63": (b"9223372036854775808", BJ),
    "022 two hundred digits": (b"1" * 200, BJ),
    "023 NaN": (b"NaN", NJ),
    "024 Infinity": (b"Infinity", NJ),
    "024 -Infinity": (b"-Infinity", NJ),
    "025 a leading zero": (b"01", NJ),
    "025 a plus": (b"+1", NJ),
    "025 hexadecimal": (b"0x10", NJ),
    "025 no digit behind the point": (b"1.", NJ),
    "025 no digit before the point": (b".5", NJ),
    "026 a real out of range": (b"1e400", NJ),
}

STRINGS = {
    "027 a lone high surrogate": (b"\\ud800", NJ),
    "028 surrogates the wrong way": (b"\\udc00\\ud800", NJ),
    "029 a raw surrogate": (b"\xed\xa0\x80", NJ),
    "030 an overlong slash": (b"\xc0\xaf", NJ),
    "031 an overlong NUL": (b"\xc0\x80", NJ),
    "032 five bytes": (b"\xf8\x88\x80\x80\x80", NJ),
    "033 beyond Unicode": (b"\xf4\x90\x80\x80", NJ),
    "037 raw NUL": (b"\x00", NJ),
    "037 raw 0x01": (b"\x01", NJ),
    "037 raw 0x1F": (b"\x1f", NJ),
}

SIZES = {
    "043 10,000 levels": (nested(10000), BJ),
    "044 two hundred thousand brackets": (b"[" * 200000, TL),
    "046 two hundred thousand arrays": (member(b"[" + b"[]," * 200000 + b"[]]"), TL),
    "047 50,000 keys": (b"{" + b",".join(b'"%d":0' % i for i in range(50000)) + b"}", TL),
    "050 a body larger than any event": (text(b"a" * EVENT_MAX), TL),
    "051 an event larger than its content": (text(b"a" * (EVENT_MAX - 100)), TL),
    "060 mentions that are none": (b'{"m.mentions":3}', BJ),
    "060 a relation that is none": (b'{"m.relates_to":[]}', BJ),
}

REFUSED = {
    **WHOLE, **SIZES,
    **{name: (member(value), expected) for name, (value, expected) in NUMBERS.items()},
    **{name: (text(value), expected) for name, (value, expected) in STRINGS.items()},
}

TAKEN = {
    "017 minus zero": (member(b"-0"), {"body": 0}),
    "018 2^53-1": (member(b"9007199254740991"), {"body": 2 ** 53 - 1}),
    "034 the ends of planes": (text("\ufffe\U0010ffff".encode()), {"body": "\ufffe\U0010ffff"}),
    "035 NUL in a value": (text(b"a\\u0000b"), {"body": "a\0b"}),
    "038 escaped controls": (text(b"\\u000b\\u001F"), {"body": "\x0b\x1f"}),
    "039 what need not be escaped": (text("\u2028\x7f/".encode()), {"body": "\u2028\x7f/"}),
    "040 keys in the order of code points": (
        '{"\U0001f600":2,"\uff01":1}'.encode(), {"\uff01": 1, "\U0001f600": 2}),
    "041 keys that only look dangerous": (
        b'{"__proto__":1,"constructor":2,"":3}', {"__proto__": 1, "constructor": 2, "": 3}),
    "042 many levels": (nested(99), None),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_content_is_refused(home, room, case):
    ann, where = room
    body, expected = REFUSED[case]
    refused(send(ann, where, "m.room.message", body), *expected)
    say(ann, where, "the next request is served")


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_only_odd_comes_back_as_it_was(home, room, case):
    ann, where = room
    body, expected = TAKEN[case]
    sent = done(send(ann, where, "m.room.message", body))["event_id"]
    content = event(ann, where, sent)["content"]
    assert content == (json.loads(body) if expected is None else expected)


# ---- sizes of whole events


def size_as_servers_see_it(user, where, event_id):
    told = first_sync(user, filter={"event_format": "federation"}).timeline(where)[-1]
    assert told["type"] == "org.test.size", event_id
    del told["unsigned"]
    return len(json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode())


def test_049_an_event_has_65536_bytes_and_not_one_more(home):
    ann = home.user(None)
    where = create(ann, room_version="10")
    empty = done(send(ann, where, "org.test.size", {"x": ""}))["event_id"]
    room_left = EVENT_MAX - size_as_servers_see_it(ann, where, empty)
    refused(send(ann, where, "org.test.size", {"x": "y" * (room_left + 1)}), *TL)
    largest = done(send(ann, where, "org.test.size", {"x": "y" * room_left}))["event_id"]
    assert size_as_servers_see_it(ann, where, largest) == EVENT_MAX


def test_052_names_of_events_have_255_bytes(home, room):
    ann, where = room
    assert send(ann, where, "t" * 255, {}).status == 200
    refused(send(ann, where, "t" * 256, {}), *TL)
    refused(send(ann, where, "ü" * 128, {}), *TL)
    assert put_state(ann, where, "org.test", {}, "ü" * 127).status == 200
    refused(put_state(ann, where, "org.test", {}, "ü" * 128), *TL)


@pytest.mark.parametrize("version", ["9", "10"])
@pytest.mark.parametrize("level", ["50", " +50 ", 1.5, None, []], ids=json.dumps)
def test_057_levels_are_integers_for_clients(home, version, level):
    ann = home.user(None)
    where = create(ann, room_version=version)
    levels = done(ann.get(path(where, "state", "m.room.power_levels")))
    refused(put_state(ann, where, "m.room.power_levels", {**levels, "ban": level}), *BJ)
    assert done(ann.get(path(where, "state", "m.room.power_levels"))) == levels
