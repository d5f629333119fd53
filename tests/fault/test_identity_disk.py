"""An identity service whose disk is full: it answers what it knows, says so, refuses what it cannot
keep, sends no mail twice, and goes on by itself once there is room. One whose disk dies ends, and
has lost nothing when it is started on another one. Filling a disk needs root."""

import http.client
import itertools
import random
import signal

import pytest

import preload
from bind_world import World
from disk import LITTLE, is_refused, says_full
from metrics import parse_metrics
from trinity import eventually

ANN = "@ann:hs.test"
MINUTE = 60
BINDS_MAX = 100


@pytest.fixture
def world(disk, request, tmp_path):  # in this order: it ends before its disk goes
    data = disk.path / "data"
    data.mkdir(mode=0o700)
    made = World(tmp_path, {"data_directory": str(data)})
    request.node.trinity_story = made.story
    yield made.start()
    made.end()


@pytest.fixture
def ann(world):
    return world.person(ANN)


def is_quiet(world):
    text = world.identity.admin.request("GET", "/metrics").body.decode()
    return not any(parse_metrics(text)["outbox_waiting"].values())


def invite(person, address):
    return person.post("/store-invite", {"medium": "email", "address": address,
                                         "room_id": "!room:hs.test", "sender": person.id})


def what_writes(world, ann, asked, proved):
    """Requests that leave something behind, each of which is done or refused as a whole."""
    yield world.validation(ann, "fresh@example.org").ask
    yield asked.submit
    yield lambda: proved.bind(ANN)
    yield lambda: invite(ann, "guest@example.org")
    yield lambda: world.register(world.homeserver("hs.test").issue("@late:hs.test"))
    yield lambda: ann.post("/3pid/unbind", {
        "sid": proved.sid, "client_secret": proved.secret, **ann.unbind_content("bound@example.org")})


def what_reads(world, ann, session, key):
    """What is known, as it is answered."""
    query = key["key_validity_url"].partition("://")[2].partition("/")[2]
    return [
        world.found("bound@example.org"),
        session.validated().status,
        ann.get("/account").json,
        ann.get("/hash_details").json,
        world.anybody.get(f"/{query}?public_key={key['public_key']}").json,
    ]


@pytest.mark.parametrize("leave", [LITTLE, 0], ids=["little_room", "no_room"])
def test_it_answers_refuses_clearly_and_recovers_by_itself(disk, world, ann, leave):
    proved = ann.proves("bound@example.org")
    assert proved.bind(ANN).status == 200
    key = ann.invites("early@example.org", "!r:hs.test")["public_keys"][1]
    asked = world.validation(ann, "mine@example.org").asked()
    asked.mail()
    before = what_reads(world, ann, proved, key)
    eventually(lambda: is_quiet(world))
    mails = len(world.sink.mails)
    disk.fill(leave)

    eventually(lambda: says_full(world.identity))
    for request in what_writes(world, ann, asked, proved):
        reply = request()
        assert is_refused(reply), reply
    assert what_reads(world, ann, proved, key) == before
    assert len(world.sink.mails) == mails

    disk.clear()
    eventually(lambda: not says_full(world.identity))
    for request in what_writes(world, ann, asked, proved):
        reply = request()
        assert reply.status == 200, reply
    world.identity.kill()
    world.identity.start()
    assert world.found("bound@example.org") is None
    assert asked.validated().status == 200
    eventually(lambda: is_quiet(world))
    world.sink.only_mail_to("fresh@example.org")


def test_it_starts_on_a_full_disk_and_answers(disk, world, ann):
    ann.has_bound("bound@example.org")
    assert world.found("bound@example.org") == ANN
    for leave in LITTLE, 0:
        disk.fill(leave)
        world.identity.kill()
        world.identity.start()
        assert says_full(world.identity)
        assert world.found("bound@example.org") == ANN
        assert is_refused(invite(ann, "guest@example.org"))
    disk.clear()
    eventually(lambda: not says_full(world.identity))
    assert invite(ann, "guest@example.org").status == 200


def invite_until_refused(ann, prefix, acknowledged):
    for number in itertools.count():
        address = f"{prefix}-{number}@d{number % 20}.example"
        reply = invite(ann, address)
        if reply.status != 200:
            assert is_refused(reply), reply
            return
        acknowledged.append(address)


def test_no_mail_is_lost_or_doubled_whenever_the_disk_fills(disk, world, ann):
    """Somebody takes all there is while invites are stored and their mails are sent."""
    acknowledged = []
    for point in range(5):
        disk.fill_amid(0.4, lambda: invite_until_refused(ann, f"p{point}", acknowledged))
        disk.clear()
        eventually(lambda: not says_full(world.identity))
    world.after(MINUTE)  # when mails that could not be sent are tried again
    eventually(lambda: is_quiet(world))
    came = [mail.to for mail in world.sink.mails]
    assert sorted(came) == sorted(acknowledged)
    assert len(acknowledged) > 5


# ---- a disk that dies


class DyingWorld(World):
    """Its disk dies at a sync or a write."""

    def start_dying(self, directory, what):
        """Ready, on a disk that dies soon."""
        disk = preload.DyingDisk(directory, what, random.randint(1, 20))
        lasting = self.identity.environment
        self.identity.environment = {**lasting, **disk.environment, "LD_PRELOAD": ":".join(
            made["LD_PRELOAD"] for made in (disk.environment, lasting))}
        self.identity.start()
        self.identity.environment = lasting
        disk.die()


def bind_until_it_dies(sessions, bound):
    for session in itertools.islice(itertools.cycle(sessions), BINDS_MAX):
        assert session.bind(ANN).status == 200
        bound.append(session.address)


@pytest.mark.parametrize("what", ["DISK_SYNC_FAILS", "DISK_WRITE_FAILS"])
def test_a_disk_that_dies_ends_it_and_loses_nothing(request, tmp_path, what):
    world = DyingWorld(tmp_path)
    request.node.trinity_story = world.story
    ann, bound = world.start().person(ANN), []
    sessions = [ann.proves(f"a{number}@example.org") for number in range(30)]
    world.identity.stop()
    world.start_dying(tmp_path, what)
    with pytest.raises((OSError, http.client.HTTPException)):
        bind_until_it_dies(sessions, bound)
    assert world.identity.wait() == -signal.SIGABRT
    assert "ends and recovers at its next start" in world.identity.log()
    world.identity.process = None
    world.start()
    assert all(world.found(address) == ANN for address in dict.fromkeys(bound))
    world.end()
