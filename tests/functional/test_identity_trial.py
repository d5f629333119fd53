"""`mail test` and `sms test`: one message now, and how far it came; and what readiness says of a
relay and of a gateway that are out of order."""

import json
import re

import pytest

import sms_gateway
import smtp_sink
from authority import Authority
from identity_world import World
from mail_world import MailWorld
from smtp_sink import SmtpSink
from trial import steps
from trinity import eventually

ADDRESS, NUMBER = "ann@example.org", "+447700900001"


def warnings(world):
    """{part: why} of readiness; the service is ready all the same."""
    reply = world.identity.admin.request("GET", "/health/ready")
    assert reply.status == 200 and all(reason["warning"] for reason in reply.json["reasons"])
    return {reason["name"]: reason["why"] for reason in reply.json["reasons"]}


# ---- mail


@pytest.fixture
def make_world(tmp_path, request):
    made = []

    def make(**sink):
        made.append(MailWorld(tmp_path, sink=SmtpSink(**sink) if sink else None))
        request.node.trinity_story = made[-1].story
        return made[-1]

    yield make
    for world in made:
        world.end()


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory):
    made = MailWorld(tmp_path_factory.mktemp("trial"))
    yield made.start()
    made.end()


@pytest.fixture
def world(shared_world, request):
    """One that the tests share; its relay is in order again afterwards."""
    request.node.trinity_story = shared_world.story
    shared_world.sink.mails.clear()
    yield shared_world
    shared_world.sink.mood = smtp_sink.take
    shared_world.sink.moods.clear()


@pytest.fixture
def certificate(tmp_path):
    authority = Authority(tmp_path / "ca")
    return {"certificate": authority.certificate(["127.0.0.1"]), "ca_file": authority.file}


def test_a_mail_is_sent_at_once_and_each_step_is_told(world):
    printed = world.command("mail", "test", ADDRESS)
    told, failed = steps(printed)
    assert list(told) == ["address", "suppression", "name", "connection", "greeting", "EHLO", "sender",
                          "recipient", "message"] and failed == []
    assert told["connection"] == f"127.0.0.1, port {world.sink.port}"
    assert told["message"] == "250 2.0.0 Taken" and printed.endswith("sent\n")
    mail = world.sink.only_mail_to(ADDRESS)
    told = json.loads(world.command("mail", "test", "--json", ADDRESS))
    assert told["result"] == "sent" and told["steps"][-1] == {
        "step": "message", "ok": True, "words": "250 2.0.0 Taken"}
    assert "id.test" in mail.subject and "id.test" in mail.text and "id.test" in mail.html


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls_and_the_password_are_steps_of_their_own(make_world, certificate, tls):
    world = make_world(tls=tls, needs_password=True, **certificate).start()
    told, failed = steps(world.command("mail", "test", ADDRESS))
    assert failed == [] and re.match("TLSv?1[.][23]", told["TLS"])
    assert told["log-in"].startswith("235")
    assert list(told).index("TLS") < list(told).index("log-in") < list(told).index("sender")


def test_a_certificate_that_is_not_the_right_one_stops_it_there(make_world, certificate, tmp_path):
    world = make_world(tls="starttls", certificate=certificate["certificate"],
                       ca_file=Authority(tmp_path / "other").file).start()
    printed = world.command("mail", "test", ADDRESS, status=1)
    told, failed = steps(printed)
    assert failed == ["TLS"] and list(told)[-1] == "TLS"
    assert "certificate" in told["TLS"] and world.sink.mails == []


def test_a_wrong_password_stops_it_there(make_world, certificate):
    world = make_world(tls="starttls", needs_password=True, **certificate)
    world.sink.password = "another one"
    told, failed = steps(world.start().command("mail", "test", ADDRESS, status=1))
    assert failed == ["log-in"] and told["log-in"].startswith("535")
    assert "relay secret" not in str(told)


@pytest.mark.parametrize("mood, step, words, end", [
    (smtp_sink.be_closed, "greeting", "421 4.3.2 Not now", "not sent; a message of the service"),
    (smtp_sink.refuse_sender, "sender", "553 5.1.8 Not from you", "refused"),
    (smtp_sink.refuse, "recipient", "550 5.1.1", "refused"),
    (smtp_sink.defer, "recipient", "450 4.2.1 Mailbox busy", "not sent; a message of the service"),
    (smtp_sink.refuse_mail, "message", "554 5.7.1 This is spam", "refused"),
    (smtp_sink.drop_after_dot, "message", "", "it may have been sent"),
], ids=lambda value: getattr(value, "name", None))
def test_the_words_of_the_relay_are_shown_where_it_ended(world, mood, step, words, end):
    world.sink.moods[ADDRESS] = world.sink.mood = mood
    printed = world.command("mail", "test", ADDRESS, status=1)
    told, failed = steps(printed)
    assert failed == [step] == list(told)[-1:]
    assert told[step].startswith(words) and end in printed.splitlines()[-1]


def test_nobody_at_the_relay_is_told(make_world):
    world = make_world().start()
    world.sink.shut()
    assert steps(world.command("mail", "test", ADDRESS, status=1))[1] == ["connection"]


@pytest.mark.parametrize("address", ["ann", "a@b@c", "ann@example.org\r\nBcc: x@example.org"])
def test_what_is_no_address_is_no_mail(world, address):
    world.command("mail", "test", address, status=1)
    assert world.sink.mails == []


def test_who_gets_no_mail_gets_no_test_either(world):
    world.command("suppressions", "add", "email", "gone@example.org", "--reason", "they asked")
    printed = world.command("mail", "test", "Gone@example.org", status=1)
    assert steps(printed)[1] == ["suppression"] and world.sink.mails == []


def test_without_a_relay_there_is_no_test(people):
    assert "mail.relay is not set" in people.command("mail", "test", ADDRESS, status=1)
    assert "usage: trinity-identity mail test [--json] ADDRESS" in people.command("mail", status=2)
    assert "usage: trinity-identity sms test [--json] NUMBER" in people.command("sms", "tset", 1, status=2)


# ---- a relay that is off and on again


def test_a_relay_that_is_off_is_named_and_forgotten_when_it_is_back(make_world):
    world = make_world()
    world.sink.shut()
    world.start()
    why = eventually(lambda: warnings(world).get("mail"))
    assert why.startswith("the relay is out of order: ")
    assert "the mail relay is out of order, mails wait" in world.identity.log()
    world.sink.listen()
    eventually(lambda: warnings(world) == {})
    world.sink.shut()
    world.command("mail", "test", ADDRESS, status=1)
    assert eventually(lambda: warnings(world).get("mail")) == why
    world.sink.listen()
    world.command("mail", "test", ADDRESS)
    assert warnings(world) == {}, "a mail that went out is enough"


def test_a_relay_that_hangs_holds_up_neither_the_start_nor_the_end(make_world):
    world = make_world()
    world.sink.mood = smtp_sink.be_silent
    world.start()
    eventually(lambda: world.sink.visits)
    assert warnings(world) == {}
    world.identity.stop()


def test_three_mails_that_fail_are_named(world):
    world.command("mail", "test", ADDRESS)
    world.sink.moods[ADDRESS] = smtp_sink.refuse_mail
    for _ in range(3):
        assert warnings(world) == {}
        world.command("mail", "test", ADDRESS, status=1)
    assert warnings(world) == {"mail": "the last 3 mails failed: 554 5.7.1 This is spam"}
    del world.sink.moods[ADDRESS]
    world.command("mail", "test", ADDRESS)
    assert warnings(world) == {}


def test_a_probe_sends_nothing(world):
    eventually(lambda: world.sink.visits and world.sink.visits[0].hello == "id.test")
    assert world.sink.visits[0].recipients == []


# ---- text messages


@pytest.fixture
def texts(gateway, tmp_path, request):
    """A service whose text messages arrive."""
    sms = gateway.conf("twilio", tmp_path)
    sms["countries"]["deny"] = ["FR"]
    sms |= {"prices": [{"country": "default", "price": "0.5"}], "spend": {"per_day": "2.00"}}
    world = World(tmp_path, {"sms": sms})
    world.identity.configuration["outbound"]["allow"].append("127.0.0.1/32")
    world.identity.write_configuration()
    request.node.trinity_story = world.story
    yield world.start()
    world.end()


def test_a_text_message_is_sent_at_once(texts, gateway):
    printed = texts.command("sms", "test", NUMBER)
    assert steps(printed) == ({"number": "GB", "suppression": "none", "rules": "", "gateway": ""}, [])
    [message] = gateway.messages
    assert message.to == NUMBER[1:] and "id.test" in message.text


@pytest.mark.parametrize("number, told", [
    ("07700900001", "plus sign"), ("+4477", "plus sign"), ("hello", "plus sign"),
    ("+33612345678", "rules"),
])
def test_a_number_that_gets_no_message_is_told(texts, gateway, number, told):
    assert told in texts.command("sms", "test", number, status=1)
    assert gateway.messages == []


def test_the_gateways_answer_is_shown_and_three_are_a_warning(texts, gateway):
    gateway.mood = sms_gateway.forbid
    for _ in range(3):
        assert warnings(texts) == {}
        told, failed = steps(texts.command("sms", "test", NUMBER, status=1))
        assert failed == ["gateway"] and told["gateway"] == "twilio: HTTP status 401, code 20003"
    assert warnings(texts)["sms"].startswith("the last 3 text messages failed: twilio: HTTP status")
    gateway.mood = sms_gateway.ok
    texts.command("sms", "test", NUMBER)
    assert warnings(texts) == {}


def test_a_test_costs_what_every_message_costs(texts, gateway):
    for _ in range(4):
        texts.command("sms", "test", NUMBER)
    assert "No more text messages are sent" in texts.command("sms", "test", NUMBER, status=1)
    assert len(gateway.messages) == 4
