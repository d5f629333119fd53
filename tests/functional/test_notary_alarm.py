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

    def wait(self):
        eventually(lambda: self.messages)
        return self.messages


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


def test_conflicts_and_compromised_keys_are_told_once(receiver):
    world = receiver.world
    before = now_ms()
    make_conflict(world, "a.test")
    [message] = receiver.wait()
    assert message["server_name"] == NAME
    [conflict] = message["conflicts"]
    assert (conflict["server"], conflict["key_id"]) == ("a.test", "ed25519:a")
    assert conflict["kept"] != conflict["refused"]
    assert before <= conflict["first_seen_ts"] <= now_ms()
    assert message["compromised"] == [] and message["problems"] == []
    world.refetch("a.test")  # the same again is no news
    publish_compromised(world, "careless.test")
    eventually(lambda: len(receiver.messages) == 2)
    [told] = receiver.messages[1]["compromised"]
    assert (told["server"], told["key_id"]) == ("careless.test", "ed25519:auto")
    assert receiver.messages[1]["conflicts"] == []


def test_an_alarm_that_is_not_taken_is_sent_again(receiver):
    receiver.status = 503
    make_conflict(receiver.world, "a.test")
    eventually(lambda: receiver.refused)
    receiver.status = 200
    [message] = receiver.wait()
    assert [conflict["server"] for conflict in message["conflicts"]] == ["a.test"]
    metrics = receiver.world.metrics()
    assert metrics['notary_alarms_total{result="delivered"}'] == 1
    assert metrics['notary_alarms_total{result="failed"}'] == receiver.refused


def test_trouble_with_the_own_key_files_is_told(receiver):
    world = receiver.world
    with open(world.notary.configuration["keys"]["signing_file"], "w") as file:
        file.write("ed25519 nonsense\n")
    world.notary.command("reload")
    [message] = receiver.wait()
    [problem] = message["problems"]
    assert problem["what"] == "key_files" and "notary.key" in problem["why"]
    assert message["conflicts"] == [] and message["compromised"] == []
