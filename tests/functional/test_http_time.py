"""Time and numbers against shared/http: requests that wait, connections that drip, crowds."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from trinity import eventually
from wire import (
    HOST, check_error, listen, metric, raw, request, seconds_until_closed, talk,
)

POST = "POST /raw HTTP/1.1"
FOR_EVER = 8  # as long as one is looked at


# ---- limits


def test_a_class_of_requests_is_limited(start):
    server = start("rate=1", "burst=3")
    statuses = [server.get("/io/limited") for _ in range(4)]
    assert [a.status for a in statuses] == [200, 200, 200, 429]
    wait = statuses[3].json["retry_after_ms"]
    assert 0 < wait <= 1000 and statuses[3].headers["retry-after"] == "1"
    assert server.get("/io/hello").status == 200


def test_a_trusted_proxy_names_the_client(echo):
    def client(source, *forwarded):
        with echo.connect(source=source) as sock:
            lines = [f"X-Forwarded-For: {value}" for value in forwarded]
            return talk(sock, raw("GET /echo/a HTTP/1.1", HOST, *lines))[0][0].json["client"]

    assert client("127.0.0.9", "203.0.113.7, 127.0.0.9") == "203.0.113.7"
    assert client("127.0.0.9", "203.0.113.7") == "203.0.113.7"
    assert client("127.0.0.9", "evil") == "127.0.0.9"
    assert client("127.0.0.8", "203.0.113.7") == "127.0.0.8"


# ---- waiting without a thread


def park(echo, sock, target):
    """Returns once it waits."""
    before = metric(echo, "http_parked")
    sock.sendall(request("GET", target))
    eventually(lambda: metric(echo, "http_parked") == before + 1)


@pytest.mark.parametrize("lane", ["", "/io"])
def test_a_parked_request_is_woken(echo, lane):
    with echo.connect() as sock:
        park(echo, sock, f"{lane}/wait/bell{len(lane)}")
        begun = time.monotonic()
        wake = echo.send(request("PUT", f"/wake/bell{len(lane)}", b""))[0][0]
        assert wake.json == {"woken": 1}
        assert listen(sock)[0][0].json == {"woken": True, "timed_out": False, "run": 1}
        assert time.monotonic() - begun < 5


def test_a_parked_request_may_park_again(echo):
    with echo.connect() as sock:
        park(echo, sock, "/wait/again")
        for _ in range(3):
            echo.send(request("PUT", "/wake/again?early=1", b""))
        echo.send(request("PUT", "/wake/again", b""))
        answer = listen(sock)[0][0].json
    assert answer["woken"] and answer["run"] >= 2


@pytest.mark.parametrize("lane", ["", "/io"])
def test_a_parked_request_ends_at_its_deadline(echo, lane):
    begun = time.monotonic()
    assert echo.get(f"{lane}/wait/nobody?ms=150").json == \
        {"woken": False, "timed_out": True, "run": 1}
    assert 0.15 <= time.monotonic() - begun < 5


@pytest.mark.parametrize("tls", [False, True])
def test_a_parked_client_that_leaves_is_noticed(echo, tls):
    before = metric(echo, "http_parked")
    sock = echo.connect(tls)
    park(echo, sock, "/wait/left?ms=60000")
    sock.close()
    eventually(lambda: metric(echo, "http_parked") == before)
    eventually(lambda: echo.send(request("PUT", "/wake/left", b""))[0][0].json == {"woken": 0})


def test_many_parked_requests_are_woken_together(echo):
    """More than the park resumes one by one."""
    socks = [echo.connect() for _ in range(300)]
    for sock in socks:
        sock.sendall(request("GET", "/wait/crowd?ms=30000"))
    eventually(lambda: metric(echo, "http_parked") >= 300)
    assert echo.send(request("PUT", "/wake/crowd", b""))[0][0].json == {"woken": 300}
    for sock in socks:
        assert listen(sock)[0][0].json["woken"]
        sock.close()
    eventually(lambda: metric(echo, "http_parked") == 0)


def test_a_stop_lets_parked_requests_answer(start):
    server = start()
    with server.connect() as sock:
        park(server, sock, "/wait/stop?ms=60000")
        server.process.stdin.close()
        assert listen(sock)[0][0].json["timed_out"]
        assert server.process.wait(60) == 0


def test_a_stopping_server_takes_nobody_new_and_ends_what_it_began(start):
    server = start()
    with server.connect() as sock:
        sock.sendall(request("GET", "/busy?ms=600"))
        time.sleep(0.1)
        server.process.stdin.close()

        def refuses():
            try:
                server.connect().close()
            except ConnectionRefusedError:
                return True

        eventually(refuses)
        assert listen(sock)[0][0].status == 200
        assert server.process.wait(60) == 0


def ask_until_it_ends(server):
    """One connection, one request after the other."""
    with server.connect() as sock:
        try:
            while talk(sock, request("GET", "/echo/a"))[0]:
                pass
        except OSError:
            pass


def test_a_stop_ends_whoever_keeps_asking(start):
    for _ in range(4):
        server = start()
        with ThreadPoolExecutor(12) as clients:
            for _ in range(12):
                clients.submit(ask_until_it_ends, server)
            time.sleep(0.1)
            server.process.stdin.close()
            assert server.process.wait(60) == 0, server.text()


# ---- deadlines and caps


def test_103_a_header_that_drips_is_ended(strict):
    with strict.connect() as sock:
        sock.sendall(b"GET /io/hello HTTP/1.1\r\nX: ")
        assert 0.5 < seconds_until_closed(sock, b"a") < FOR_EVER
    strict.alive()


def test_103_a_request_line_that_drips_is_ended(strict):
    with strict.connect() as sock:
        assert 0.5 < seconds_until_closed(sock, b"GET /aaaaa") < FOR_EVER


def test_103_the_second_header_has_the_same_deadline(strict):
    with strict.connect() as sock:
        assert talk(sock, request("GET", "/io/hello"))[0][0].status == 200
        assert seconds_until_closed(sock, b"GET /aaaaa") < FOR_EVER


def test_102_a_body_that_stops_is_ended(start):
    server = start("body_ms=700")  # idle connections live for long
    with server.connect() as sock:
        sock.sendall(raw(POST, HOST, "Content-Length: 10", body=b"abc"))
        assert 0.5 < seconds_until_closed(sock) < FOR_EVER
    server.alive()


def test_104_a_body_that_drips_is_ended(strict):
    with strict.connect() as sock:
        sock.sendall(raw(POST, HOST, "Content-Length: 1000"))
        assert 0.5 < seconds_until_closed(sock, b"x", 0.05) < FOR_EVER


def test_104_a_body_that_flows_is_not_ended(strict):
    with strict.connect() as sock:
        sock.sendall(raw(POST, HOST, "Content-Length: 80000"))
        for _ in range(20):
            sock.sendall(b"x" * 4000)
            time.sleep(0.08)
        assert len(listen(sock)[0][0].body) == 80000


def test_105_a_reader_that_crawls_is_ended(strict):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", strict.port))
    before = metric(strict, "http_connections_late")
    sock.sendall(request("GET", "/big?bytes=20000000"))
    begun = time.monotonic()
    while metric(strict, "http_connections_late") == before:
        assert time.monotonic() - begun < 60
        sock.recv(1)
        time.sleep(0.1)
    sock.close()


def test_105_a_reader_that_reads_gets_it_all(strict):
    with strict.connect() as sock:
        sock.sendall(request("GET", "/big?bytes=3000000"))
        got = 0
        while got < 3000000:
            got += len(sock.recv(50000))
            time.sleep(0.03)


def test_an_idle_connection_is_ended(strict):
    with strict.connect() as sock:
        assert talk(sock, request("GET", "/io/hello"))[0][0].status == 200
        assert 1.5 < seconds_until_closed(sock) < FOR_EVER


def test_waiting_is_not_idling(strict):
    with strict.connect() as sock:
        answers, _ = talk(sock, request("GET", "/wait/long?ms=3200"))
        assert answers[0].json["timed_out"]


def open_ones(socks):
    return [sock for sock in socks if not listen(sock, patience=0.02)[1]]


def test_106_an_address_has_only_so_many_connections(start):
    server = start("per_address=20", "limit_loopback=1")
    socks = [server.connect(source="127.0.0.2") for _ in range(60)]
    eventually(lambda: len(open_ones(socks)) == 20)
    with server.connect(source="127.0.0.3") as other:
        assert talk(other, request("GET", "/io/hello"))[0][0].status == 200
    for sock in socks:
        sock.close()

    def served_again():
        with server.connect(source="127.0.0.2") as again:
            answers, _ = talk(again, request("GET", "/io/hello"))
            return [a.status for a in answers] == [200]

    eventually(served_again)


def test_106_all_have_only_so_many_connections(start):
    server = start("total=30")
    socks = [server.connect() for _ in range(60)]
    eventually(lambda: len(open_ones(socks)) == 30)
    for sock in socks:
        sock.close()


def test_a_full_lane_refuses_at_once(start):
    """One thread, a queue of 1024: who comes later is told so."""
    server = start("work=1")
    data = request("GET", "/busy?ms=300")
    socks = [server.connect() for _ in range(1100)]
    for sock in socks:
        sock.sendall(data)
    eventually(lambda: metric(server, "http_queued") >= 1000)
    refused = set()

    def is_full():
        refused.update(sock for sock in socks if sock not in refused and
                       [a.status for a in listen(sock, patience=0.001)[0]] == [503])
        return len(refused) >= 50

    eventually(is_full)
    for sock in socks:
        sock.close()
    # What was queued is still run: nobody can take it back, and each takes 300 ms.
    server.process.kill()
    server.process.wait()
    server.stop = lambda: None
