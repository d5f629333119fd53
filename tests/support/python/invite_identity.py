"""An identity server that keeps invites, of our own: it does what it is told, and remembers.

    identity = InviteIdentity()
    identity.bound["ann@example.org"] = "@ann:hs.test"
"""

import base64
import hashlib
import http.server
import json
import threading
import urllib.parse

from signedjson.key import encode_verify_key_base64, generate_signing_key
from signedjson.sign import sign_json

NAME = "id.test"
TOKEN = "identity+token/="


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        self.answer(*self.server.identity.respond(self, body))

    do_GET = do_POST = handle_any


class InviteIdentity:
    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.identity = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.key = generate_signing_key("0")
        self.pepper = "matrixrocks"
        self.bound = {}  # address -> user id
        self.stored = []  # bodies of store-invite
        self.is_key_known = True
        self.refusal = None  # (status, body) of everything
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def public_key(self):
        return encode_verify_key_base64(self.key.verify_key)

    def signed(self, user_id, token, sender):
        """What proves that the user is whom the sender meant."""
        return sign_json({"mxid": user_id, "sender": sender, "token": token}, NAME, self.key)

    # ---- answering

    def respond(self, request, body):
        path, _, query = request.path.partition("?")
        if path == "/isvalid":
            asked = urllib.parse.parse_qs(query)["public_key"]
            return 200, {"valid": self.is_key_known and asked == [self.public_key]}
        if self.refusal:
            return self.refusal
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"errcode": "M_UNAUTHORIZED", "error": "No such token"}
        name = path.removeprefix("/_matrix/identity/v2/").replace("-", "_")
        return getattr(self, name)(body)

    def hash_details(self, _):
        return 200, {"algorithms": ["sha256"], "lookup_pepper": self.pepper}

    def lookup(self, body):
        if body["pepper"] != self.pepper:
            return 400, {"errcode": "M_INVALID_PEPPER", "error": "Another one"}
        known = {self.hash(address): user for address, user in self.bound.items()}
        return 200, {"mappings": {hashed: known[hashed] for hashed in body["addresses"]
                                  if hashed in known}}

    def hash(self, address):
        digest = hashlib.sha256(f"{address} email {self.pepper}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def store_invite(self, body):
        self.stored.append(body)
        key = {"public_key": self.public_key, "key_validity_url": f"{self.url}/isvalid"}
        return 200, {"token": f"token{len(self.stored)}", "public_key": self.public_key,
                     "public_keys": [key], "display_name": "b...@e..."}
