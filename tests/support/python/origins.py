"""Matrix servers that publish keys, well or badly: the origins that a notary asks.

    def test_a_key_is_fetched_once(story, origins):
        a = origins.add("a.test")
        notary = story.notary({"outbound": origins.outbound}).start()
        a.rotate("ed25519:new")
        a.fault = bad_signature

They live on fakenet's names, certificates and addresses. What answers runs in its thread: a test
may change an origin at any time. The fixture `origins` is in tests/conftest.py.
"""

import asyncio
import json
import time

import nacl.signing
from canonicaljson import encode_canonical_json
from signedjson.key import (
    decode_verify_key_bytes,
    encode_verify_key_base64,
    generate_signing_key,
)
from signedjson.sign import sign_json

import fakenet

KEYS_PATH = "/_matrix/key/v2/server"
FEDERATION_PORT = 8448
DAY_MS = 24 * 3600 * 1000


def now_ms():
    return int(time.time() * 1000)


def new_key(key_id):
    """A fresh Ed25519 key as signedjson has it."""
    algorithm, _, version = key_id.partition(":")
    assert algorithm == "ed25519"
    return generate_signing_key(version)


class Origin:
    """One server. Its state may be changed by the test while it answers."""

    def __init__(self, name, key_ids=("ed25519:a",)):
        self.name = name
        self.keys = {key_id: new_key(key_id) for key_id in key_ids}
        self.old_keys = {}  # key id → (public key, expired_ts)
        self.valid_until_ts = None  # None: a day from now, whenever it is asked
        self.extra = {}  # more members of the object, signed too
        self.fault = None  # a function(origin, exchange) that answers instead; may be async
        self.well_known = None  # what .well-known/matrix/server says, or no such file
        self.delay = 0.0  # seconds before an answer
        self.requests = []  # (time, method, target) of all that came

    # ---- keys

    def public_key(self, key_id):
        return encode_verify_key_base64(self.keys[key_id].verify_key)

    def verify_key(self, key_id):
        """As signedjson.sign.verify_signed_json takes it."""
        return decode_verify_key_bytes(key_id, bytes(self.keys[key_id].verify_key))

    def add_key(self, key_id):
        self.keys[key_id] = new_key(key_id)

    def rotate(self, key_id, expired_ts=None):
        """A new key signs; the ones so far are published as old."""
        expired_ts = expired_ts or now_ms()
        for old_id in self.keys:
            self.old_keys[old_id] = (self.public_key(old_id), expired_ts)
        self.keys = {key_id: new_key(key_id)}

    def forget_old_keys(self):
        self.old_keys = {}

    def replace(self, key_id):
        """Another key under the same id: what must never happen."""
        self.keys[key_id] = new_key(key_id)

    def expire(self, ago_ms=3600 * 1000):
        self.valid_until_ts = now_ms() - ago_ms

    def set_compromised(self, seed):
        """A key whose secret half the test knows, as many others may."""
        key = nacl.signing.SigningKey(seed)
        key.alg, key.version = "ed25519", "known"
        self.keys = {"ed25519:known": key}

    def unsigned(self):
        """The object that it publishes, without signatures."""
        return {
            "server_name": self.name,
            "valid_until_ts": now_ms() + DAY_MS if self.valid_until_ts is None
            else self.valid_until_ts,
            "verify_keys": {i: {"key": self.public_key(i)} for i in self.keys},
            "old_verify_keys": {
                i: {"key": key, "expired_ts": expired}
                for i, (key, expired) in self.old_keys.items()
            },
            **self.extra,
        }

    def sign(self, published):
        """Adds a signature by each key under the origin's own name."""
        for key in self.keys.values():
            published = sign_json(published, self.name, key)
        return published

    def published(self):
        return self.sign(self.unsigned())

    # ---- answering

    @property
    def fetches(self):
        """How often its keys were asked for."""
        return sum(1 for _, _, target in self.requests if target.startswith(KEYS_PATH))

    async def respond(self, exchange):
        """Answers one request of fakenet."""
        self.requests.append((exchange.time, exchange.method, exchange.target))
        if self.delay:
            await asyncio.sleep(self.delay)
        if exchange.target == "/.well-known/matrix/server":
            if self.well_known is None:
                return fakenet.not_found()
            return fakenet.answer({"m.server": self.well_known})
        if not exchange.target.startswith(KEYS_PATH):
            return fakenet.not_found()
        if self.fault is None:
            return send(self.published())
        result = self.fault(self, exchange)
        return await result if asyncio.iscoroutine(result) else result


def send(content, status=200):
    """An answer: an object in canonical form, or bytes as they are."""
    if not isinstance(content, bytes):
        content = encode_canonical_json(content)
    return fakenet.answer(content, status, {"Content-Type": "application/json"})


# ---- faults: each is a function(origin, exchange), or makes one


def with_object(change):
    """The object after change(object), then signed."""

    def fault(origin, _exchange):
        published = origin.unsigned()
        change(published)
        return send(origin.sign(published))

    return fault


def with_text(change):
    """The bytes of the published object after change(bytes), whatever they are then."""
    return lambda origin, _exchange: send(change(encode_canonical_json(origin.published())))


def bad_signature(origin, _exchange):
    """A signature by a listed key that does not fit the object."""
    published = origin.published()
    published["valid_until_ts"] += 1
    return send(published)


def no_signature(origin, _exchange):
    return send({**origin.unsigned(), "signatures": {}})


def one_key_did_not_sign(origin, _exchange):
    """Several keys, and the last one's signature is not there."""
    published = origin.published()
    del published["signatures"][origin.name][list(origin.keys)[-1]]
    return send(published)


def other_server_name(name):
    """All is right, but for another server: its name, and a signature under that name."""

    def fault(origin, _exchange):
        published = {**origin.unsigned(), "server_name": name}
        for key in origin.keys.values():
            published = sign_json(published, name, key)
        return send(published)

    return fault


def with_float(origin, _exchange):
    return send(json.dumps({**origin.published(), "valid_until_ts": 1.5e12}).encode())


duplicate_keys = with_text(lambda text: b'{"server_name":"evil.test",' + text[1:])
not_json = with_text(lambda text: b"<html>" + text)
truncated = with_text(lambda text: text[: len(text) // 2])
trailing = with_text(lambda text: text + b"{}")
not_utf8 = with_text(lambda text: b'{"a":"\xff",' + text[1:])


def huge(size=16 << 20):
    """A right beginning and then blanks."""
    return with_text(lambda text: text + b" " * (size - len(text)))


def answers(status, content=b"{}"):
    return lambda _origin, _exchange: send(content, status)


def redirects(url, status=302):
    return lambda _origin, _exchange: fakenet.redirect(url, status)


async def hang(_origin, exchange):
    await fakenet.hang(exchange)


async def closes(_origin, exchange):
    exchange.reset()


def slow_drip(seconds=0.2):
    """A right answer, a byte at a time."""

    async def fault(origin, exchange):
        answer = send(origin.published()).bytes()
        for i in range(len(answer)):
            await exchange.send(answer[i : i + 1])
            await asyncio.sleep(seconds)

    return fault


# ---- many of them


class Origins:
    """The origins of a test, on one fake network."""

    kind = Origin  # what add() makes

    def __init__(self, net):
        self.net = net
        self.all = {}

    @property
    def outbound(self):
        """The section of a daemon's configuration with which it lives in this network."""
        return {
            "allow": ["127.0.0.0/8"],
            "dns_servers": self.net.dns.address,
            "ca_file": str(self.net.ca_file),
        }

    def _listen(self, names, handler, port):
        # Another test run on this machine may have the address: take the next one.
        for _ in range(1000):
            try:
                return self.net.host(names, port=port, handler=handler)
            except OSError:
                continue
        raise RuntimeError("no address is free")

    def add(self, name, port=FEDERATION_PORT, **more):
        """A server with this name at an address of its own. port 0: any, and in its name."""
        origin = self.kind(name, **more)
        host = self._listen([name], origin.respond, port)
        origin.name = f"{name}:{host.port}" if port == 0 else name
        origin.host = host
        self.net.dns.set(name, "A", host.address)
        self.all[origin.name] = origin
        return origin

    def add_literal(self, address="127.0.0.1"):
        """A server that is its address and port: found without DNS. All of an address share a
        certificate."""
        origin = Origin("")
        origin.host = self.net.host(address=address, handler=origin.respond)
        origin.name = f"{origin.host.address}:{origin.host.port}"
        self.all[origin.name] = origin
        return origin

    def add_many(self, domain, count, listeners=16):
        """s0.DOMAIN, s1.DOMAIN, … with one wildcard certificate, spread over some addresses."""
        made = {f"s{i}.{domain}": Origin(f"s{i}.{domain}") for i in range(count)}

        async def respond(exchange):
            return await made[exchange.host.partition(":")[0]].respond(exchange)

        hosts = [self._listen([f"*.{domain}"], respond, FEDERATION_PORT) for _ in range(listeners)]
        for i, origin in enumerate(made.values()):
            origin.host = hosts[i % listeners]
            self.net.dns.set(origin.name, "A", origin.host.address)
        self.all.update(made)
        return list(made.values())

    def dead(self, name):
        """A name whose address nobody listens at."""
        self.net.dns.set(name, "A", self.net.address())
        return name

    def __getitem__(self, name):
        return self.all[name]
