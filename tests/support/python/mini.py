"""mini_daemon, the smallest daemon, as a daemon of a story."""

import subprocess

import pytest
import trinity

HELLO = {"hello": "world"}


class Mini(trinity.Daemon):
    """mini_daemon: its routes have no schemas."""

    def __init__(self, *arguments, **more):
        super().__init__("mini_daemon", *arguments, **more)
        for listener in (self.plain, self.secure, self.admin):
            if listener:
                listener.daemon = None

    def ready(self):
        return self.admin.request("GET", "/health/ready")

    def check(self, text=None, path=None):
        """--check of this text, or of the daemon's own configuration."""
        path = path or self.conf_path
        if text is not None:
            path = self.directory / "checked.yaml"
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return subprocess.run(
            [str(trinity.program(self.name)), "-c", str(path), "--check"], text=True,
            capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
        )


@pytest.fixture
def mini(story):
    return add(story)


def add(story, configuration=None, **more):
    made = Mini(story.directory / f"mini-{len(story.daemons)}", configuration, **more)
    story.daemons.append(made)
    return made


def is_sanitized():
    """The sandbox is off in such builds: sanitizers look at the process from outside."""
    program = trinity.program("mini_daemon").read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def plain_build():
    """A build of mini_daemon without sanitizers, for what these do not let happen."""
    if not is_sanitized():
        return trinity.build_directory()
    other = trinity.ROOT / "build" / "dev"
    if not (other / "tests" / "mini_daemon").exists():
        pytest.skip("no build without sanitizers: build the preset dev")
    return other


@pytest.fixture
def plain_mini(story, monkeypatch):
    monkeypatch.setenv("TRINITY_BUILD", str(plain_build()))
    return add(story)


def make_certificate(directory, name="mini.test", days=30, kind="DNS"):
    """(certificate, key) of its own authority. kind: IP if the name is an address."""
    directory.mkdir(parents=True, exist_ok=True)
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", f"/CN={name}", "-addext", f"subjectAltName={kind}:{name}", "-keyout",
         str(key), "-out", str(certificate), "-days", str(days)],
        check=True, capture_output=True,
    )
    return certificate, key


class Linked:
    """A certificate behind links, as those who renew certificates leave it: `tls` is the links."""

    def __init__(self, directory):
        self.made, self.live, self.archive = (directory / name for name in (
            "made", "live", "archive"))
        self.live.mkdir()
        self.archive.mkdir()
        self.renew()
        self.tls = (self.live / "certificate.pem", self.live / "key.pem", None, "mini.test")

    def renew(self):
        """There is another one in the archive, and the links lead to it."""
        number = len(list(self.archive.iterdir()))
        for file in make_certificate(self.made):
            archived, link = self.archive / f"{number}{file.name}", self.live / file.name
            archived.write_bytes(file.read_bytes())
            link.unlink(missing_ok=True)
            link.symlink_to(archived)


def with_tls(story, **more):
    certificate, key = make_certificate(story.directory / "tls", **more)
    return add(story, tls=(certificate, key, None, "mini.test"))


def serial(listener):
    """The certificate that a handshake gives, as bytes."""
    with listener.socket() as wire:
        return wire.getpeercert(binary_form=True)
