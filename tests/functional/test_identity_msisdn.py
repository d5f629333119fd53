"""Showing that a phone number is one's own: how people write it, what is sent to it, by whom, and
what that may cost."""

import json
import re
import stat
import urllib.parse

import pytest

import sms_gateway
from identity_world import UNLIMITED, V1, V2, World
from metrics import parse_metrics
from preload import Clock
from sms_gateway import DIALECTS, SmsGateway
from trinity import eventually

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PLENTY = {"burst": 100000, "per_day": 100000}
NO_LIMITS = UNLIMITED | {name: PLENTY for name in (
    "sms_number", "sms_number_day", "sms_country", "sms_network")}


class PhoneWorld(World):
    """An identity service with a gateway for text messages."""

    def __init__(self, directory, dialect="twilio", limits=None, **sms):
        directory.mkdir(parents=True, exist_ok=True)
        self.gateway = SmsGateway()
        self.clock = Clock(directory)
        self.section = {**self.gateway.conf(dialect, directory), **sms}
        self.section = {key: value for key, value in self.section.items() if value is not None}
        super().__init__(directory, {"sms": self.section, "limits": limits or NO_LIMITS},
                         environment=self.clock.environment)
        allowed = self.identity.configuration["outbound"]
        allowed["allow"] = [*allowed.get("allow", []), "127.0.0.1/32"]
        self.identity.write_configuration()

    def end(self):
        self.gateway.closing.set()
        try:
            super().end()
        finally:
            self.gateway.close()

    def codes_to(self, msisdn):
        return [re.match("[0-9]{6} ", message.text)[0].strip()
                for message in self.gateway.messages if message.to == msisdn]

    def use(self, **changes):
        """Reloads the `sms` section with changes."""
        self.identity.configuration["sms"] = self.section | changes
        self.identity.write_configuration()
        self.command("reload")


class Number:
    """A phone number on its way to being validated."""

    def __init__(self, world, client, number, country="GB", base=V2, secret="s3cret"):
        self.world, self.client, self.base, self.secret = world, client, base, secret
        self.number, self.country = number, country
        self.sid = self.msisdn = None

    def ask(self, attempt=1, **more):
        reply = self.client.post(f"{self.base}/validate/msisdn/requestToken", {
            "client_secret": self.secret, "country": self.country, "phone_number": self.number,
            "send_attempt": attempt} | more)
        if reply.status == 200:
            self.sid, self.msisdn = reply.json["sid"], reply.json["msisdn"]
        return reply

    def asked(self, *attempt, **more):
        reply = self.ask(*attempt, **more)
        assert reply.status == 200, reply
        return self

    def codes(self):
        return self.world.codes_to(self.msisdn)

    @property
    def code(self):
        (code,) = eventually(self.codes)
        return code

    def proof(self, token=None):
        return {"sid": self.sid, "client_secret": self.secret, "token": token or self.code}

    def submit(self, token=None, medium="msisdn"):
        return self.client.post(f"{self.base}/validate/{medium}/submitToken", self.proof(token))

    def open(self, method="GET", medium="msisdn", **more):
        query = urllib.parse.urlencode(self.proof(**more))
        return self.world.anybody.request(
            method, f"{self.base}/validate/{medium}/submitToken?{query}")

    def validated(self):
        return self.client.get(f"{self.base}/3pid/getValidated3pid?sid={self.sid}"
                               f"&client_secret={self.secret}")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = PhoneWorld(tmp_path_factory.mktemp("phone"))
    yield made.start()
    made.end()


@pytest.fixture(scope="module")
def ann(world):
    return world.sign_in("@ann:hs.test")


@pytest.fixture
def mine(world, ann):
    """A number that no other test has. Nobody's mood is left to the next test."""
    mine.count = getattr(mine, "count", 0) + 1
    yield Number(world, ann, f"+4477009{mine.count:05}")
    world.gateway.mood = sms_gateway.ok
    world.clock.jump(0)


@pytest.fixture
def make_world(tmp_path):
    worlds = []

    def make(*arguments, **more):
        worlds.append(PhoneWorld(tmp_path / str(len(worlds)), *arguments, **more))
        return worlds[-1]

    yield make
    for made in worlds:
        made.end()


def refused(reply, status, errcode):
    assert (reply.status, reply.errcode) == (status, errcode), reply
    return reply


# ---- numbers


@pytest.mark.parametrize("country, number, msisdn, shown", [
    ("GB", "07700900001", "447700900001", "+44 7700 900001"),
    ("GB", "+44 7700 900001", "447700900001", "+44 7700 900001"),
    ("GB", "0044 (0)7700-900001", "447700900001", "+44 7700 900001"),
    ("US", "011 44 7700 900001", "447700900001", "+44 7700 900001"),
    ("GB", "447700900001", "447700900001", "+44 7700 900001"),
    ("FR", "+447700900001", "447700900001", "+44 7700 900001"),
    ("GB", "０７７００９００００１", "447700900001", "+44 7700 900001"),
    ("GB", "٠٧٧٠٠٩٠٠٠٠١", "447700900001", "+44 7700 900001"),
    ("US", "(202) 555-0167", "12025550167", "+1 202-555-0167"),
    ("IT", "06 1234567", "39061234567", "+39 06 123 4567"),
    ("DE", "0170/1234567", "491701234567", "+49 170 1234567"),
])
def test_numbers_are_read_as_people_write_them(world, ann, country, number, msisdn, shown):
    reply = Number(world, ann, number, country, secret="numbers").ask()
    assert reply.status == 200 and set(reply.json) == {"success", "sid", "msisdn", "intl_fmt"}
    assert reply.json["success"] is True
    assert (reply.json["msisdn"], reply.json["intl_fmt"]) == (msisdn, shown)


@pytest.mark.parametrize("country, number, errcode", [
    ("gb", "07700900001", "M_INVALID_PARAM"), ("ZZ", "07700900001", "M_INVALID_PARAM"),
    ("", "07700900001", "M_INVALID_PARAM"), ("GBR", "07700900001", "M_INVALID_PARAM"),
    ("GB", "123", "M_INVALID_ADDRESS"), ("GB", "", "M_INVALID_ADDRESS"),
    ("GB", "+", "M_INVALID_ADDRESS"), ("GB", "letters", "M_INVALID_ADDRESS"),
    ("GB", "9" * 30, "M_INVALID_ADDRESS"), ("GB", "7" * 5000, "M_INVALID_ADDRESS"),
    ("US", "2025550167;ext=5", "M_INVALID_ADDRESS"), ("US", "2025550167 x5", "M_INVALID_ADDRESS"),
    ("GB", "07700900001\0", "M_INVALID_PARAM"), ("GB", 7, "M_BAD_JSON"),
])
def test_what_is_no_number_gets_no_message(world, ann, country, number, errcode):
    before = world.gateway.requests
    refused(Number(world, ann, number, country).ask(), 400, errcode)
    assert world.gateway.requests == before


@pytest.mark.parametrize("missing", ["client_secret", "country", "phone_number", "send_attempt"])
def test_what_is_missing_is_named(ann, missing):
    body = {"client_secret": "x", "country": "GB", "phone_number": "07700900001",
            "send_attempt": 1}
    del body[missing]
    reply = refused(ann.post("/validate/msisdn/requestToken", body), 400, "M_MISSING_PARAMS")
    assert missing in reply.json["error"]


def test_strangers_get_no_message_on_v2(world, mine):
    mine.client = world.anybody
    refused(mine.ask(), 401, "M_UNAUTHORIZED")


# ---- the course of a validation


@pytest.mark.parametrize("base", [V1, V2])
def test_the_code_of_the_message_validates(mine, base):
    mine.base = base
    sid = mine.asked().sid
    refused(mine.validated(), 400, "M_SESSION_NOT_VALIDATED")
    assert mine.asked(1).sid == sid and len(mine.codes()) == 1
    assert mine.submit().json == {"success": True} and mine.submit().json == {"success": True}
    validated = mine.validated().json
    assert (validated["medium"], validated["address"]) == ("msisdn", mine.msisdn)
    bound = mine.client.post(f"{base}/3pid/bind", {
        "sid": sid, "client_secret": mine.secret, "mxid": "@ann:hs.test"})
    assert bound.status == 200 and bound.json["address"] == mine.msisdn


def test_homeservers_send_forms_and_no_attempt(world, mine):
    fields = {"client_secret": "x", "country": "GB", "phone_number": mine.number}
    body = urllib.parse.urlencode(fields).encode()
    target = f"{V1}/validate/msisdn/requestToken"
    sids = {world.anybody.post(target, body, headers=FORM).json["sid"] for _ in "12"}
    mine.msisdn, mine.secret, (mine.sid,) = mine.number[1:], "x", sids
    submit = urllib.parse.urlencode(mine.proof()).encode()
    reply = world.anybody.post(f"{V1}/validate/msisdn/submitToken", submit, headers=FORM)
    assert reply.json == {"success": True}


def test_five_wrong_codes_end_it(mine):
    mine.asked()
    wrong = "000000" if mine.code != "000000" else "111111"
    for _ in range(5):
        refused(mine.submit(wrong), 400, "M_TOKEN_INCORRECT")
    refused(mine.submit(), 400, "M_TOKEN_INCORRECT")
    dead, dead_code = mine.sid, mine.code
    assert mine.asked(2).sid != dead
    eventually(lambda: len(mine.codes()) == 2)
    assert mine.submit(mine.codes()[1]).status == 200 or mine.codes()[1] == dead_code


def test_a_number_is_not_confirmed_as_an_address(world, mine):
    mine.asked()
    unknown = refused(mine.submit(medium="email"), 400, "M_INVALID_PARAM").json
    assert unknown["error"] == "There is no such validation session"
    page = mine.open(medium="email")
    assert page.status == 400 and page.headers["Content-Type"].startswith("text/html")
    reply = world.identity.plain.request(
        "POST", "/verify/email", urllib.parse.urlencode(mine.proof()).encode(), FORM)
    assert reply.status == 400
    refused(mine.validated(), 400, "M_SESSION_NOT_VALIDATED")


@pytest.mark.parametrize("base", [V1, V2])
def test_a_person_may_open_the_code_as_a_link(mine, base):
    mine.base = base
    mine.asked()
    wrong = mine.open(token="123")
    assert wrong.status == 400 and "not right" in wrong.body.decode()
    assert mine.open("HEAD").status == 200
    refused(mine.validated(), 400, "M_SESSION_NOT_VALIDATED")
    page = mine.open()
    assert page.status == 200 and "confirmed" in page.body.decode()
    assert mine.validated().status == 200


def test_the_message_speaks_the_readers_language(world, mine):
    mine.client.post("/validate/msisdn/requestToken", {
        "client_secret": "x", "country": "GB", "phone_number": mine.number, "send_attempt": 1},
        headers={"Accept-Language": "de"})
    message = world.gateway.messages[-1]
    assert message.to == mine.number[1:] and "ist" in message.text and "id.test" in message.text


# ---- gateways


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_gateway_gets_the_message(world, mine, dialect, tmp_path):
    world.use(**world.gateway.conf(dialect, tmp_path) | {
        "secret_file": world.section["secret_file"],
        "originators": [{"country": "default", "from": ["+18885550100"]},
                        {"country": "GB", "from": ["Trinity", "Second"]}]})
    mine.asked()
    message = world.gateway.messages[-1]
    assert (message.dialect, message.to) == (dialect, mine.msisdn)
    assert message.sender in ("Trinity", "Second")
    assert mine.submit().json == {"success": True}
    mine.asked(1)
    first = [message.sender for message in world.gateway.messages if message.to == mine.msisdn]
    assert len(set(first)) == 1, "a person sees one conversation"
    world.use()


MOODS = {  # status of the answer, messages taken then, messages once all is well
    sms_gateway.refuse: (400, 0, 0),
    sms_gateway.forbid: (400, 0, 0),
    sms_gateway.redirect: (400, 0, 0),
    sms_gateway.fail: (200, 0, 0),  # nobody knows
    sms_gateway.be_busy: (200, 0, 1),
    sms_gateway.throttle: (200, 0, 1),
    sms_gateway.hang: (200, 1, 1),
    sms_gateway.talk_much: (200, 1, 1),
    sms_gateway.hang_up: (200, 1, 1),
    sms_gateway.talk_garbage: (200, 1, 1),
}


@pytest.mark.parametrize("mood", MOODS, ids=lambda mood: mood.__name__)
def test_a_gateway_in_any_mood_sends_one_message_at_most(world, mine, mood):
    status, first, last = MOODS[mood]
    world.gateway.mood = mood
    mine.msisdn = mine.number[1:]
    reply = mine.ask()
    assert reply.status == status, reply
    assert mine.msisdn not in str(reply.json.get("error"))
    assert len(mine.codes()) == first
    world.gateway.mood = sms_gateway.ok
    for minutes in (1, 2):
        world.clock.jump(60 * minutes)
        mine.ask(1) if status == 200 else None
    eventually(lambda: len(mine.codes()) == last)
    if status == 400:
        refused(reply, 400, "M_SEND_ERROR")
        assert mine.asked(1).submit().status == 200, "what was refused may be asked for again"


def test_a_suppressed_number_answers_like_one_that_the_gateway_refuses(world, mine):
    world.gateway.mood = sms_gateway.refuse
    like = mine.ask()
    world.gateway.mood = sms_gateway.ok
    world.command("suppressions", "add", "msisdn", f"{mine.number[:-2]}*", "--reason", "asked")
    before = world.gateway.requests
    reply = mine.ask()
    assert (reply.status, reply.json) == (like.status, like.json)
    refused(reply, 400, "M_SEND_ERROR")
    assert world.gateway.requests == before
    world.command("suppressions", "remove", "msisdn", f"{mine.number[:-2]}*", "--reason", "back")
    assert mine.ask().status == 200


def test_a_message_that_waits_survives_a_power_cut(world, mine):
    world.gateway.mood = sms_gateway.be_busy
    mine.asked()
    world.identity.kill()
    world.gateway.mood = sms_gateway.ok
    world.clock.jump(60)
    world.identity.start()
    assert mine.submit().json == {"success": True}
    assert len(mine.codes()) == 1


def test_a_program_of_the_operators_sends_it(make_world, tmp_path):
    sent = tmp_path / "0" / "trinity-identity-0" / "data" / "sent"
    program = tmp_path / "send"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = 447700900009 ] && exit 1\n"
                       f"{{ echo \"$@\"; cat; echo; }} >> {sent}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    world = make_world(gateway="command", url=None, account=None, secret_file=None,
                       command=[str(program), "{{ to }}", "{{ from }}"]).start()
    ann = world.sign_in("@ann:hs.test")
    mine = Number(world, ann, "07700900001").asked()
    arguments, text = sent.read_text().splitlines()
    assert arguments == "447700900001 Trinity" and text.endswith("Tell it to nobody.")
    assert mine.submit(text[:6]).json == {"success": True}
    refused(Number(world, ann, "07700900009").ask(), 400, "M_SEND_ERROR")


# ---- rules, budgets, money


def test_the_operator_chooses_where_messages_go(world, ann):
    world.use(countries={"default": "deny", "allow": ["GB", "+1876", "US"], "deny": ["+447701"]})
    for country, number, status in (
            ("GB", "07700900801", 200), ("GB", "07701900801", 400), ("DE", "01701234567", 400),
            ("JM", "8762101234", 200), ("US", "2025550167", 200), ("CA", "2045550167", 400),
            ("GB", "0906 123 4567", 400), ("GB", "+881612345678", 400)):
        before = world.gateway.requests
        reply = Number(world, ann, number, country, secret="rules").ask()
        assert reply.status == status, (country, number, reply)
        assert world.gateway.requests == before + (status == 200), number
        if status == 400:
            refused(reply, 400, "M_DESTINATION_REJECTED")
    world.use(countries={"default": "allow", "premium": True})
    assert Number(world, ann, "0906 123 4567", secret="premium").ask().status == 200
    world.use()


def limited(reply):
    refused(reply, 429, "M_LIMIT_EXCEEDED")
    assert 0 < reply.json["retry_after_ms"] and 0 < int(reply.headers["Retry-After"])
    return True


def test_budgets_are_per_number_country_and_network(make_world):
    slowly = 24
    world = make_world(limits=NO_LIMITS | {
        "sms_number": {"burst": 2, "per_day": slowly},
        "sms_country": {"burst": 4, "per_day": slowly},
        "sms_network": {"burst": 6, "per_day": slowly}}).start()
    ann = world.sign_in("@ann:hs.test")
    mine = Number(world, ann, "07700900001")
    assert [mine.ask(n).status for n in (1, 2)] == [200, 200] and limited(mine.ask(3))
    assert limited(Number(world, ann, "+447700900001", secret="other").ask()), "any spelling"
    assert [Number(world, ann, f"0770090001{n}").ask().status for n in (1, 2)] == [200, 200]
    assert limited(Number(world, ann, "07700900019").ask()), "four for this country"
    assert [Number(world, ann, f"202555017{n}", "US").ask().status for n in (1, 2)] == [200, 200]
    assert limited(Number(world, ann, "0170 1234567", "DE").ask()), "six for this network"
    assert mine.ask(2).status == 200, "what needs no message is free"
    assert len(world.gateway.messages) == 6


def test_money_is_spent_once_and_its_end_is_told(make_world):
    world = make_world(prices=[{"country": "default", "price": "0.075"},
                               {"country": "US", "price": "0.01"}],
                       spend={"per_day": "0.24", "alarm_percent": 60}).start()
    ann = world.sign_in("@ann:hs.test")
    alarm, end = "text messages have cost most", "text messages have cost all"
    assert Number(world, ann, "07700900001").ask().status == 200
    assert alarm not in world.identity.log()
    assert Number(world, ann, "07700900002").ask().status == 200
    assert world.identity.log().count(alarm) == 1
    world.identity.restart()
    assert Number(world, ann, "07700900003").ask().status == 200
    mine = Number(world, ann, "07700900004")
    refused(mine.ask(), 400, "M_DESTINATION_REJECTED")
    assert world.identity.log().count(end) == 1
    assert Number(world, ann, "2025550167", "US").ask().status == 200, "this one is cheap"
    assert len(world.gateway.messages) == 4
    text = world.identity.admin.request("GET", "/metrics").body.decode()
    assert parse_metrics(text)["sms_spend"]['period="day"'] == pytest.approx(0.235)
    world.clock.jump(24 * 3600)
    assert mine.ask().status == 200, "tomorrow is another day"


def test_without_a_gateway_no_message_is_promised(make_people):
    ann = make_people({}).start().sign_in("@ann:hs.test")
    reply = ann.post("/validate/msisdn/requestToken", {
        "client_secret": "x", "country": "GB", "phone_number": "07700900001", "send_attempt": 1})
    refused(reply, 400, "M_DESTINATION_REJECTED")


def test_logs_hold_no_numbers_and_no_codes(world, mine):
    mine.asked()
    log = world.identity.log()
    assert mine.msisdn not in log and mine.code not in log and sms_gateway.SECRET not in log
    assert json.dumps(world.section["account"]) not in log
