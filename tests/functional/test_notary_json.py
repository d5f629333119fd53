"""Bodies that are no JSON, or not what a question looks like, sent to the notary as they are."""

import time

import pytest

from notary_world import NAME, QUERY

NOT_JSON, BAD_JSON, TOO_LARGE = (400, "M_NOT_JSON"), (400, "M_BAD_JSON"), (413, "M_TOO_LARGE")
QUESTION = b'{"server_keys":{"%s":{"ed25519:a":{"minimum_valid_until_ts":0}}}%s}'


def question(more=b""):
    """A good question about the notary itself, with more members."""
    return QUESTION % (NAME.encode(), more)


def with_minimum(number):
    return question().replace(b":0}", b":" + number + b"}")


def with_text(text):
    return question(b',"more":"' + text + b'"')


NO_JSON = {
    "an empty body": b"",
    "blanks": b"  \n\t ",
    "an open brace": b"{",
    "text behind it": question() + b"x",
    "two documents": question() + question(),
    "a NUL behind it": question() + b"\0",
    "a byte order mark": b"\xef\xbb\xbf" + question(),
    "UTF-16": question().decode().encode("utf-16"),
    "a comment": question(b"/* hello */"),
    "single quotes": question().replace(b'"', b"'"),
    "a trailing comma": question(b","),
    "NaN": with_minimum(b"NaN"),
    "Infinity": with_minimum(b"Infinity"),
    "minus Infinity": with_minimum(b"-Infinity"),
    "a leading zero": with_minimum(b"01"),
    "a plus": with_minimum(b"+1"),
    "hexadecimal": with_minimum(b"0x10"),
    "nothing behind the point": with_minimum(b"1."),
    "nothing before the point": with_minimum(b".5"),
    "half a surrogate pair": with_text(b"\\ud800"),
    "a surrogate pair the wrong way round": with_text(b"\\udc00\\ud800"),
    "a raw surrogate": with_text(b"\xed\xa0\x80"),
    "an overlong slash": with_text(b"\xc0\xaf"),
    "an overlong NUL": with_text(b"\xc0\x80"),
    "a sequence of five bytes": with_text(b"\xf8\x88\x80\x80\x80"),
    "beyond the last code point": with_text(b"\xf4\x90\x80\x80"),
    "a raw NUL": with_text(b"\0"),
    "a raw control character": with_text(b"\x1f"),
}


@pytest.mark.parametrize("case", NO_JSON)
def test_what_is_no_json_is_refused(world, case):
    reply = world.notary.post(QUERY, NO_JSON[case])
    assert (reply.status, reply.errcode) == NOT_JSON


BAD = {
    "a list": b"[]",
    "a number": b"1",
    "a text": b'"x"',
    "null": b"null",
    "true": b"true",
    "a name that stands twice": question(b',"server_keys":{}'),
    "a name that stands twice, once escaped": question(b',"\\u0073erver_keys":{}'),
    "a server that stands twice": b'{"server_keys":{"a.test":{},"a.test":{}}}',
    "a fraction": with_minimum(b"1.0"),
    "an exponent": with_minimum(b"1e2"),
    "a negative zero with a fraction": with_minimum(b"-0.0"),
    "beyond 64 bits": with_minimum(b"9223372036854775808"),
    "200 digits": with_minimum(b"1" * 200),
    "a list as minimum": with_minimum(b"[]"),
    "a NUL in a name": question(b',"a\\u0000b":1'),
    "10 000 levels": question(b',"more":' + b"[" * 10000 + b"]" * 10000),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_question_is_refused(world, case):
    begin = time.monotonic()
    reply = world.notary.post(QUERY, BAD[case])
    assert (reply.status, reply.errcode) == BAD_JSON
    assert time.monotonic() - begin < 5


def test_a_number_beyond_all_floats_is_refused(world):
    assert world.notary.post(QUERY, with_minimum(b"1e400")).status == 400


LARGE = {
    "five million brackets": b"[" * 5_000_000,
    "a million empty lists": question(b',"more":[' + b"[]," * 1_000_000 + b"1]"),
    "200 000 names": question(b"".join(b',"k%d":0' % n for n in range(200_000))),
    "200 000 numbers": question(b',"more":[' + b"1," * 200_000 + b"1]"),
}


@pytest.mark.parametrize("case", LARGE)
def test_bodies_that_are_too_large_cost_no_memory(world, case):
    before = world.notary.resident_kb()
    answer = world.notary.plain.raw_request(
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        % (QUERY.encode(), len(LARGE[case])) + LARGE[case])
    assert answer is None or (answer.status, answer.errcode) in (TOO_LARGE, BAD_JSON)
    assert world.notary.resident_kb() - before < 64 * 1024
    assert world.notary.post(QUERY, question()).status == 200


FINE = {
    "a negative zero": with_minimum(b"-0"),
    "the largest number of doubles": with_minimum(b"9007199254740991"),
    "null": with_minimum(b"null"),
    "the ends of Unicode": with_text("\ufffe\U0010ffff".encode()),
    "an escaped NUL in a text": with_text(b"\\u0000"),
    "escaped control characters": with_text(b"\\u000b\\u001f\\b\\f"),
    "a line separator": with_text("\u2028\x7f/".encode()),
    "names of other languages": question(b',"__proto__":{},"constructor":1,"":null'),
    "100 levels": question(b',"more":' + b"[" * 95 + b"]" * 95),
    "blanks around it": b" \r\n" + question() + b"\n\t ",
}


@pytest.mark.parametrize("case", FINE)
def test_odd_but_right_questions_are_answered(world, case):
    reply = world.notary.post(QUERY, FINE[case])
    assert [entry["server_name"] for entry in world.entries(reply)] == [NAME]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_the_content_type_does_not_matter(world, kind):
    reply = world.notary.post(QUERY, question(), headers={"Content-Type": kind})
    assert len(world.entries(reply)) == 1
