"""Bodies and replies that are files: they never fill the memory, and leave nothing behind."""

import resource

import pytest

from trinity import eventually
from wire import check_error, raw, request

GOOD = {"Authorization": "Bearer good"}
MANY = 3 * 1024 * 1024
LIMIT = 4 * 1024 * 1024


@pytest.fixture
def spooling(start, tmp_path):
    directory = tmp_path / "spool"
    directory.mkdir()
    server = start(f"spool={directory}", f"spool_max={LIMIT}")
    server.directory = directory
    yield server
    server.alive()


def left(server):
    return [path.name for path in server.directory.iterdir()]


def check_nothing_is_left(server):
    """A file goes with its request, which may end a moment after the answer."""
    eventually(lambda: left(server) == [])


def post(server, body, path="/spool", headers=GOOD):
    return server.send(request("POST", path, body, **headers))[0][0]


def chunks(body, size):
    pieces = (body[at:at + size] for at in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [0, 1, 4096, 65537, MANY])
def test_a_body_of_any_size_arrives_as_a_file(spooling, size):
    answer = post(spooling, b"x" * size)
    assert answer.json == {"len": size, "last": ord("x") if size else 0, "user": "@good:test"}
    check_nothing_is_left(spooling)


def test_chunks_arrive_as_a_file_too(spooling):
    head = raw("POST /spool HTTP/1.1", "Host: here", "Transfer-Encoding: chunked",
               "Authorization: Bearer good")
    answer = spooling.send(head + chunks(b"y" * MANY, 9999))[0][0]
    assert answer.json["len"] == MANY


def test_who_is_known_to_the_store_alone_is_let_in_after_the_body(spooling):
    assert post(spooling, b"z", headers={"Authorization": "Bearer stored"}).json["len"] == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_one_byte_too_many_is_refused_and_leaves_nothing(spooling, chunked):
    body = b"x" * (LIMIT + 1)
    if chunked:
        head = raw("POST /spool HTTP/1.1", "Host: here", "Transfer-Encoding: chunked",
                   "Authorization: Bearer good")
        answer = spooling.send(head + chunks(body, 65536))[0][0]
    else:
        answer = post(spooling, body)
    check_error(answer, 413, "M_TOO_LARGE")
    check_nothing_is_left(spooling)


def test_a_stranger_is_refused_before_a_byte_is_on_the_disk(spooling):
    with spooling.connect() as wire:
        wire.sendall(raw("POST /spool HTTP/1.1", "Host: here", "Content-Length: 3000000",
                         "Authorization: Bearer bad", "Expect: 100-continue"))
        assert wire.recv(4096).startswith(b"HTTP/1.1 401")
    check_nothing_is_left(spooling)


def test_an_upload_that_breaks_off_leaves_nothing(spooling):
    with spooling.connect() as wire:
        wire.sendall(raw("POST /spool HTTP/1.1", "Host: here", "Content-Length: 3000000",
                         "Authorization: Bearer good") + b"x" * 100000)
        eventually(lambda: left(spooling))
    check_nothing_is_left(spooling)


def test_a_full_disk_is_said(spooling):
    """As far as the process is concerned: a file may not grow any more."""
    resource.prlimit(spooling.process.pid, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    check_error(post(spooling, b"x" * MANY), 507, "M_RESOURCE_LIMIT_EXCEEDED")
    check_nothing_is_left(spooling)
    assert post(spooling, b"x").json["len"] == 1


def test_a_file_is_sent_whole_or_in_part(spooling):
    body = bytes(range(256)) * 4096
    post(spooling, body, "/spool?keep=sent")
    answer = spooling.get(f"/file/sent?len={len(body)}")
    assert answer.status == 200 and answer.body == body
    part = spooling.get("/file/sent?from=300&len=5000")
    assert part.status == 206 and part.body == body[300:5300]
    assert spooling.get("/file/sent?len=0").body == b""


def test_a_file_is_sent_over_tls(start, tmp_path, certificate):
    directory = tmp_path / "spool"
    directory.mkdir()
    server = start(f"spool={directory}", f"spool_max={LIMIT}", *certificate)
    body = bytes(range(256)) * 4096
    assert post(server, body, "/spool?keep=sent").json["len"] == len(body)
    asked = request("GET", f"/file/sent?len={len(body)}")
    assert server.send(asked, tls=True)[0][0].body == body


def test_the_head_of_a_file_has_its_length(spooling):
    post(spooling, b"x" * 70000, "/spool?keep=sent")
    with spooling.connect() as wire:
        wire.sendall(raw("HEAD /file/sent?len=70000 HTTP/1.1", "Host: here", "Connection: close"))
        got = b""
        while more := wire.recv(4096):
            got += more
    assert b"Content-Length: 70000" in got and got.endswith(b"\r\n\r\n")


def test_a_refusal_after_a_file_was_opened_sends_the_refusal(spooling):
    post(spooling, b"x", "/spool?keep=sent")
    for _ in range(3):
        check_error(spooling.get("/file/sent?len=1&fail=1"), 403, "M_FORBIDDEN")
