"""Synapse on loopback: an origin, a notary, and a client of notaries that we did not write.

    a = synapse.Synapse(directory, net.authority).start()
    ann = a.register("ann")
    room = ann.create_room()
    ann.say(room, "hello")

Its server name is 127.0.0.1:PORT, so that others find it without DNS. It runs on the Python of
$TRINITY_PYTHON, which has the packages of tests/interop/requirements.txt.
"""

import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import sqlite3
import time
import urllib.parse

import trinity

VENV = trinity.ROOT / "build" / "venv-synapse"
KEY_REQUEST = re.compile(r'"(?:GET|POST) (/_matrix/key/\S+) HTTP/[\d.]+" "([^"]*)"')
REGISTRATION_SECRET = "known to the test"
MANY = {"per_second": 10000, "burst_count": 10000}


def python():
    """The Python that has Synapse, or None where it cannot be had."""
    chosen = os.environ.get("TRINITY_PYTHON", VENV / "bin" / "python")
    return str(chosen) if chosen and pathlib.Path(chosen).exists() else None


def log_configuration(path):
    """Every request with its user agent, in one file."""
    return {
        "version": 1,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {
            "file": {"class": "logging.FileHandler", "formatter": "line", "filename": str(path)}
        },
        "root": {"level": "INFO", "handlers": ["file"]},
        "disable_existing_loggers": False,
    }


class Synapse(trinity.Daemon):
    """One homeserver. authority: who signs its certificate, and whom it believes those of others.
    database: its section of that name, if it is not SQLite. configuration: more sections."""

    def __init__(self, directory, authority, configuration=None, database=None):
        self.authority = authority
        self.database = database
        # Our own modules' path would show it this file instead of its package. The authority is
        # also that of the web, where identity services are.
        super().__init__("synapse", directory, configuration, environment={
            "PYTHONPATH": "", "SSL_CERT_FILE": str(authority.file)})
        # No schemas of ours for what it answers.
        self.plain.daemon = None

    def defaults(self):
        self.secure = trinity.Listener(port=trinity.free_port(), tls=True, ca=self.authority.file)
        self.server_name = f"127.0.0.1:{self.secure.port}"
        self.key_path = self.directory / "signing.key"
        self.database_path = self.directory / "homeserver.db"
        self.write_key("ed25519:a_1")
        log = self.directory / "log.yaml"
        log.write_text(json.dumps(log_configuration(self.log_path)))
        return {
            "server_name": self.server_name,
            "listeners": self.listeners(),
            "database": self.database
            or {"name": "sqlite3", "args": {"database": str(self.database_path)}},
            "log_config": str(log),
            "media_store_path": str(self.directory / "media"),
            "signing_key_path": str(self.key_path),
            "old_signing_keys": {},
            "trusted_key_servers": [],
            **self.secrets(),
            **self.haste(),
            **self.certificates(),
        }

    def listeners(self):
        def listener(port, tls, *names):
            return {
                "port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": tls,
                "resources": [{"names": list(names)}],
            }

        return [
            listener(self.plain.port, False, "client", "keys"),
            listener(self.secure.port, True, "federation", "keys"),
        ]

    def certificates(self):
        certificate, key = self.authority.certificate(["127.0.0.1"])
        return {
            "tls_certificate_path": str(certificate),
            "tls_private_key_path": str(key),
            "federation_custom_ca_list": [str(self.authority.file)],
            "ip_range_blacklist": [],
            "federation_ip_range_blacklist": [],
        }

    def secrets(self):
        return {
            "registration_shared_secret": REGISTRATION_SECRET,
            "macaroon_secret_key": REGISTRATION_SECRET,
            "form_secret": REGISTRATION_SECRET,
            "report_stats": False,
            "suppress_key_server_warning": True,
        }

    def haste(self):
        """No limits and no patience: a test is short."""
        return {
            "rc_message": MANY,
            "rc_joins": {"local": MANY, "remote": MANY},
            "rc_joins_per_room": MANY,
            "rc_registration": MANY,
            "rc_room_creation": MANY,
            "rc_login": {"address": MANY, "account": MANY, "failed_attempts": MANY},
            "rc_invites": {"per_room": MANY, "per_user": MANY, "per_issuer": MANY},
            "rc_federation": {"sleep_limit": 10000, "reject_limit": 10000, "concurrent": 100},
            "presence": {"enabled": False},
            "bcrypt_rounds": 4,
            "federation": {
                "client_timeout": "10s", "max_short_retry_delay": "1s", "max_short_retries": 1,
                "max_long_retry_delay": "1s", "max_long_retries": 1,
                "destination_min_retry_interval": "1s", "destination_max_retry_interval": "1s",
            },
        }

    def admin_listener(self):
        return self.plain  # every listener has /health

    def command_line(self):
        return [python(), "-m", "synapse.app.homeserver", "-c", str(self.conf_path)]

    def is_ready(self):
        try:
            return self.plain.request("GET", "/health", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    # ---- keys

    def write_key(self, key_id):
        """A fresh signing key in the place of the one so far."""
        import signedjson.key  # only interop tests have it

        self.key = signedjson.key.generate_signing_key(key_id.partition(":")[2])
        with open(self.key_path, "w") as file:
            signedjson.key.write_signing_keys(file, [self.key])

    @property
    def key_id(self):
        return f"{self.key.alg}:{self.key.version}"

    @property
    def verify_key(self):
        """As signedjson.sign.verify_signed_json takes it."""
        import signedjson.key

        return signedjson.key.get_verify_key(self.key)

    def rotate(self, key_id):
        """Started again, it signs with a new key and publishes the one so far as old."""
        import signedjson.key

        self.stop()
        old = {
            "key": signedjson.key.encode_verify_key_base64(self.verify_key),
            "expired_ts": int(time.time() * 1000),
        }
        self.configuration["old_signing_keys"][self.key_id] = old
        self.write_key(key_id)
        self.write_configuration()
        return self.start()

    def trust(self, notary_name, keys):
        """It asks this notary for keys, and knows the notary's by (id, base64) pairs. To be said
        before it starts."""
        self.configuration["trusted_key_servers"] = [
            {"server_name": notary_name, "verify_keys": dict(keys)}
        ]
        self.write_configuration()
        return self

    def key_requests(self):
        """(target, user agent) of everybody who asked it for keys."""
        return KEY_REQUEST.findall(self.log())

    def stored_keys(self):
        """(server, key id, who told it) of the foreign keys in its SQLite database."""
        with sqlite3.connect(f"file:{self.database_path}?mode=ro", uri=True) as database:
            return set(database.execute(
                "SELECT server_name, key_id, from_server FROM server_keys_json"
            ))

    def get_as(self, server, key, target):
        """A federation request, signed as another server's."""
        from signedjson.sign import sign_json

        said = {
            "method": "GET", "uri": target, "origin": server, "destination": self.server_name
        }
        signature = sign_json(said, server, key)["signatures"][server]
        (key_id, text), = signature.items()
        header = (
            f'X-Matrix origin="{server}",destination="{self.server_name}",key="{key_id}",'
            f'sig="{text}"'
        )
        return self.secure.request("GET", target, headers={"Authorization": header})

    # ---- people

    def register(self, name):
        """A new user, logged in."""
        target = "/_synapse/admin/v1/register"
        nonce = self.get(target).json["nonce"]
        words = [nonce, name, "secret", "notadmin"]
        mac = hmac.new(REGISTRATION_SECRET.encode(), "\0".join(words).encode(), hashlib.sha1)
        reply = self.post(target, {
            "nonce": nonce, "username": name, "password": "secret", "admin": False,
            "mac": mac.hexdigest(),
        })
        assert reply.status == 200, reply
        return User(self, reply.json["user_id"], reply.json["access_token"])


class Quiet(Synapse):
    """Without a line of log for every request; the same /sync is worked on again, not answered with
    what was said before."""

    def defaults(self):
        made = super().defaults()
        path = self.directory / "log.yaml"
        path.write_text(path.read_text().replace('"INFO"', '"WARNING"'))
        return {**made, "caches": {"sync_response_cache_duration": "0s"}}


class User:
    """A person with a client."""

    def __init__(self, server, user_id, token):
        self.server, self.id, self.token = server, user_id, token
        self.sent = 0

    def request(self, method, path, body=None, timeout=60):
        return self.server.plain.request(
            method, "/_matrix/client/v3" + path, body,
            {"Authorization": f"Bearer {self.token}"}, timeout,
        )

    def do(self, method, path, body=None):
        """The same, and it must succeed."""
        reply = self.request(method, path, body)
        assert reply.status == 200, reply
        return reply.json

    def create_room(self, **more):
        """A room that everybody may join."""
        return self.do("POST", "/createRoom", {"preset": "public_chat", **more})["room_id"]

    def try_to_join(self, room, via):
        """The answer to a join through another server."""
        name = urllib.parse.quote(via.server_name)
        return self.request(
            "POST", f"/join/{urllib.parse.quote(room)}?server_name={name}&via={name}", {}
        )

    def join(self, room, via):
        reply = self.try_to_join(room, via)
        assert reply.status == 200, reply

    def say(self, room, text):
        self.sent += 1
        where = f"/rooms/{urllib.parse.quote(room)}/send/m.room.message/{self.sent}"
        self.do("PUT", where, {"msgtype": "m.text", "body": text})

    def messages(self, room):
        """(sender, text) of what the room's history shows this person."""
        events = self.do("GET", f"/rooms/{urllib.parse.quote(room)}/messages?dir=b&limit=100")
        return [
            (event["sender"], event["content"].get("body"))
            for event in events["chunk"] if event["type"] == "m.room.message"
        ]

    def sees(self, room, other, text):
        """Whether the person does, for trinity.eventually."""
        return lambda: (other.id, text) in self.messages(room)
