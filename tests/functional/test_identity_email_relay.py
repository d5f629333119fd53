"""Mails that wait for a relay: its pauses, its certificate and its password; restarts and power cuts
before, in the middle and after."""

import concurrent.futures
import re
import time

import pytest

import smtp_sink
from authority import Authority
from mail_world import MailWorld
from smtp_sink import SmtpSink
from trinity import eventually

FIRST_PAUSE_S = 30  # and a fifth more or less; each further one is twice as long
PATIENCE_S = 8  # how long a request waits for the relay


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = MailWorld(tmp_path_factory.mktemp("relay"), mail={"give_up_hours": 1})
    yield made.start()
    made.end()


@pytest.fixture
def mine(world, request):
    """A validation of an address, and a domain, that no other test has. Nobody's mood and no wrong
    time is left to the next test."""
    world.clock.jump(0)
    name = re.sub("[^a-z]+", "-", request.node.name)[-50:].strip("-")
    yield world.validation(world.sign_in("@ann:hs.test"), f"ann@{name}.example")
    world.sink.mood = smtp_sink.take
    world.sink.moods.clear()


def visits(mine, count):
    """Waits until the relay was asked so often for this address."""
    eventually(lambda: len(mine.world.sink.visits_for(mine.address)) >= count)
    return len(mine.world.sink.visits_for(mine.address)) == count


def put_off(mine, count):
    """Waits until so many attempts are written down: the next pause begins with that."""
    lane = mine.address.partition("@")[2]

    def is_written():
        reply = mine.world.identity.admin.request("GET", "/admin/v1/outbox?kind=mail")
        return any((item["lane"], item["attempts"]) == (lane, count)
                   for item in reply.json["items"])

    eventually(is_written)
    return visits(mine, count)


def test_the_pause_between_two_attempts_doubles(world, mine):
    world.sink.moods[mine.address] = smtp_sink.defer
    mine.asked()
    assert put_off(mine, 1)
    world.clock.jump(FIRST_PAUSE_S * 0.7)
    time.sleep(1.3)  # it looks at the clock every second
    assert visits(mine, 1)
    world.clock.jump(FIRST_PAUSE_S * 1.3)
    assert put_off(mine, 2)
    world.clock.jump(FIRST_PAUSE_S * (1.3 + 2 * 0.7))
    time.sleep(1.3)
    assert visits(mine, 2)
    world.clock.jump(FIRST_PAUSE_S * (1.3 + 2 * 1.3))
    assert visits(mine, 3)


def test_the_relay_is_told_the_name_of_the_service(mine):
    assert mine.asked().mail().session.hello == "id.test"


def test_what_was_given_up_may_be_asked_for_again(world, mine):
    world.sink.moods[mine.address] = smtp_sink.defer
    sid = mine.asked().sid
    world.clock.jump(3600)
    eventually(lambda: "an item of the outbox was given up" in world.identity.log())
    world.sink.moods.clear()
    assert mine.asked(1).sid == sid and len(mine.mails()) == 1


def ask_beside(mine):
    """Asks without waiting for the answer, which may never come."""
    pool = concurrent.futures.ThreadPoolExecutor(1)
    future = pool.submit(mine.ask)
    pool.shutdown(wait=False)
    return future


def sid_of(mine):
    """After a restart: the session is still there, and asking for it sends nothing new."""
    return mine.asked(1).sid


def test_a_mail_that_waits_survives_a_power_cut(world, mine):
    world.sink.moods[mine.address] = smtp_sink.defer
    mine.asked()
    world.identity.kill()
    world.sink.moods.clear()
    world.clock.jump(2 * FIRST_PAUSE_S)
    world.identity.start()
    mine.mail()
    assert mine.submit().json == {"success": True}
    assert len(mine.mails()) == 1


def test_a_power_cut_before_the_end_of_a_mail_repeats_it(world, mine):
    world.sink.moods[mine.address] = smtp_sink.hang_at_data
    ask_beside(mine)
    visits(mine, 1)
    world.identity.kill()
    world.sink.moods.clear()
    world.identity.start()
    mine.mail()
    mine.sid = sid_of(mine)
    assert mine.submit().json == {"success": True}
    assert len(mine.mails()) == 1


def test_a_power_cut_after_the_end_of_a_mail_does_not(world, mine):
    world.sink.moods[mine.address] = smtp_sink.hang_after_dot
    ask_beside(mine)
    mine.mail()
    world.identity.kill()
    world.sink.moods.clear()
    world.clock.jump(2 * FIRST_PAUSE_S)
    world.identity.start()
    mine.sid = sid_of(mine)
    assert mine.submit().json == {"success": True}
    eventually(lambda: "may have been sent, it is not repeated" in world.identity.log())
    assert visits(mine, 1) and len(mine.mails()) == 1


def test_a_daemon_that_stops_waits_for_no_relay(world, mine):
    world.sink.moods[mine.address] = smtp_sink.hang_at_data
    ask_beside(mine)
    visits(mine, 1)
    began = time.monotonic()
    world.identity.stop()
    assert time.monotonic() - began < PATIENCE_S + 10
    world.sink.moods.clear()
    world.clock.jump(2 * FIRST_PAUSE_S)
    world.identity.start()
    mine.mail()
    assert len(mine.mails()) == 1


def test_a_relay_without_other_letters_refuses_who_needs_them(world, mine):
    world.sink.offers_utf8 = False
    mine.address = mine.address.replace("ann@", "jörg@")
    reply = mine.ask()
    assert (reply.status, reply.errcode) == (400, "M_EMAIL_SEND_ERROR"), reply
    world.sink.offers_utf8 = True
    assert mine.asked(1).mail().options == ["SMTPUTF8"]


def test_who_may_not_send_at_all_is_told(world, mine):
    world.sink.mood = smtp_sink.refuse_sender
    reply = mine.ask()
    assert (reply.status, reply.errcode) == (400, "M_EMAIL_SEND_ERROR"), reply


# ---- TLS and passwords


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def careful(tmp_path_factory, authority):
    """Its relay wants STARTTLS and a password; there is one mail at a time to a domain."""
    sink = SmtpSink("starttls", authority.certificate(["127.0.0.1"]), authority.file, True)
    made = MailWorld(tmp_path_factory.mktemp("careful"), sink=sink,
                     mail={"hello": "mail.id.test", "per_domain": 1, "domain_pause_ms": 800})
    yield made.start()
    made.end()


def bad_certificate(names=("127.0.0.1",), **more):
    def spoil(sink, authority, _folder):
        sink.certificate = authority.certificate(list(names), **more)

    return spoil


def strange_authority(sink, _authority, folder):
    sink.certificate = Authority(folder, "stranger").certificate(["127.0.0.1"])


def no_tls(sink, _authority, _folder):
    sink.offers_starttls = False


def other_password(sink, _authority, _folder):
    sink.password = "another"


SPOILT = {
    "for another name": bad_certificate(["relay.test"]),
    "an expired one": bad_certificate(days=-1),
    "of a stranger": strange_authority,
    "no STARTTLS": no_tls,
    "another password": other_password,
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_nothing_is_said_to_a_relay_that_is_not_trusted(careful, authority, spoil, tmp_path):
    sink, before = careful.sink, dict(vars(careful.sink))
    spoil(sink, authority, tmp_path)
    address = f"ann@{spoil.__name__.replace('_', '-')}{len(sink.visits)}.example"
    mine = careful.validation(careful.sign_in("@ann:hs.test"), address)
    met = len(sink.visits)
    assert mine.ask().status == 200, "the mail is not to blame: it comes when the relay is mended"
    assert len(sink.visits) > met, "the mail, and then a probe"
    assert all(visit.recipients == [] for visit in sink.visits[met:])
    assert all(visit.user == "" for visit in sink.visits[met:]) or spoil is other_password
    for name in ("certificate", "offers_starttls", "password"):
        setattr(sink, name, before[name])
    careful.clock.jump(careful.clock.seconds + 2 * FIRST_PAUSE_S)
    visit = mine.mail().session
    assert visit.tls in ("TLSv1.2", "TLSv1.3")
    assert (visit.user, visit.hello) == (smtp_sink.USER, "mail.id.test")
    assert len(mine.mails()) == 1


def test_a_domain_gets_its_mails_one_by_one(careful):
    ann = careful.sign_in("@ann:hs.test")
    crowd = [careful.validation(ann, f"{n}@crowd.example") for n in range(4)]
    other = careful.validation(ann, "ann@elsewhere.example")
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        replies = list(pool.map(lambda one: one.ask(), [*crowd, other]))
    assert {reply.status for reply in replies} == {200}
    times = sorted(one.mail().session.began for one in crowd)
    pauses = [b - a for a, b in zip(times, times[1:])]
    assert min(pauses) > 0.75, pauses
    assert other.mail().session.began < times[2], "who is elsewhere does not wait for them"


def test_a_reload_leads_to_another_relay(careful, authority):
    with SmtpSink("implicit", authority.certificate(["localhost"]), authority.file) as sink:
        section = sink.conf(careful.story.directory, relay="localhost")
        careful.identity.reload(mail=section)
        eventually(lambda: careful.identity.log().count("reloaded"))
        mine = careful.validation(careful.sign_in("@ann:hs.test"), "ann@reloaded.example")
        mine.asked()
        assert sink.only_mail_to(mine.address).session.user == ""
