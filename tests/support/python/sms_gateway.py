"""A gateway for text messages that takes every kind of request, in every mood.

    gateway = SmsGateway()
    identity = story.identity({"sms": gateway.conf("twilio", story.directory)})
    gateway.mood = hang
    assert gateway.messages[-1].to == "447700900001"

It speaks Twilio's, Vonage's and Infobip's dialect, and plain JSON for a webhook; which one is seen
by the path. A test may change the mood at any time. Close it with close().
"""

import dataclasses
import json
import time
import urllib.parse

from little_server import MoodyServer
from trinity import PATIENCE_SECONDS

SECRET = "gateway-secret"
HANG_SECONDS = 60
HUGE = 10 * 1024 * 1024


@dataclasses.dataclass
class Message:
    """What the gateway was asked to send."""

    dialect: str
    to: str  # digits
    sender: str
    text: str
    headers: dict


# ---- moods: what is done with a request instead of the right answer


def take(exchange):
    exchange.gateway.messages.append(exchange.message)


def ok(exchange):
    _, status, answer = DIALECTS[exchange.message.dialect]
    take(exchange)
    exchange.answer(status, answer)


def refuse(exchange):
    exchange.answer(400, {"code": 21211, "message": f"'{exchange.message.to}' is not valid"})


def forbid(exchange):
    exchange.answer(401, {"code": 20003})


def fail(exchange):
    exchange.answer(500, {})


def be_busy(exchange):
    exchange.answer(503, {}, {"Retry-After": "1"})


def throttle(exchange):
    exchange.answer(429, {}, {"Retry-After": "1"})


def hang(exchange):
    """Takes the message, and never says so."""
    take(exchange)
    exchange.gateway.closing.wait(HANG_SECONDS)


def hang_up(exchange):
    """Takes the message, and drops the connection."""
    take(exchange)
    exchange.hang_up()


def talk_garbage(exchange):
    take(exchange)
    exchange.answer_bytes(200, b"\xff<html>{")


def redirect(exchange):
    exchange.answer(302, {}, {"Location": exchange.gateway.url + "/elsewhere"})


def talk_much(exchange):
    take(exchange)
    exchange.answer_bytes(200, b"x" * HUGE)


MOODS = (ok, refuse, forbid, fail, be_busy, throttle, hang, hang_up, talk_garbage, redirect,
         talk_much)


# ---- dialects: how a request is read and its success is told


def read_twilio(body):
    form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
    return form["To"].lstrip("+"), form.get("From", ""), form["Body"]


def read_vonage(body):
    form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
    assert form["api_secret"] == SECRET
    return form["to"], form["from"], form["text"]


def read_infobip(body):
    (message,) = json.loads(body)["messages"]
    return message["destinations"][0]["to"], message["sender"], message["content"]["text"]


def read_webhook(body):
    message = json.loads(body)
    return message["to"], message["from"], message["text"]


DIALECTS = {
    "twilio": (read_twilio, 201, {"sid": "SM1", "status": "queued", "error_code": None}),
    "vonage": (read_vonage, 200, {"message-count": "1", "messages": [{"status": "0"}]}),
    "infobip": (read_infobip, 200, {"messages": [{"messageId": "1", "status": {"groupId": 1}}]}),
    "webhook": (read_webhook, 200, {"status": "queued"}),
}


def dialect_of(path):
    if path.endswith("/Messages.json"):
        return "twilio"
    if path == "/sms/json":
        return "vonage"
    return "infobip" if path == "/sms/3/messages" else "webhook"


class SmsGateway(MoodyServer):
    """Listens on loopback. messages: what it took; requests: how often it was asked."""

    def __init__(self):
        super().__init__(ok)
        self.messages = []
        self.requests = 0

    def respond(self, exchange):
        dialect = dialect_of(exchange.path)
        said = DIALECTS[dialect][0](exchange.body.decode())
        exchange.gateway, exchange.message = self, Message(dialect, *said, dict(exchange.headers))
        self.requests += 1
        self.mood(exchange)

    def wait_for(self, count, seconds=PATIENCE_SECONDS):
        """The messages, once there are so many."""
        end = time.monotonic() + seconds
        while len(self.messages) < count:
            assert time.monotonic() < end, f"only {len(self.messages)} of {count} messages came"
            time.sleep(0.02)
        return self.messages

    def conf(self, dialect, directory):
        """The `sms` section that leads here. The daemon's `outbound.allow` needs 127.0.0.1/32."""
        secret_file = directory / "sms-secret"
        secret_file.write_text(SECRET + "\n")
        section = {
            "gateway": dialect,
            "url": self.url,
            "account": "AC1",
            "secret_file": str(secret_file),
            "countries": {"default": "allow"},
            "originators": [{"country": "default", "from": ["Trinity"]}],
        }
        if dialect == "webhook":
            body = {"to": "{{ to }}", "from": "{{ from }}", "text": "{{ text }}"}
            section["webhook"] = {"body": json.dumps(body)}
        return section
