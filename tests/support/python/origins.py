"""Matrix servers that publish keys, well or badly: the origins that a notary asks.

    origin = Origin("a.example")
    origin.rotate("ed25519:new")
    origin.fault = bad_signature

An origin answers requests (`respond`, given an http.server handler) wherever a test lets it
listen: see `Origins` for a whole network of them on fakenet's names, certificates and addresses.
"""

import json
import threading
import time

import nacl.signing
from canonicaljson import encode_canonical_json
from signedjson.key import encode_verify_key_base64, generate_signing_key
from signedjson.sign import sign_json

KEYS_PATH = "/_matrix/key/v2/server"
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
        self.fault = None  # a function(origin, handler) that answers instead
        self.well_known = None  # what .well-known/matrix/server says, or no such file
        self.delay = 0.0  # seconds before an answer
        self.requests = []  # (time, method, target) of all that came
        self.lock = threading.Lock()
        self.stopping = threading.Event()  # wakes faults that wait

    # ---- keys

    def public_key(self, key_id):
        return encode_verify_key_base64(self.keys[key_id].verify_key)

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
        key.verify_key.alg, key.verify_key.version = "ed25519", "known"
        self.keys = {"ed25519:known": key}

    def unsigned(self):
        """The object that it publishes, without signatures."""
        return {
            "server_name": self.name,
            "valid_until_ts": self.valid_until_ts or now_ms() + DAY_MS,
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

    def respond(self, handler):
        """Answers one request: an http.server handler whose request line and headers are read."""
        with self.lock:
            self.requests.append((time.monotonic(), handler.command, handler.path))
        if self.delay:
            self.stopping.wait(self.delay)
        if handler.path == "/.well-known/matrix/server":
            return self.respond_well_known(handler)
        if not handler.path.startswith(KEYS_PATH):
            return send(handler, 404, {"errcode": "M_UNRECOGNIZED", "error": "Not here"})
        if self.fault:
            return self.fault(self, handler)
        return send(handler, 200, encode_canonical_json(self.published()))

    def respond_well_known(self, handler):
        if self.well_known is None:
            return send(handler, 404, {})
        return send(handler, 200, {"m.server": self.well_known})

    def stop(self):
        self.stopping.set()


def send(handler, status, body, headers=None):
    """body: bytes as they are, or anything JSON can say."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


# ---- faults: each is a function(origin, handler), or makes one


def with_object(change):
    """The published object after change(object), signed again."""

    def fault(origin, handler):
        published = origin.unsigned()
        change(published)
        send(handler, 200, encode_canonical_json(origin.sign(published)))

    return fault


def with_text(change):
    """The bytes of the published object after change(bytes), whatever they are then."""

    def fault(origin, handler):
        send(handler, 200, change(encode_canonical_json(origin.published())))

    return fault


def bad_signature(origin, handler):
    """A signature by a listed key that does not fit the object."""
    published = origin.published()
    published["valid_until_ts"] += 1
    send(handler, 200, encode_canonical_json(published))


def no_signature(origin, handler):
    send(handler, 200, encode_canonical_json({**origin.unsigned(), "signatures": {}}))


def one_key_did_not_sign(origin, handler):
    """Several keys, and the last one's signature is not there."""
    published = origin.published()
    del published["signatures"][origin.name][list(origin.keys)[-1]]
    send(handler, 200, encode_canonical_json(published))


def other_server_name(name):
    """All is right, but for another server: its name, and a signature under that name."""

    def fault(origin, handler):
        published = {**origin.unsigned(), "server_name": name}
        for key in origin.keys.values():
            published = sign_json(published, name, key)
        send(handler, 200, encode_canonical_json(published))

    return fault


def with_float(origin, handler):
    """valid_until_ts as a float; the signature is over the same bytes."""
    send(handler, 200, json.dumps({**origin.published(), "valid_until_ts": 1.5e12}).encode())


duplicate_keys = with_text(lambda text: b'{"server_name":"evil.example",' + text[1:])
not_json = with_text(lambda text: b"<html>" + text)
truncated = with_text(lambda text: text[: len(text) // 2])
trailing = with_text(lambda text: text + b"{}")
not_utf8 = with_text(lambda text: text.replace(b'"server_name"', b'"x":"\xff","server_name"'))


def answers(status, body=b"{}"):
    return lambda origin, handler: send(handler, status, body)


def redirects(location, status=302):
    return lambda origin, handler: send(handler, status, b"", {"Location": location})


def hang(origin, handler):
    """Takes the request and never answers."""
    handler.close_connection = True
    origin.stopping.wait(600)


def closes(origin, handler):
    """Ends the connection without an answer."""
    handler.close_connection = True


def slow_drip(seconds=0.2):
    """A right answer, a byte at a time."""

    def fault(origin, handler):
        body = encode_canonical_json(origin.published())
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for i in range(len(body)):
            handler.wfile.write(body[i : i + 1])
            handler.wfile.flush()
            if origin.stopping.wait(seconds):
                break
        handler.close_connection = True

    return fault


def huge(size=16 * 1024 * 1024, announced=True):
    """A right beginning and then blanks. announced: with a Content-Length that says so."""

    def fault(origin, handler):
        body = encode_canonical_json(origin.published())
        handler.send_response(200)
        if announced:
            handler.send_header("Content-Length", str(size))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        handler.wfile.write(body)
        blanks = b" " * 65536
        for _ in range((size - len(body)) // len(blanks)):
            handler.wfile.write(blanks)

    return fault


class Origins:
    """Many origins on one fake network, each at its own name.

        net = Origins(fakenet)
        a = net.add("a.example")
    """

    def __init__(self, net):
        self.net = net
        self.all = {}

    def add(self, name, **more):
        """An origin that answers at NAME:8448, found by the network's DNS."""
        origin = Origin(name, **more)
        self.all[name] = origin
        self.net.serve(name, origin.respond)
        return origin

    def __getitem__(self, name):
        return self.all[name]

    def stop(self):
        for origin in self.all.values():
            origin.stop()
