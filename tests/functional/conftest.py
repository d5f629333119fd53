"""What several files of stories share: servers over shared/http, notaries, identity services."""

import importlib
import shutil
import subprocess
import tempfile

import pytest

from wire import Echo


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "30",
         "-subj", "/CN=localhost"], check=True, capture_output=True)
    return [f"cert={folder / 'cert.pem'}", f"key={folder / 'key.pem'}"]


@pytest.fixture(scope="module")
def echo(tmp_path_factory, certificate):
    server = Echo(tmp_path_factory.mktemp("echo"), "io=2", "rate=1", "burst=3",
                  "proxy=127.0.0.9/32", *certificate)
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path):
    servers = []

    def start_one(*options):
        servers.append(Echo(tmp_path, *options))
        return servers[-1]

    yield start_one
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def strict(tmp_path_factory, certificate):
    server = Echo(tmp_path_factory.mktemp("strict"), "io=2", "header_ms=700", "body_ms=700",
                  "idle_ms=2500", *certificate)
    yield server
    server.stop()


# ---- worlds: a daemon, and all that it talks to


def make_world_of(request, kind, directory, configuration=None, **more):
    """Of the file's own WORLD, or of kind: notary_world, identity_world or homeserver_world. These
    need Python packages that not every story does."""
    world_of = getattr(request.module, "WORLD", None) or importlib.import_module(kind).World
    return world_of(directory, configuration, **more)


def shared(kind):
    """A started world that the tests of a file share; its configuration is their CONFIGURATION."""

    @pytest.fixture(scope="module")
    def one(request):
        with tempfile.TemporaryDirectory(prefix="trinity-") as directory:
            made = make_world_of(request, kind, directory,
                                 getattr(request.module, "CONFIGURATION", None))
            yield made.start()
            made.end()

    return one


def watched(name):
    """The shared world of this name, whose daemon must outlive each test; each uses names of its
    own."""

    @pytest.fixture
    def one(request):
        made = request.getfixturevalue(name)
        request.node.trinity_story = made.story
        yield made
        assert made.daemon.is_running(), "the daemon has ended"
        made.daemon.check_log()

    return one


def maker(kind):
    """make(configuration): a world, not started, for one test."""

    @pytest.fixture
    def one(request):
        worlds = []
        with tempfile.TemporaryDirectory(prefix="trinity-") as directory:

            def make(configuration=None, **more):
                made = make_world_of(request, kind, f"{directory}/{len(worlds)}",
                                     configuration, **more)
                worlds.append(made)
                request.node.trinity_story = made.story
                return made

            yield make
            for made in worlds:
                made.end()

    return one


shared_world, world, make_world = shared("notary_world"), watched("shared_world"), \
    maker("notary_world")
shared_identity, people, make_people = shared("identity_world"), watched("shared_identity"), \
    maker("identity_world")
shared_home, home, make_home = shared("homeserver_world"), watched("shared_home"), \
    maker("homeserver_world")


@pytest.fixture
def talk(home, request):
    """Two people in a room of the first one's; of the version that the test is given for it."""
    rooms = importlib.import_module("rooms")
    ann, bob = home.user(None), home.user(None)
    room = rooms.create(ann, preset="public_chat", room_version=getattr(request, "param", "12"))
    rooms.join(bob, room)
    return ann, bob, room
