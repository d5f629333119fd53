"""An identity service that is killed at random moments under load forgets nothing that it
acknowledged, and does nothing twice.

Addresses go their way: they are invited, shown to be somebody's, bound, unbound. A step whose
answer never came is taken again after the kill, as a client does. What was said yes to is written
down here; after each kill the service must start and still stand by it. In the end the relay has
no mail twice, and every mail, invite and notice that was promised, but for mails that the kill cut
off after the point of no return: those the service has to name itself.
"""

import collections
import http.client
import itertools
import os
import random
import re
import threading
import time
import urllib.parse

from bind_world import World, hash_of
from metrics import parse_metrics
from trinity import eventually

CYCLES = int(os.environ.get("TRINITY_CYCLES", "8"))
LONGEST = 0.8  # seconds of load before a kill
SAMPLE = 60  # of what earlier cycles acknowledged, looked at after each kill
WORKERS = 4
PEOPLE = ("@ann:hs.test", "@bob:hs.test", "@eve:other.test")
SID = re.compile(r"[?&]sid=(\w+)")
UNSURE = "may have been sent, it is not repeated"
WAITS = 20  # seconds for what the service does by itself
CONFIGURATION = {"invites": {"web_client": "https://app.test"}}


class Killed(Exception):
    """The service is gone: the step may have happened or not."""


class Address:
    """One e-mail address and what was acknowledged of it. plan: the steps ahead of it; the first
    may have been tried already."""

    def __init__(self, world, number):
        self.world = world
        self.text = f"a{number}@d{number % 20}.example"
        self.secret = f"secret{number}"
        self.sid, self.attempts, self.asked = None, 0, 0
        self.invites, self.rooms = {}, set()  # acknowledged room -> answer; all rooms tried
        self.user, self.maybe = None, {None}  # bound to; what it may be until somebody has looked
        self.association = None
        self.invites_due = set()  # rooms that were to be told
        self.changes, self.tries = 0, 0  # of the binding, of which the owner gets a mail
        steps = ["invite"] * random.choice((0, 1, 1, 2)) + ["ask", "prove", "bind"]
        steps += random.choice(([], [], ["unbind"], ["bind"], ["unbind", "bind"]))
        self.plan = collections.deque(steps)

    def person(self, user_id=None):
        return self.world.person(user_id or random.choice(PEOPLE))

    def yes(self, reply):
        assert reply.status == 200, (self.text, reply)
        return reply.json

    # ---- steps

    def invite(self):
        person = self.person()
        room = f"!{len(self.rooms)}-{self.secret}:hs.test"
        self.rooms.add(room)
        self.invites[room] = person.invites(self.text, room)

    def ask(self):
        """Again with the same number until there is an answer: that is no second mail."""
        self.asked = self.attempts + 1
        self.sid = self.yes(self.person().post("/validate/email/requestToken", {
            "client_secret": self.secret, "email": self.text, "send_attempt": self.asked}))["sid"]
        self.attempts = self.asked

    def prove(self):
        mail = self.wait_for_mail()
        if mail is None:  # cut off by the kill: a client asks for another one
            self.plan.appendleft("ask")
            return self.ask()
        body = {"sid": self.sid, "client_secret": self.secret, "token": mail.query["token"]}
        assert self.yes(self.person().post("/validate/email/submitToken", body))["success"] is True

    def wait_for_mail(self):
        end = time.monotonic() + WAITS
        while time.monotonic() < end:
            mail = self.world.mail_of(self.sid)
            if mail:
                return mail
            if self.world.killed.wait(0.02):
                raise Killed
        assert self.world.was_cut(self.text), f"no mail to {self.text} ever came"
        return None

    def bind(self):
        person = self.person()
        self.expect(person.id)
        self.association = self.yes(person.post("/3pid/bind", {
            "sid": self.sid, "client_secret": self.secret, "mxid": person.id}))
        self.settle(person.id)
        self.invites_due |= set(self.invites)

    def unbind(self):
        if self.user is None:
            return
        self.expect(None)
        self.yes(self.world.anybody.post("/3pid/unbind", {
            "sid": self.sid, "client_secret": self.secret, "mxid": self.user,
            "threepid": {"medium": "email", "address": self.text}}))
        self.association = None
        self.settle(None)

    # ---- what it may be bound to

    def expect(self, user_id):
        self.maybe = {self.user, user_id}
        self.tries += 1

    def settle(self, user_id):
        """Somebody was told, so it stays like this."""
        self.changes += user_id != self.user
        self.user, self.maybe = user_id, {user_id}

    def look(self, found):
        assert found in self.maybe, f"{self.text} is bound to {found}, not {self.maybe}"
        if found != self.user:
            self.association = None
        self.settle(found)


class Worker(threading.Thread):
    """Takes one address after the other a step on its way until the service is gone. Anything that
    goes wrong before that is an error."""

    def __init__(self, load):
        super().__init__()
        self.load, self.wrong, self.touched = load, None, []

    def run(self):
        try:
            while not self.load.world.killed.is_set():
                self.take_a_step()
        except Exception as wrong:  # noqa: BLE001  (handed to the thread that waits)
            gone = isinstance(wrong, (OSError, http.client.HTTPException, Killed))
            if not (gone and self.load.world.killed.is_set()):
                self.wrong = wrong

    def take_a_step(self):
        address = self.load.next()
        self.touched.append(address)
        try:
            getattr(address, address.plan[0])()
            address.plan.popleft()
        finally:
            if address.plan:
                self.load.under_way.append(address)


class Load:
    """Everybody who asks the service for something, all at once."""

    def __init__(self, world):
        self.world = world
        self.all, self.under_way = [], collections.deque()
        self.numbers = itertools.count()

    def next(self):
        """Mostly one that is under way."""
        if len(self.under_way) > random.randrange(2 * WORKERS):
            return self.under_way.popleft()
        address = Address(self.world, next(self.numbers))
        self.all.append(address)
        return address

    def run_and_kill(self, seconds):
        """The addresses of which something was asked meanwhile."""
        self.world.killed.clear()
        workers = [Worker(self) for _ in range(WORKERS)]
        for worker in workers:
            worker.start()
        time.sleep(seconds)
        self.world.killed.set()
        self.world.identity.kill()
        for worker in workers:
            worker.join()
        for worker in workers:
            if worker.wrong:
                raise worker.wrong
        return list(dict.fromkeys(a for worker in workers for a in worker.touched))


class KilledWorld(World):
    """Its service dies and comes again."""

    def __init__(self, directory):
        super().__init__(directory, CONFIGURATION)
        self.killed = threading.Event()
        self.lock = threading.Lock()  # of what was read of the mails
        self.read, self.of_session = 0, {}

    def mail_of(self, sid):
        """The newest with this id in its link. There are many: each is read once."""
        with self.lock:
            for mail in self.sink.mails[self.read :]:
                self.read += 1
                found = SID.search(mail.text)
                if found:
                    self.of_session[found[1]] = mail
            return self.of_session.get(sid)

    def was_cut(self, address):
        """How often a mail to it began to be sent and did not come."""
        return len(self.sink.visits_for(address)) - len(self.sink.mails_to(address))

    def is_quiet(self):
        text = self.identity.admin.request("GET", "/metrics").body.decode()
        return not any(parse_metrics(text)["outbox_waiting"].values())


# ---- looking at what is there


def verify_bindings(world, addresses):
    """By hash and in clear, and the bytes of the association as they were acknowledged."""
    pepper = world.pepper
    by_hash = world.mappings([hash_of(a.text, pepper) for a in addresses], pepper=pepper)
    clear = world.mappings([f"{a.text} email" for a in addresses], "none", pepper)
    for address in addresses:
        found = by_hash.get(hash_of(address.text, pepper))
        assert found == clear.get(f"{address.text} email"), address.text
        address.look(found)
        if address.association:
            assert world.lookup_v1(address.text) == address.association


def verify_keys(world, addresses):
    """Every invite's own key counts until the address is bound."""
    open_ones = [address for address in addresses if not address.tries]
    for invite in (invite for address in open_ones for invite in address.invites.values()):
        key = invite["public_keys"][1]
        path = urllib.parse.urlsplit(key["key_validity_url"]).path
        query = urllib.parse.urlencode({"public_key": key["public_key"]})
        assert world.anybody.get(f"{path}?{query}").json == {"valid": True}


def verify(world, addresses):
    if addresses:
        verify_bindings(world, addresses)
        verify_keys(world, addresses)


def kinds_of(mails):
    """The number of mails by what they are about."""
    return collections.Counter(
        "invite" if "https://app.test/" in mail.text else
        "validation" if "sid=" in mail.text else "notice" for mail in mails)


def verify_mails(world, address):
    """Not more than were asked for. The number of those that are missing."""
    kinds, cut = kinds_of(world.sink.mails_to(address.text)), world.was_cut(address.text)
    promised = {"validation": address.attempts, "invite": len(address.invites),
                "notice": address.changes}
    most = {"validation": address.asked, "invite": len(address.rooms), "notice": address.tries}
    missing = 0
    for kind, count in promised.items():
        assert kinds[kind] <= most[kind], f"{kinds} to {address.text}, of {most} at most"
        missing += max(0, count - kinds[kind])
    assert missing <= cut, f"{missing} mails to {address.text} are missing, {cut} were cut off"
    return missing


def verify_all_mails(world, addresses):
    ids = [mail.message["Message-ID"] for mail in world.sink.mails]
    assert None not in ids and len(set(ids)) == len(ids), "a mail came twice"
    missing = sum(verify_mails(world, address) for address in addresses)
    named = world.identity.log().count(UNSURE)
    assert missing <= named, f"{missing} mails are missing, {named} of them were named"
    return missing


def tokens_told(world):
    """room -> tokens, of all that the homeservers were told."""
    told = collections.defaultdict(list)
    for server in world.homeservers.all.values():
        for notice in server.notices:
            for invite in notice.body["invites"]:
                told[invite["room_id"]].append(invite["token"])
    return told


def verify_notices(world, addresses):
    """A homeserver may hear twice what it answered while the service died, never of two invites
    where there was one."""
    told = tokens_told(world)
    for address in addresses:
        for room in address.invites_due:
            assert set(told[room]) == {address.invites[room]["token"]}, room
    known = {room for address in addresses for room in address.rooms}
    assert set(told) <= known
    return sum(len(tokens) - 1 for tokens in told.values())


def test_nothing_acknowledged_is_lost_or_done_twice(request, tmp_path):
    world = KilledWorld(tmp_path)
    request.node.trinity_story = world.story
    world.start()
    load, slowest = Load(world), 0.0
    for user_id in (*PEOPLE, "@asker:hs.test"):
        world.person(user_id)
    for _ in range(CYCLES):
        touched = load.run_and_kill(random.uniform(0, LONGEST))
        slowest = max(slowest, world.identity.come_back())
        verify(world, touched + random.sample(load.all, min(SAMPLE, len(load.all))))
    eventually(world.is_quiet)
    verify(world, load.all)
    missing = verify_all_mails(world, load.all)
    again = verify_notices(world, load.all)
    invites = sum(len(address.invites) for address in load.all)
    print(f"{CYCLES} cycles: {len(load.all)} addresses, {invites} invites, {len(world.sink.mails)}"
          f" mails, {missing} cut off and named, {again} notices told again; slowest start"
          f" {slowest:.1f} s")
    assert len(load.all) > CYCLES and len(world.sink.mails) > CYCLES
    world.end()
