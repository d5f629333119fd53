"""A homeserver whose mails arrive, and people who show that an address is theirs.

    def test_an_address_is_added(home):
        ann = home.user("ann")
        mine = home.address("ann@example.org").asked().confirmed()
        assert ann.confirm("POST", "/account/3pid/add", mine.proof).status == 200
"""

import html
import pathlib
import re
import urllib.parse

import homeserver_world
from mail_world import FORM, PLENTY, form
from preload import Clock
from smtp_sink import SmtpSink
from trinity import eventually

NO_LIMITS = {name: PLENTY for name in (
    "mail_asker", "mail_address", "mail_address_day", "mail_network")}
PAGE = "/_matrix/static/verify/email"


class Page:
    """A page that a browser shows, and its form."""

    def __init__(self, client, reply):
        self.client, self.reply = client, reply
        self.status, self.text = reply.status, reply.body.decode()

    @property
    def policy(self):
        return self.reply.headers["Content-Security-Policy"]

    @property
    def fields(self):
        return {name: html.unescape(value) for name, value in
                re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', self.text)}

    def press(self, **filled):
        """The page behind the button."""
        action = html.unescape(re.search(r'<form method="post" action="([^"]*)"', self.text)[1])
        target = urllib.parse.urlsplit(action).path
        return Page(self.client, self.client.request(
            "POST", target, form({**self.fields, **filled}), FORM))


class Address:
    """An e-mail address on its way to being validated, by one client with one secret."""

    def __init__(self, world, address, what, secret):
        self.world, self.address, self.what, self.secret = world, address, what, secret
        self.sid = self.submit_url = None

    def ask(self, attempt=1, headers=None, **more):
        """requestToken; the session's id is remembered."""
        reply = self.world.anybody.post(f"{self.what}/email/requestToken", {
            "client_secret": self.secret, "email": self.address, "send_attempt": attempt, **more,
        }, headers=headers)
        if reply.status == 200:
            self.sid, self.submit_url = reply.json["sid"], reply.json["submit_url"]
        return reply

    def asked(self, *attempt, **more):
        """The same, where it must succeed."""
        reply = self.ask(*attempt, **more)
        assert reply.status == 200, reply
        return self

    def mails(self):
        return [mail for mail in self.world.sink.mails
                if mail.to.lower() == self.address.lower()]

    def notice(self, subject):
        """The mail without a link, once it has come."""
        return eventually(lambda: next(
            (mail for mail in self.mails() if mail.subject == subject), None))

    def mail(self):
        """The one with the link that was asked for, once it has come."""
        return eventually(lambda: next(
            (mail for mail in self.mails() if f"sid={self.sid}" in mail.text), None))

    def page(self):
        """What the link of the mail leads to."""
        return Page(self.world.anybody, self.world.anybody.get(self.mail().target))

    def confirmed(self):
        """The button of the page is pressed."""
        assert self.page().press().status == 200
        return self

    def submit(self, token):
        target = urllib.parse.urlsplit(self.submit_url).path
        return self.world.anybody.post(target, {**self.proof, "token": token})

    @property
    def proof(self):
        return {"sid": self.sid, "client_secret": self.secret}

    @property
    def stage(self):
        return {"type": "m.login.email.identity", "threepid_creds": self.proof}


class World(homeserver_world.World):
    """Its relay is `sink`, its clock `clock`."""

    def __init__(self, directory, configuration=None, mail=None):
        directory = pathlib.Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.sink = SmtpSink()
        self.clock = Clock(directory)
        mine = {"mail": self.sink.conf(directory, **(mail or {})), "limits": NO_LIMITS}
        super().__init__(directory, homeserver_world.merged(mine, configuration or {}),
                         environment=self.clock.environment)

    def end(self):
        self.sink.release()
        try:
            super().end()
        finally:
            self.sink.close()

    def address(self, address, what="/account/3pid", secret="s3cret.=_-0"):
        """what: "/register", "/account/password" or "/account/3pid"."""
        return Address(self, address, what, secret)

    def page(self, target):
        return Page(self.anybody, self.anybody.get(target))

    def user_with(self, name, address):
        """A new user to whose account the address belongs."""
        user = self.user(name)
        mine = self.address(address, secret=f"of-{name}").asked().confirmed()
        added = user.confirm("POST", "/account/3pid/add", mine.proof)
        assert added.status == 200, added
        return user
