"""An HTTP service that knows who is who, in every mood.

    service = SourceService({("email", "ann@example.com"): "ann"})
    identity = world({"sources": [service.source()]})
    service.mood = hang
"""

import http.server
import json
import threading

HANG_SECONDS = 60


def ok(exchange):
    exchange.answer(200, {"lookup": exchange.found()})


def know_nobody(exchange):
    exchange.answer(200, {})


def fail(exchange):
    exchange.answer(500, {"lookup": exchange.found()})


def hang(exchange):
    exchange.service.closing.wait(HANG_SECONDS)


def hang_up(exchange):
    exchange.handler.close_connection = True


def talk_garbage(exchange):
    exchange.answer_bytes(200, b"\xff<html>{")


def talk_much(exchange):
    exchange.answer_bytes(200, b'{"lookup":[' + b"{}," * 2_000_000 + b"{}]}")


def redirect(exchange):
    exchange.answer(302, {}, {"Location": exchange.service.url + "/elsewhere"})


def tell_other_shapes(exchange):
    exchange.answer(200, {"lookup": [7, None, {}, {"medium": "email"}, {"id": "x"}, [],
                                     {"medium": "email", "address": "ann@example.com", "id": 7},
                                     {"medium": "email", "address": "ann@example.com",
                                      "id": {"type": "carrier", "value": "x"}}]})


def tell_of_others(exchange):
    """What nobody asked for, and users that are none."""
    item = {"medium": "email", "address": "eve@example.com"}
    exchange.answer(200, {"lookup": [{**item, "id": {"type": "localpart", "value": "eve"}},
                                     *({**one, "id": {"type": "localpart", "value": "a:evil.org"}}
                                       for one in exchange.asked),
                                     *({**one, "id": {"type": "mxid", "value": "ann"}}
                                       for one in exchange.asked)]})


MOODS = (know_nobody, fail, hang, hang_up, talk_garbage, talk_much, redirect, tell_other_shapes,
         tell_of_others)
FAILURES = (fail, hang, hang_up, talk_garbage, talk_much, redirect)


class Exchange:
    def __init__(self, service, handler, asked):
        self.service, self.handler, self.asked = service, handler, asked

    def found(self):
        items = []
        for item in self.asked:
            value = self.service.known.get((item["medium"], item["address"]))
            if value:
                kind = "mxid" if value.startswith("@") else "localpart"
                items.append({**item, "id": {"type": kind, "value": value}})
        return items

    def answer(self, status, body, headers=None):
        self.answer_bytes(status, json.dumps(body).encode(), headers)

    def answer_bytes(self, body_status, body, headers=None):
        try:
            self.handler.send_response(body_status)
            self.handler.send_header("Content-Type", "application/json")
            self.handler.send_header("Content-Length", str(len(body)))
            for name, value in (headers or {}).items():
                self.handler.send_header(name, value)
            self.handler.end_headers()
            self.handler.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # who asked did not want all of it


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        service = self.server.service
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["lookup"]
        service.requests.append(asked)
        service.authorization = self.headers["Authorization"]
        service.mood(Exchange(service, self, asked))

    def log_message(self, *_):
        pass


class SourceService:
    """Listens on loopback. known: {(medium, address): localpart or user id}; requests: what it was
    asked."""

    def __init__(self, known):
        self.known = known
        self.mood = ok
        self.requests = []
        self.authorization = None
        self.closing = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.service = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def source(self, **more):
        """An entry of `sources`."""
        return {"name": "service", "type": "http", "url": self.url + "/lookup/bulk",
                "allow": ["127.0.0.1/32"], "user_id": "@{localpart}:example.org",
                "timeout_ms": 500, **more}
