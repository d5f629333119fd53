"""Two people talk with matrix-nio, across a restart and a kill."""

import json
import os
import pathlib
import subprocess

import pytest

import synapse
from homeserver_world import World

pytestmark = pytest.mark.skipif(synapse.python() is None, reason="matrix-nio cannot be had here")

SCRIPT = pathlib.Path(__file__).with_name("nio_talk.py")
ANN, BEA = "@ann:hs.test", "@bea:hs.test"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("nio"))
    made.start()
    yield made
    made.end()


@pytest.fixture
def nio(world):
    def run(step):
        """What the step told."""
        done = subprocess.run(
            [synapse.python(), SCRIPT, world.homeserver.plain.url, step,
             world.homeserver.directory / "nio.json"],
            capture_output=True, text=True, timeout=120, env={**os.environ, "PYTHONPATH": ""})
        assert done.returncode == 0, done.stdout + done.stderr
        told = {}
        for line in done.stdout.splitlines():
            told.update(json.loads(line))
        return told

    return run


def test_one_invites_the_other_who_joins(nio):
    assert nio("meet") == {"invited": True, "name": "Tea", "topic": "What to drink",
                           "members": [ANN, BEA], "ann": "Ann"}


def test_they_talk_edit_react_read_and_take_back(nio):
    told = nio("talk")
    assert told["bodies"] == ["green or black?", "blak", "* black"]
    assert told["reactions"] == ["👍"]
    assert told["typing"] == [[BEA]] and told["read"] == [BEA]
    assert told["event"] == "blak" and told["context"]
    assert told["redacted"] == "RedactedEvent"


def test_they_share_a_picture(nio):
    assert nio("pictures") == {"same": True, "type": "image/png", "name": "tea.png",
                               "avatar": True, "displayname": "Ann"}


def test_all_is_there_after_a_restart(world, nio):
    world.homeserver.stop()
    world.homeserver.start()
    assert nio("again") == {"same": True, "rooms": True, "last": "still here"}


def test_all_is_there_after_a_kill(world, nio):
    nio("talk")
    world.homeserver.kill()
    world.homeserver.start()
    assert nio("again") == {"same": True, "rooms": True, "last": "still here"}


def test_one_leaves_and_signs_out(nio):
    assert nio("leave") == {"devices": ["nio"], "rooms": [], "members": [ANN], "out": True}
