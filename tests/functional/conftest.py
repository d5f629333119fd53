"""What several files of stories share: servers over shared/http, notaries, identity services."""

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


# ---- notaries


def make_notary_world(directory, configuration, **more):
    from notary_world import World  # needs Python packages that not every story does

    return World(directory, configuration, **more)


@pytest.fixture(scope="module")
def shared_world(request):
    """The file's configuration is its CONFIGURATION."""
    with tempfile.TemporaryDirectory(prefix="trinity-") as directory:
        configuration = getattr(request.module, "CONFIGURATION", None)
        made = make_notary_world(directory, configuration).start()
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
            made = make_notary_world(f"{directory}/{len(worlds)}", configuration, **more)
            worlds.append(made)
            request.node.trinity_story = made.story
            return made

        yield make
        for made in worlds:
            made.end()


# ---- identity services


def make_identity_world(request, directory, configuration, **more):
    """A file may have a WORLD of its own."""
    from identity_world import World  # needs Python packages that not every story does

    return getattr(request.module, "WORLD", World)(directory, configuration, **more)


@pytest.fixture(scope="module")
def shared_identity(request):
    """The file's configuration is its CONFIGURATION."""
    with tempfile.TemporaryDirectory(prefix="trinity-") as directory:
        configuration = getattr(request.module, "CONFIGURATION", None)
        made = make_identity_world(request, directory, configuration)
        yield made.start()
        made.end()


@pytest.fixture
def people(request, shared_identity):
    """A running identity service that the file's tests share: each uses names of its own."""
    request.node.trinity_story = shared_identity.story
    yield shared_identity
    assert shared_identity.identity.is_running(), "the identity service has ended"
    shared_identity.identity.check_log()


@pytest.fixture
def make_people(request):
    """make_people(configuration): an identity service, not started, for one test."""
    worlds = []
    with tempfile.TemporaryDirectory(prefix="trinity-") as directory:

        def make(configuration=None, **more):
            made = make_identity_world(
                request, f"{directory}/{len(worlds)}", configuration, **more)
            worlds.append(made)
            request.node.trinity_story = made.story
            return made

        yield make
        for made in worlds:
            made.end()
