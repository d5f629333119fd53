"""An HTTP service that knows who is who, in every mood.

    service = SourceService({("email", "ann@example.com"): "ann"})
    identity = world({"sources": [service.source()]})
    service.mood = hang
"""

from little_server import MoodyServer

HANG_SECONDS = 60


def ok(exchange):
    exchange.answer(200, {"lookup": exchange.service.found(exchange.asked)})


def know_nobody(exchange):
    exchange.answer(200, {})


def fail(exchange):
    exchange.answer(500, {"lookup": exchange.service.found(exchange.asked)})


def hang(exchange):
    exchange.service.closing.wait(HANG_SECONDS)


def hang_up(exchange):
    exchange.hang_up()


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


class SourceService(MoodyServer):
    """Listens on loopback. known: {(medium, address): localpart or user id}; requests: what it was
    asked."""

    def __init__(self, known):
        super().__init__(ok)
        self.known = known
        self.requests = []
        self.authorization = None

    def respond(self, exchange):
        exchange.service, exchange.asked = self, exchange.json()["lookup"]
        self.requests.append(exchange.asked)
        self.authorization = exchange.headers["Authorization"]
        self.mood(exchange)

    def found(self, asked):
        items = []
        for item in asked:
            value = self.known.get((item["medium"], item["address"]))
            if value:
                kind = "mxid" if value.startswith("@") else "localpart"
                items.append({**item, "id": {"type": kind, "value": value}})
        return items

    def source(self, **more):
        """An entry of `sources`."""
        return {"name": "service", "type": "http", "url": self.url + "/lookup/bulk",
                "allow": ["127.0.0.1/32"], "user_id": "@{localpart}:example.org",
                "timeout_ms": 500, **more}
