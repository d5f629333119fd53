"""Two people talk with matrix-js-sdk, in Node and in Chromium, across a restart and a kill."""

import json
import pathlib
import subprocess

import pytest

import npm
from browser import Browser, chromium
from homeserver_world import World

SCRIPTS = sorted(pathlib.Path(__file__).with_name("js").glob("*.mjs"))
ANN, BEA = "@ann:hs.test", "@bea:hs.test"

pytestmark = pytest.mark.skipif(npm.modules() is None, reason="matrix-js-sdk cannot be had here")


class Node:
    """Runs a step in a process of its own."""

    def __init__(self, world, directory):
        self.world, self.directory = world, npm.copied(SCRIPTS, directory)

    def __call__(self, step):
        done = subprocess.run(
            ["node", self.directory / "node.mjs", self.world.homeserver.plain.url, step,
             self.directory / "state.json"], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def close(self):
        pass


class InBrowser:
    """Runs a step in a page that is loaded anew."""

    def __init__(self, world, directory):
        self.world, self.state = world, {}
        npm.copied(SCRIPTS, directory)
        npm.bundle(directory / "page.mjs", directory / "page.js")
        self.page = directory / "page.html"
        self.page.write_text('<!DOCTYPE html><meta charset="utf-8"><script src="page.js"></script>')
        profile = directory / "profile"
        profile.mkdir()
        self.browser = Browser(profile).__enter__()

    def __call__(self, step):
        page = self.browser.open(self.page.as_uri(), 1280, 900)
        url = json.dumps(self.world.homeserver.plain.url)
        done = page.promised(f"run({url}, {json.dumps(step)}, {json.dumps(self.state)})"
                             ".then(JSON.stringify)")
        answer = json.loads(done)
        self.state = answer["state"]
        return answer["told"]

    def close(self):
        self.browser.__exit__()


WHERE = [
    Node,
    pytest.param(InBrowser, marks=pytest.mark.skipif(
        chromium() is None, reason="Chromium is not here")),
]


@pytest.fixture(scope="module", params=WHERE, ids=["node", "chromium"])
def sdk(request, tmp_path_factory):
    world = World(tmp_path_factory.mktemp("home"))
    world.start()
    made = request.param(world, tmp_path_factory.mktemp("js"))
    yield made
    made.close()
    world.end()


def test_one_invites_the_other_who_joins(sdk):
    assert sdk("meet") == {"invited": "invite", "name": "Tea", "version": "12"}


def test_they_talk_edit_react_read_and_type(sdk):
    assert sdk("talk") == {"edited": "black", "reactions": ["👍"], "bundled": "black"}


def test_data_names_tags_and_pictures_are_kept(sdk):
    assert sdk("keep") == {"same": True, "kept": {"value": 1}, "displayname": "Ann",
                           "tags": {"m.favourite": {"order": 0.5}}}


def test_all_is_there_after_a_restart(sdk):
    sdk.world.homeserver.stop()
    sdk.world.homeserver.start()
    told = sdk("again")
    assert told["there"] == ["green or black?", "black"] and told["first"] == "m.room.create"


def test_all_is_there_after_a_kill(sdk):
    sdk.world.homeserver.kill()
    sdk.world.homeserver.start()
    assert sdk("again")["there"] == ["green or black?", "black", "still here"]


def test_one_leaves_and_signs_out(sdk):
    assert sdk("leave") == {"rooms": [], "code": "M_UNKNOWN_TOKEN"}
