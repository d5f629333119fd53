"""What the notary tells its operator unasked: a POST to alarm_url."""

import json

import pytest

import fakenet
from notary_world import NAME
from origins import now_ms
from trinity import eventually

COMPROMISED = "l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og"  # known to everybody


class Receiver:
    """What is posted to alarm_url, and what is answered."""

    def __init__(self, world):
        self.world, self.messages, self.refused, self.status = world, [], 0, 200
        host = world.net.host(["alarm.test"], handler=self.receive)
        world.net.dns.set("alarm.test", "A", host.address)
        world.notary.configuration["alarm_url"] = f"https://alarm.test:{host.port}/hook?a=b"
        world.notary.write_configuration()

    async def receive(self, exchange):
        assert (exchange.method, exchange.target) == ("POST", "/hook?a=b")
        assert exchange.headers["content-type"] == "application/json"
        if self.status == 200:
            self.messages.append(json.loads(exchange.body))
        else:
            self.refused += 1
        return fakenet.answer({}, self.status)


@pytest.fixture
def receiver(make_world):
    made = Receiver(make_world({"trust": {"one_signature": ["careless.test"]}}))
    made.world.start()
    return made


def make_conflict(world, name):
    a = world.origins.add(name)
    world.ask(name)
    a.replace("ed25519:a")
    assert world.refetch(name)["result"] == "CONFLICT"
    return a


def publish_compromised(world, name):
    """A server that lists, besides its own key, one whose secret half is public."""
    a = world.origins.add(name)
    a.extra = {"verify_keys": {**a.unsigned()["verify_keys"],
                               "ed25519:auto": {"key": COMPROMISED}}}
    assert world.refetch(name)["result"] == "OK"


def told(receiver, kind):
    """All of a kind that was told, in whatever messages."""
    return [row for message in receiver.messages for row in message[kind]]


def test_a_conflict_is_told_until_it_is_taken_and_then_no_more(receiver):
    world, before = receiver.world, now_ms()
    receiver.status = 503
    make_conflict(world, "a.test")
    eventually(lambda: receiver.refused)
    receiver.status = 200
    eventually(lambda: receiver.messages)
    assert receiver.messages[0]["server_name"] == NAME
    [conflict] = told(receiver, "conflicts")
    assert (conflict["server"], conflict["key_id"]) == ("a.test", "ed25519:a")
    assert conflict["kept"] != conflict["refused"]
    assert before <= conflict["first_seen_ts"] <= now_ms()
    metrics = world.metrics()
    assert metrics['notary_alarms_total{result="delivered"}'] == 1
    assert metrics['notary_alarms_total{result="failed"}'] == receiver.refused

    world.refetch("a.test")  # the same again is no news
    publish_compromised(world, "careless.test")
    with open(world.notary.configuration["keys"]["signing_file"], "w") as file:
        file.write("ed25519 nonsense\n")
    world.notary.command("reload")
    eventually(lambda: told(receiver, "compromised") and told(receiver, "problems"))
    [key] = told(receiver, "compromised")
    assert (key["server"], key["key_id"]) == ("careless.test", "ed25519:auto")
    [problem] = told(receiver, "problems")
    assert problem["what"] == "key_files" and "notary.key" in problem["why"]
    assert len(told(receiver, "conflicts")) == 1
