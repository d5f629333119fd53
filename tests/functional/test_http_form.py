"""Bodies of old clients against shared/http: forms, queries, nothing at all, and JSON by any name,
for routes that take them."""

import pytest

from wire import request

FORM = "application/x-www-form-urlencoded"


def post(echo, body, target="/form", content_type=None):
    headers = {"Content_Type": content_type} if content_type else {}
    (reply,), _ = echo.send(request("POST", target, body, **headers))
    return reply


@pytest.mark.parametrize("body, target, content_type", [
    (b"to=%2Fa+b%2B%C3%A9", "/form", FORM),
    (b"to=%2Fa+b%2B%C3%A9", "/form", None),
    (b"", "/form?to=%2Fa%20b+%C3%A9", None),
    (b"", "/form?to=%2Fa%20b+%C3%A9", FORM),
    (b"null", "/form?to=%2Fa%20b+%C3%A9", "application/json"),
    (b"x=1", "/form?to=%2Fa%20b+%C3%A9", FORM),
    (b"to=%2Fa+b%2B%C3%A9", "/form?to=other", FORM),
    ('{"to":"/a b+é"}'.encode(), "/form", "application/json"),
    ('{"to":"/a b+é"}'.encode(), "/form?to=other", "application/json; charset=utf-8"),
    ('{"to":"/a b+é"}'.encode(), "/form", None),
    ('{"to":"/a b+é"}'.encode(), "/form", FORM),
])
def test_all_ways_to_say_it_mean_the_same(echo, body, target, content_type):
    reply = post(echo, body, target, content_type)
    assert reply.status == 200 and reply.json["body"]["to"] == "/a b+é", reply.body


@pytest.mark.parametrize("body, content_type, errcode", [
    (b"", None, "M_MISSING_PARAM"),
    (b"null", "application/json", "M_MISSING_PARAM"),
    (b"other=1", FORM, "M_MISSING_PARAM"),
    (b"to=%zz", FORM, "M_INVALID_PARAM"),
    (b"to=%00", FORM, "M_INVALID_PARAM"),
    (b"to=\xff", FORM, "M_INVALID_PARAM"),
    (b"&".join(b"a%d=1" % i for i in range(300)), FORM, "M_INVALID_PARAM"),
    (b"[]", None, "M_BAD_JSON"),
    (b'"x"', None, "M_BAD_JSON"),
    (b'{"to":17}', None, "M_BAD_JSON"),
    (b'{"to":"a","to":"b"}', None, "M_BAD_JSON"),
    (b"{bad", None, "M_NOT_JSON"),
    (b"to=a", "application/json", "M_NOT_JSON"),
], ids=lambda part: str(part)[:20])
def test_what_it_does_not_say_is_refused(echo, body, content_type, errcode):
    reply = post(echo, body, content_type=content_type)
    assert (reply.status, reply.json["errcode"]) == (400, errcode), reply.body


def test_files_are_not_taken(echo):
    reply = post(echo, b"--x--", content_type="multipart/form-data; boundary=x")
    assert reply.status == 415
