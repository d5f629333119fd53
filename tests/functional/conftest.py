"""Notaries for the stories: one for a whole file, or one for a single test."""

import tempfile

import pytest

from notary_world import World


@pytest.fixture(scope="module")
def shared_world(request):
    """The file's configuration is its CONFIGURATION."""
    with tempfile.TemporaryDirectory(prefix="trinity-") as directory:
        made = World(directory, getattr(request.module, "CONFIGURATION", None)).start()
        yield made
        made.end()


@pytest.fixture
def world(request, shared_world):
    """A running notary that the file's tests share: each uses names of its own."""
    request.node.trinity_story = shared_world.story
    yield shared_world
    assert shared_world.notary.is_running(), "the notary has ended"
    shared_world.notary.check_log()


@pytest.fixture
def make_world(request):
    """make_world(configuration): a notary, not started, for one test."""
    worlds = []
    with tempfile.TemporaryDirectory(prefix="trinity-") as directory:

        def make(configuration=None, **more):
            made = World(f"{directory}/{len(worlds)}", configuration, **more)
            worlds.append(made)
            request.node.trinity_story = made.story
            return made

        yield make
        for made in worlds:
            made.end()
