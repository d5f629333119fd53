"""An identity service whose mails arrive, and people who show that an address is theirs.

    def test_a_link_in_a_mail_validates(world, ann):
        mine = world.validation(ann, "ann@example.org")
        assert mine.ask().status == 200
        assert mine.submit(mine.mail().query["token"]).json == {"success": True}
"""

import pathlib
import urllib.parse

from identity_world import UNLIMITED, V2, World
from preload import Clock
from smtp_sink import SmtpSink
from trinity import eventually

PLENTY = {"burst": 100000, "per_day": 100000}
NO_LIMITS = UNLIMITED | {name: PLENTY for name in (
    "mail_asker", "mail_address", "mail_address_day", "mail_network", "invites",
    "invite_address")}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def form(fields):
    return urllib.parse.urlencode(fields).encode()


class Validation:
    """One address on its way to being validated, by one client with one secret."""

    def __init__(self, world, client, address, secret="s3cret.=_-0", base=V2):
        self.world, self.client, self.address = world, client, address
        self.secret, self.base = secret, base
        self.sid = None

    def ask(self, attempt=1, query="", headers=None, **more):
        """requestToken; the session's id is remembered."""
        body = {"client_secret": self.secret, "email": self.address, "send_attempt": attempt}
        reply = self.client.post(f"{self.base}/validate/email/requestToken{query}", body | more,
                                 headers=headers)
        if reply.status == 200:
            self.sid = reply.json["sid"]
        return reply

    def asked(self, *attempt, **more):
        """The same, where it must succeed."""
        reply = self.ask(*attempt, **more)
        assert reply.status == 200, reply
        return self

    def mails(self):
        return self.world.sink.mails_to(self.address)

    def mail(self, number=1):
        """The number-th mail to the address, once it has come."""
        return self.world.sink.wait_for(number, self.address)[number - 1]

    @property
    def token(self):
        return self.mail().query["token"]

    def proof(self, token=None):
        return {"sid": self.sid, "client_secret": self.secret,
                "token": self.token if token is None else token}

    def submit(self, token=None, **more):
        return self.client.post(f"{self.base}/validate/email/submitToken",
                                self.proof(token) | more)

    def validated(self, secret=None):
        query = urllib.parse.urlencode({"sid": self.sid, "client_secret": secret or self.secret})
        return self.client.get(f"{self.base}/3pid/getValidated3pid?{query}")

    def bind(self, user_id):
        return self.client.post(f"{self.base}/3pid/bind", {
            "sid": self.sid, "client_secret": self.secret, "mxid": user_id})

    def open(self, path=f"{V2}/validate/email/submitToken", method="GET", headers=None, **more):
        """A link without a page between, as in older mails."""
        query = urllib.parse.urlencode(self.proof(more.pop("token", None)) | more)
        return self.world.anybody.request(method, f"{path}?{query}", headers=headers)


class MailWorld(World):
    """Its relay is `sink`, its clock `clock`. Give a sink to choose what the relay offers."""

    def __init__(self, directory, configuration=None, sink=None, mail=None):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.sink = sink or SmtpSink()
        self.clock = Clock(directory)
        super().__init__(
            directory,
            {"mail": self.sink.conf(directory, **(mail or {})), "limits": NO_LIMITS,
             **(configuration or {})},
            environment=self.clock.environment)

    def end(self):
        self.sink.release()  # nobody has to wait for a relay that hangs
        try:
            super().end()
        finally:
            self.sink.close()

    def pass_time(self, until, step=60):
        """A minute, and another one, until something is true."""
        eventually(lambda: self.clock.jump(self.clock.seconds + step) or until(), every=0.5)

    def validation(self, client, address, **more):
        return Validation(self, client, address, **more)
