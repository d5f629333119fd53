"""Stories about real daemons: start one, talk to it, stop it, and see that it stopped cleanly.

    def test_a_stranger_gets_the_notarys_keys(story):
        notary = story.notary().start()
        assert notary.get("/_matrix/key/v2/server").json["server_name"] == "notary.test"

The fixture `story` is in tests/conftest.py. Everything listens on loopback.
"""

import atexit
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import signal
import socket
import ssl
import subprocess
import time

import contract

ROOT = pathlib.Path(__file__).resolve().parents[3]
READY_SECONDS = 60  # sanitizers and a busy machine included
STOP_SECONDS = 60
PATIENCE_SECONDS = 90  # whoever waits for what happens loses nothing by it
SANITIZER = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:|MHD_.*panic"
)


def build_directory():
    """Where the programs are: $TRINITY_BUILD, or what was built last by hand."""
    if "TRINITY_BUILD" in os.environ:
        return pathlib.Path(os.environ["TRINITY_BUILD"])
    for preset in ("asan", "dev"):
        if (ROOT / "build" / preset).exists():
            return ROOT / "build" / preset
    raise RuntimeError("nothing is built: run tests/run functional, or set TRINITY_BUILD")


def program(name):
    """The path of a program of ours, daemon or tool."""
    folder = {"trinity-notary": "notary", "trinity-identity": "identity",
              "trinity-homeserver": "homeserver"}.get(name, "tests")
    return build_directory() / folder / name


_given_ports = set()


def free_port(address="127.0.0.1"):
    """A port that nothing listens on, and that this process gives out only once."""
    while True:
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        if port not in _given_ports:
            _given_ports.add(port)
            return port


class Reply:
    """One HTTP answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def errcode(self):
        return self.json.get("errcode")

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Listener:
    """An address to send requests to. ca: the file that its TLS certificate is checked with;
    unix: the path of a unix socket instead of host and port; daemon: the program that listens
    there, whose replies must keep their contract."""

    def __init__(self, host="127.0.0.1", port=0, tls=False, ca=None, name=None, unix=None,
                 daemon=None):
        self.host, self.port, self.tls, self.ca, self.unix = host, port, tls, ca, unix
        self.name = name or host
        self.daemon = daemon

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://{self.name}:{self.port}"

    def tls_context(self):
        if self.ca:
            return ssl.create_default_context(cafile=str(self.ca))
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def socket(self, timeout=30):
        """A connected socket, with TLS if the listener has it."""
        if self.unix:
            plain = socket.socket(socket.AF_UNIX)
            plain.settimeout(timeout)
            plain.connect(self.unix)
            return plain
        plain = socket.create_connection((self.host, self.port), timeout)
        return self.tls_context().wrap_socket(plain, server_hostname=self.name) if self.tls else plain

    def connection(self, timeout=60):
        """A kept-alive http.client connection."""
        if self.unix:
            return UnixConnection(self.unix, timeout)
        if not self.tls:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        made = http.client.HTTPSConnection(
            self.name, self.port, timeout=timeout, context=self.tls_context()
        )
        made.sock = self.socket(timeout)  # the name may not resolve: connect to the address
        return made

    def request(self, method, target, body=None, headers=None, timeout=60):
        """One request on a connection of its own. body: bytes, or anything JSON can say. The
        target goes out as it is."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        connection = self.connection(timeout)
        try:
            with contextlib.suppress(BrokenPipeError):  # refused while we were sending
                connection.request(method, target, body, headers)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        if self.daemon:
            contract.check(self.daemon, method, target, reply)
        return reply

    def raw(self, data, timeout=30, shut=False):
        """Sends bytes as they are; all bytes that come back until the other side closes or is
        silent for the timeout. shut: end our side after sending."""
        got = b""
        with self.socket(timeout) as wire:
            try:
                wire.sendall(data)
                if shut:
                    wire.shutdown(socket.SHUT_WR)
                while True:
                    more = wire.recv(65536)
                    if not more:
                        break
                    got += more
            except (TimeoutError, ConnectionError, ssl.SSLError):
                pass
        return got

    def raw_request(self, data, timeout=30):
        """Sends bytes as they are; the first answer, parsed. None if the other side just closed."""
        with self.socket(timeout) as wire:
            try:
                wire.sendall(data)
                answer = http.client.HTTPResponse(wire)
                answer.begin()
                return Reply(answer.status, answer.headers, answer.read())
            except (http.client.HTTPException, ConnectionError, ssl.SSLError):
                return None


class Stopped(AssertionError):
    """The daemon ended when it should not have, or did not end as it should."""


class Daemon:
    """A daemon of ours in a directory of its own. The configuration is completed with listeners
    on free loopback ports, an admin socket and a data directory; JSON is YAML too."""

    def __init__(self, name, directory, configuration=None, environment=None, tls=None):
        self.name = name
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.environment = environment or {}
        self.tls = tls  # (certificate file, key file, CA file, name) of a second listener
        self.log_path = self.directory / "log"
        self.conf_path = self.directory / "conf.yaml"
        self.process = None
        atexit.register(self.kill)  # where a story fails before it ends its daemons
        self.plain = Listener(port=free_port(), daemon=name)
        self.secure = None
        self.configuration = {**self.defaults(), **(configuration or {})}
        self.admin = self.admin_listener()
        self.write_configuration()

    def defaults(self):
        listen = [{"address": "127.0.0.1", "port": self.plain.port}]
        made = {
            "listen": listen,
            "admin": f"unix:{self.directory}/admin",
            "data_directory": str(self.directory / "data"),
        }
        if self.tls:
            certificate, key, ca, name = self.tls
            self.secure = Listener(
                port=free_port(), tls=True, ca=ca, name=name, daemon=self.name
            )
            listen.append({"address": "127.0.0.1", "port": self.secure.port, "tls": True})
            made["tls"] = {"certificate": str(certificate), "key": str(key)}
        return made

    def admin_listener(self):
        where = self.configuration["admin"]
        if where.startswith("unix:"):
            return Listener(unix=where.removeprefix("unix:"), daemon=self.name)
        host, _, port = where.rpartition(":")
        return Listener(host.strip("[]"), int(port), daemon=self.name)

    def unchecked(self):
        """Its replies are not held against their schemas: who measures has no time for that."""
        for listener in filter(None, (self.plain, self.secure, self.admin)):
            listener.daemon = None
        return self

    def write_configuration(self):
        self.conf_path.write_text(json.dumps(self.configuration, indent=1) + "\n")

    # ---- life

    def command_line(self):
        return [str(program(self.name)), "-c", str(self.conf_path)]

    def launch(self):
        """Starts the program without waiting."""
        (self.directory / "data").mkdir(mode=0o700, exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command_line(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.directory, start_new_session=True,
                env={**os.environ, **self.environment},
            )
        return self

    def start(self, seconds=READY_SECONDS):
        """Starts the program and waits until it says that it is ready."""
        self.launch()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Stopped(f"{self.name} ended with {self.process.returncode} at its start\n"
                              + self.log_tail())
            if self.is_ready():
                return self
            time.sleep(0.02)
        raise Stopped(f"{self.name} is not ready after {seconds} s\n" + self.log_tail())

    def is_ready(self):
        try:
            return self.admin.request("GET", "/health/ready", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, seconds=STOP_SECONDS):
        """The exit status, once it has ended by itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Stopped(f"{self.name} does not end\n" + self.log_tail()) from None

    def stop(self):
        """Ends it as systemd does. It must exit with 0 and leave no sanitizer report."""
        if self.process is None:
            return
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        status = self.wait()
        self.process = None
        if status != 0:
            raise Stopped(f"{self.name} ended with {status}\n" + self.log_tail())
        self.check_log()

    def kill(self):
        """Ends it as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def come_back(self):
        """After a kill. Sometimes it is killed once more while it starts. Seconds until it is
        ready."""
        if random.random() < 0.3:
            self.launch()
            time.sleep(random.uniform(0, 0.4))
            self.kill()
        begin = time.monotonic()
        self.start()
        return time.monotonic() - begin

    def restart(self):
        self.stop()
        return self.start()

    def reload(self, **changes):
        """Writes the configuration with changes and asks the daemon to read it."""
        self.configuration.update(changes)
        self.write_configuration()
        self.process.send_signal(signal.SIGHUP)

    # ---- looking at it

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines=80):
        return "\n".join(self.log().splitlines()[-lines:])

    def check_log(self):
        if SANITIZER.search(self.log()):
            raise Stopped(f"{self.name} has a sanitizer report\n" + self.log_tail(200))

    def resident_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1])

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # ---- talking to it

    def get(self, target, **more):
        return self.plain.request("GET", target, **more)

    def post(self, target, body, **more):
        return self.plain.request("POST", target, body, **more)

    def command(self, *arguments, stdin=None, seconds=120):
        """Runs a subcommand of the program on this configuration. Fails on a sanitizer report."""
        done = subprocess.run(
            [*self.command_line(), *map(str, arguments)],
            input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL, text=True,
            capture_output=True, timeout=seconds, cwd=self.directory,
            env={**os.environ, **self.environment},
        )
        if SANITIZER.search(done.stderr):
            raise Stopped(done.stderr)
        return done


def eventually(what, seconds=PATIENCE_SECONDS, every=0.05):
    """The first true answer of what(), asked again and again; fails after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        answer = what()
        if answer:
            return answer
        assert time.monotonic() < end, f"not true within {seconds} s"
        time.sleep(every)


class Story:
    """The daemons of one test. They are stopped, and checked, when it ends."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.daemons = []

    def daemon(self, name, configuration=None, **more):
        """A daemon that is not started yet."""
        number = len(self.daemons)
        made = Daemon(name, self.directory / f"{name}-{number}", configuration, **more)
        self.daemons.append(made)
        return made

    def start(self, name, configuration=None, **more):
        return self.daemon(name, configuration, **more).start()

    def notary(self, configuration=None, **more):
        """A notary that is not started yet, with a key file of its own."""
        configuration = {
            "server_name": "notary.test",
            "keys": {"signing_file": str(self.directory / "notary.key")},
            **(configuration or {}),
        }
        return self.daemon("trinity-notary", configuration, **more)

    def identity(self, configuration=None, **more):
        """An identity service that is not started yet, with a key file of its own."""
        made = self.daemon("trinity-identity", {
            "server_name": "id.test",
            "public_base_url": "http://id.test",
            "keys": {"signing_file": str(self.directory / "identity.key")},
            **(configuration or {}),
        }, **more)
        return made

    def homeserver(self, configuration=None, **more):
        """A homeserver that is not started yet, with a key file of its own."""
        return self.daemon("trinity-homeserver", {
            "server_name": "hs.test",
            "public_base_url": "http://hs.test",
            "keys": {"signing_file": str(self.directory / "homeserver.key")},
            **(configuration or {}),
        }, **more)

    def end(self):
        """Stops all; the first complaint is raised once all are gone."""
        complaints = []
        for daemon in reversed(self.daemons):
            try:
                daemon.stop()
            except Stopped as complaint:
                complaints.append(complaint)
        if complaints:
            raise complaints[0]

    def logs(self):
        return [(daemon.directory.name, daemon.log_tail(200)) for daemon in self.daemons]
