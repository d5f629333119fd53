"""A mail relay on loopback, in every mood: aiosmtpd, which we did not write, and what goes wrong.

    with SmtpSink() as sink:
        identity = story.identity({"mail": sink.conf(story.directory)})
        sink.moods["ann@example.org"] = greylist
        assert sink.wait_for(1)[0].subject == "Confirm your e-mail address"

Moods are of a recipient (sink.moods), or of everybody (sink.mood); some act before a recipient is
known and are only of use there. Both may be changed at any time, as may the certificate and what
is offered.
"""

import asyncio
import contextlib
import dataclasses
import email
import email.policy
import html
import re
import ssl
import threading
import time
import urllib.parse

from aiosmtpd.smtp import SMTP, AuthResult

from trinity import PATIENCE_SECONDS

USER, PASSWORD = "identity", "relay secret ü"
HANG_SECONDS = 60
SLOW_SECONDS = 1.5
ADDRESS = re.compile(r"<([^>]*)>")


# ---- moods: what is said at each stage instead of what is right


@dataclasses.dataclass(frozen=True)
class Mood:
    """Each stage is an action: it gets the relay, and what it returns is said. None: go on as
    usual. greeting: before the first word; sender, recipient: MAIL and RCPT; data: before 354;
    body: in the middle of the message; end: after the final dot, when the mail is taken unless the
    mood does not want it."""

    name: str
    greeting: object = None
    sender: object = None
    recipient: object = None
    data: object = None
    body: object = None
    end: object = None
    takes: bool = True


def say(words):
    async def act(_relay):
        return words

    return act


async def hang(relay):
    await asyncio.wait_for(relay.sink.released.wait(), HANG_SECONDS)
    relay.transport.abort()


async def drop(relay):
    relay.transport.abort()


async def wait_a_little(_relay):
    await asyncio.sleep(SLOW_SECONDS)


async def refuse_by_name(relay):
    """With the address in its words, which must not get into logs and answers."""
    return f"550 5.1.1 <{relay.to}>: Recipient address rejected"


async def know(relay):
    """Strangers shall come again."""
    if relay.to in relay.sink.known:
        return None
    relay.sink.known.add(relay.to)
    return "451 4.7.1 Greylisted, come again"


take = Mood("take")
greet_slowly = Mood("greet_slowly", greeting=wait_a_little)
be_silent = Mood("be_silent", greeting=hang)
be_closed = Mood("be_closed", greeting=say("421 4.3.2 Not now"))
refuse_sender = Mood("refuse_sender", sender=say("553 5.1.8 Not from you"))
defer_sender = Mood("defer_sender", sender=say("451 4.3.0 Try later"))
be_shut = Mood("be_shut", greeting=say("554 5.7.1 No mail from your network"))
refuse = Mood("refuse", recipient=refuse_by_name)
defer = Mood("defer", recipient=say("450 4.2.1 Mailbox busy"))
greylist = Mood("greylist", recipient=know)
hang_at_data = Mood("hang_at_data", data=hang)
drop_at_data = Mood("drop_at_data", data=drop)
drop_in_body = Mood("drop_in_body", body=drop)
refuse_mail = Mood("refuse_mail", end=say("554 5.7.1 This is spam"), takes=False)
defer_mail = Mood("defer_mail", end=say("452 4.3.1 Disk full"), takes=False)
hang_after_dot = Mood("hang_after_dot", end=hang)
drop_after_dot = Mood("drop_after_dot", end=drop)

# ---- what came


class Mail:
    """One mail that the relay took."""

    def __init__(self, envelope, session):
        self.sender, self.to = envelope.mail_from, envelope.rcpt_tos[0]
        self.options = envelope.mail_options
        self.bytes = envelope.original_content
        self.session = session
        self.message = email.message_from_bytes(self.bytes, policy=email.policy.default)

    def part(self, kind):
        found = self.message.get_body(preferencelist=(kind,))
        return found.get_content() if found else None

    @property
    def text(self):
        return self.part("plain")

    @property
    def html(self):
        return self.part("html")

    @property
    def subject(self):
        return str(self.message["Subject"])

    @property
    def link(self):
        """The first one; both parts must have it."""
        link = re.search(r"https?://\S+", self.text)[0]
        assert f'href="{html.escape(link)}"' in self.html
        return link

    @property
    def query(self):
        """The link's parameters."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.link).query))

    @property
    def target(self):
        """The link without the host."""
        return urllib.parse.urlunsplit(("", "", *urllib.parse.urlsplit(self.link)[2:]))


@dataclasses.dataclass
class Visit:
    """One connection."""

    began: float
    hello: str = ""
    tls: str = ""  # version
    user: str = ""
    recipients: list = dataclasses.field(default_factory=list)


# ---- the relay


class Relay(SMTP):
    """One connection. Which mood it is in is seen when it is needed."""

    def __init__(self, sink):
        super().__init__(self, hostname="relay.test", timeout=HANG_SECONDS, loop=sink.loop,
                         enable_SMTPUTF8=sink.offers_utf8, auth_require_tls=sink.tls == "starttls",
                         auth_required=sink.needs_password, authenticator=self.authenticate,
                         tls_context=sink.tls_context() if sink.offers_starttls else None)
        self.sink = sink
        self.to = None
        self.has_greeted = False
        self.visit = Visit(time.monotonic())
        sink.visits.append(self.visit)

    async def act(self, stage):
        mood = self.sink.moods.get(self.to, self.sink.mood)
        action = getattr(mood, stage)
        return await action(self) if action else None

    async def push(self, status):
        if not self.has_greeted:
            self.has_greeted = True
            status = await self.act("greeting") or status
        if self.transport:
            await super().push(status)

    async def refused(self, stage):
        """Whether the mood has ended this command."""
        words = await self.act(stage)
        if words:
            await self.push(words)
        return bool(words) or self.transport is None or self.transport.is_closing()

    async def handle_EHLO(self, _server, session, _envelope, name, responses):
        session.host_name = self.visit.hello = name
        return responses

    def authenticate(self, _server, _session, _envelope, _mechanism, data):
        self.visit.user = data.login.decode()
        right = data.password.decode() == self.sink.password
        return AuthResult(success=right and self.visit.user == USER, handled=False)

    async def smtp_MAIL(self, arg):
        if not await self.refused("sender"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg):
        self.to = ADDRESS.search(arg)[1]
        self.visit.recipients.append(self.to)
        if not await self.refused("recipient"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg):
        if await self.refused("data"):
            return
        mood = self.sink.moods.get(self.to, self.sink.mood)
        if mood.body:
            await self.push("354 Go on")
            await self._reader.readline()
            await mood.body(self)
            return
        await super().smtp_DATA(arg)

    async def handle_DATA(self, _server, session, envelope):
        if session.ssl:
            self.visit.tls = session.ssl["ssl_object"].version()
        if self.sink.moods.get(self.to, self.sink.mood).takes:
            self.sink.mails.append(Mail(envelope, self.visit))
        return await self.act("end") or "250 2.0.0 Taken"


class SmtpSink:
    """tls: "plain", "starttls" or "implicit"; the certificate is a pair of files."""

    def __init__(self, tls="plain", certificate=None, ca_file=None, needs_password=False):
        self.tls, self.certificate, self.ca_file = tls, certificate, ca_file
        self.needs_password, self.password = needs_password, PASSWORD
        self.offers_starttls = tls == "starttls"
        self.offers_utf8 = True
        self.mood, self.moods = take, {}
        self.mails, self.visits, self.known = [], [], set()
        self.loop = asyncio.new_event_loop()
        self.released = asyncio.Event()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        self.port = 0
        self.listen()

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def tls_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        return context

    def listen(self):
        """Also again, after shut(), on the same port."""
        self.server = self._run(self.loop.create_server(
            lambda: Relay(self), "127.0.0.1", self.port,
            ssl=self.tls_context() if self.tls == "implicit" else None))
        self.port = self.server.sockets[0].getsockname()[1]

    def shut(self):
        """Nobody answers any more."""

        async def end():
            self.server.close()

        self._run(end())

    def release(self):
        """What hangs is dropped."""

        async def drop_all():
            self.released.set()
            self.released.clear()

        self._run(drop_all())

    def close(self):
        async def end():
            self.server.close()
            waiting = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in waiting:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*waiting, return_exceptions=True)

        self._run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)

    def conf(self, directory, **more):
        """The `mail` section that leads here."""
        section = {"relay": "127.0.0.1", "port": self.port, "tls": self.tls,
                   "from": "Identity <id@id.test>", "domain_pause_ms": 1, **more}
        if self.ca_file:
            section["ca_file"] = str(self.ca_file)
        if self.needs_password:
            password_file = directory / "mail-password"
            password_file.write_text(self.password + "\n")
            section |= {"user": USER, "password_file": str(password_file)}
        return section

    # ---- what came

    def mails_to(self, address):
        return [mail for mail in self.mails if mail.to == address]

    def visits_for(self, address):
        return [visit for visit in self.visits if address in visit.recipients]

    def wait_for(self, count, address=None, seconds=PATIENCE_SECONDS):
        """The mails, once there are so many (to that address)."""
        end = time.monotonic() + seconds
        while True:
            mails = self.mails_to(address) if address else self.mails
            if len(mails) >= count:
                return mails
            assert time.monotonic() < end, f"only {len(mails)} of {count} mails came"
            time.sleep(0.02)

    def only_mail_to(self, address):
        (mail,) = self.wait_for(1, address)
        return mail
