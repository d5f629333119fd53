"""http_echo, a server with routes of every kind, and raw bytes to and from it."""

import json
import re
import socket
import ssl
import subprocess
import time

from trinity import SANITIZER, program

ALL = 1000  # answers: until the connection ends
PATIENCE = 10  # seconds without a byte; only what must stay silent waits so long, and says less
HOST = "Host: here"
LIBRARY = "the library's own body"
STRICT_LIBRARY = (1, 0, 0)  # refuses by itself much of what our gates refuse with the old one
HARDENING = {"x-content-type-options": "nosniff", "content-type": "application/json"}


class Echo:
    def __init__(self, directory, *options):
        self.log = open(directory / "http_echo.log", "w+")
        self.process = subprocess.Popen(
            [program("http_echo"), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True)
        ready = self.process.stdout.readline().split()
        assert ready and ready[0] == "ready", self.text()
        self.port, self.tls_port = int(ready[1]), int(ready[2])
        self.library = tuple(int(part) for part in ready[3].split(".")[:3])

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def connect(self, tls=False, source=None):
        sock = socket.create_connection(
            ("127.0.0.1", self.tls_port if tls else self.port), timeout=10,
            source_address=(source, 0) if source else None)
        if not tls:
            return sock
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(sock, server_hostname="localhost")

    def send(self, data, want=1, tls=False):
        """The answers, until there are as many as wanted or the connection ends, and whether it
        ended."""
        with self.connect(tls) as sock:
            return talk(sock, data, want)

    def get(self, path, **headers):
        return self.send(request("GET", path, **headers))[0][0]

    def alive(self):
        assert self.process.poll() is None, self.text()
        assert self.get("/io/hello").status == 200

    def stop(self):
        self.process.stdin.close()
        code = self.process.wait(60)
        text = self.text()
        self.log.close()
        assert code == 0 and not SANITIZER.search(text), text


class Answer:
    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def is_json(self):
        return self.headers.get("content-type") == "application/json"


def take_answer(data):
    """(answer, rest) or (None, data) while it is incomplete."""
    head, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None, data
    answer = Answer(head, b"")
    if answer.status == 100:
        return answer, rest
    length = int(answer.headers.get("content-length", 0))
    if len(rest) < length:
        return None, data
    answer.body = rest[:length]
    return answer, rest[length:]


def talk(sock, data, want=1, patience=PATIENCE):
    """Sends and collects. The library may close first: what it said before still counts."""
    try:
        sock.sendall(data)
    except OSError:
        pass
    return listen(sock, want, patience)


def listen(sock, want=1, patience=PATIENCE):
    answers, received, closed = [], b"", False
    sock.settimeout(patience)
    while not closed and len(answers) < want:
        try:
            piece = sock.recv(65536)
        except TimeoutError:
            break
        except OSError:
            piece = b""
        closed = not piece
        received += piece
        while True:
            answer, received = take_answer(received)
            if not answer:
                break
            answers.append(answer)
    return answers, closed


def request(method, path, body=None, version="HTTP/1.1", **headers):
    lines = [f"{method} {path} {version}", "Host: here"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("utf-8") + (body or b"")


def raw(*lines, body=b""):
    """Lines of a head, joined and ended as they should be."""
    return b"\r\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + \
        b"\r\n\r\n" + body


def metric(echo, name):
    page = echo.get("/metrics").body.decode()
    return float(re.search(rf"^echo_{name}(?:{{[^}}]*}})? (\S+)$", page, re.M).group(1))


def seconds_until_closed(sock, drip=b"", every=0.1, limit=8):
    """Feeds the connection byte by byte until the server ends it."""
    begun = time.monotonic()
    sock.settimeout(every)
    while time.monotonic() - begun < limit:
        try:
            if drip:
                sock.send(drip[:1])
                drip = drip[1:] + drip[:1]
            if not sock.recv(4096):
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - begun


def check_error(answer, status, errcode):
    assert answer.status == status, answer.body
    if errcode == LIBRARY:
        return
    assert answer.is_json, answer.headers
    assert answer.json["errcode"] == errcode and answer.json["error"]
    assert answer.headers.items() >= HARDENING.items()
