"""An internet of our own on loopback: a DNS server, a certificate authority, and web servers that
behave well or badly.

    with FakeNet(directory) as net:
        host = net.host(names=["a.test"], handler=lambda request: answer({"hello": 1}))
        net.dns.set("a.test", "A", host.address)
        net.dns.set("_matrix-fed._tcp.a.test", "SRV", (10, 5, host.port, "a.test"))

Everything runs in one background thread. A handler is called there; it returns an Answer, or is a
coroutine that writes to the exchange by itself. It needs the standard library and openssl(1).
"""

import asyncio
import email.utils
import gzip
import inspect
import ipaddress
import json
import os
import pathlib
import random
import socket
import ssl
import struct
import threading
import time

from authority import Authority

# ---- DNS

TYPES = {"A": 1, "CNAME": 5, "AAAA": 28, "SRV": 33}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
RCODES = {"OK": 0, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}
CHAIN_MAX = 16


def _name_bytes(name):
    labels = [label for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode() for label in labels) + b"\0"


def _read_name(message, at):
    labels = []
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels), at + 1


def _record_bytes(name, kind, ttl, value):
    if kind in ("A", "AAAA"):
        data = ipaddress.ip_address(value).packed
    elif kind == "CNAME":
        data = _name_bytes(value)
    else:
        data = struct.pack(">HHH", *value[:3]) + _name_bytes(value[3])
    return _name_bytes(name) + struct.pack(">HHIH", TYPES[kind], 1, ttl, len(data)) + data


class Dns:
    """Answers as a recursive resolver does, over UDP and TCP. Names that it was told nothing of
    do not exist."""

    def __init__(self):
        self.records = {}  # (name, type) -> (ttl, [values])
        self.series = {}  # (name, type) -> [[values], ...]: one for each question, the last stays
        self.failures = {}  # name -> "SERVFAIL", "NXDOMAIN", "REFUSED" or "SILENT"
        self.queries = []  # (name, type)
        self.raw = {}  # (name, type) -> bytes behind the question, as the only answer
        self.address = None  # "127.0.0.1:port"

    def set(self, name, kind, *values, ttl=60):
        """Values: addresses, a name, or (priority, weight, port, target)."""
        self.records[name.lower(), kind] = (ttl, list(values))

    def set_series(self, name, kind, *answers, ttl=0):
        self.records[name.lower(), kind] = (ttl, [])
        self.series[name.lower(), kind] = [list(answer) for answer in answers]

    def fail(self, name, how):
        """how: see failures; None ends it."""
        if how is None:
            self.failures.pop(name.lower(), None)
        else:
            self.failures[name.lower()] = how

    def count(self, name, kind=None):
        name = name.lower()
        return sum(1 for n, k in self.queries if n == name and kind in (None, k))

    def _values(self, key):
        ttl, values = self.records.get(key, (0, []))
        series = self.series.get(key)
        if series:
            values = series.pop(0) if len(series) > 1 else series[0]
        return ttl, values

    def _exists(self, name):
        return any(n == name for n, _ in self.records) or any(n == name for n, _ in self.raw)

    def _find(self, name, kind):
        """(rcode, [(name, type, ttl, value)]): through aliases, as far as they go."""
        found = []
        for _ in range(CHAIN_MAX):
            how = self.failures.get(name)
            if how:
                return how, found
            if not self._exists(name):
                return "NXDOMAIN", found
            ttl, values = self._values((name, kind))
            found += [(name, kind, ttl, value) for value in values]
            ttl, aliases = self.records.get((name, "CNAME"), (0, []))
            if values or not aliases:
                return "OK", found
            found.append((name, "CNAME", ttl, aliases[0]))
            name = aliases[0].lower()
        return "OK", found

    def reply(self, message, limit):
        """The answer to one message, None for silence."""
        ident, flags, questions = struct.unpack(">HHH", message[:6])
        if questions != 1:
            return None
        name, at = _read_name(message, 12)
        kind = TYPE_NAMES.get(struct.unpack(">H", message[at : at + 2])[0], "?")
        question = message[12 : at + 4]
        self.queries.append((name.lower(), kind))
        raw = self.raw.get((name.lower(), kind))
        if raw is not None:
            return struct.pack(">HHHHHH", ident, 0x8180, 1, 1, 0, 0) + question + raw
        how, found = self._find(name.lower(), kind)
        if how == "SILENT":
            return None
        flags = 0x8180 | RCODES[how] | (flags & 0x0100)
        body = b"".join(_record_bytes(*record) for record in found)
        count = len(found)
        if 12 + len(question) + len(body) > limit:
            flags, body, count = flags | 0x0200, b"", 0
        return struct.pack(">HHHHHH", ident, flags, 1, count, 0, 0) + question + body

    # asyncio's datagram protocol

    def connection_made(self, transport):
        self._transport = transport

    def connection_lost(self, error):
        pass

    def error_received(self, error):
        pass

    def datagram_received(self, data, address):
        answer = self.reply(data, 1232)
        if answer:
            self._transport.sendto(answer, address)

    async def _stream(self, reader, writer):
        try:
            while True:
                (length,) = struct.unpack(">H", await reader.readexactly(2))
                answer = self.reply(await reader.readexactly(length), 65535)
                if answer:
                    writer.write(struct.pack(">H", len(answer)) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


# ---- web servers


class Answer:
    def __init__(self, status=200, body=b"", headers=None):
        self.status, self.body, self.headers = status, body, dict(headers or {})

    def bytes(self, head=False):
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} X", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        return "\r\n".join(lines).encode() + (b"" if head else self.body)


def answer(content, status=200, headers=None):
    """bytes and text as they are, everything else as JSON."""
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes):
        headers = {"Content-Type": "application/json", **(headers or {})}
        content = json.dumps(content).encode()
    return Answer(status, content, headers)


def redirect(url, status=302):
    return Answer(status, b"", {"Location": url})


def not_found(_request=None):
    return answer({"errcode": "M_UNRECOGNIZED", "error": "No"}, 404)


class Exchange:
    """A request, and the connection for handlers that answer by themselves."""

    def __init__(self, method, target, headers, body, reader, writer):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.reader, self.writer = reader, writer
        self.peer = writer.get_extra_info("peername")
        tls = writer.get_extra_info("ssl_object")
        self.sni = getattr(tls, "asked_name", None)
        self.time = time.monotonic()

    @property
    def host(self):
        return self.headers.get("host")

    async def send(self, data):
        if self.writer.is_closing():
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()
        await asyncio.sleep(0)  # drain() may not yield, and then a lost connection is not seen

    def reset(self):
        """Ends the connection without a goodbye."""
        wire = self.writer.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


# Behaviours: handlers, or what makes one.


async def hang(exchange):
    """Reads the request and says nothing, until the other side gives up."""
    await exchange.reader.read()


async def reset(exchange):
    exchange.reset()


def drip(interval=0.2, head=b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n"):
    """One byte at a time, without end."""

    async def handler(exchange):
        await exchange.send(head)
        while not exchange.writer.is_closing():
            await exchange.send(b"x")
            await asyncio.sleep(interval)

    return handler


def endless(chunked=True, line=b"y" * 16384):
    """A body that never ends, in chunks or until the connection closes; as fast as it goes."""

    async def handler(exchange):
        how = b"Transfer-Encoding: chunked\r\n" if chunked else b""
        await exchange.send(b"HTTP/1.1 200 X\r\n" + how + b"\r\n")
        while not exchange.writer.is_closing():
            await exchange.send(b"%x\r\n%s\r\n" % (len(line), line) if chunked else line)

    return handler


async def endless_headers(exchange):
    await exchange.send(b"HTTP/1.1 200 X\r\n")
    while not exchange.writer.is_closing():
        await exchange.send(b"X-More: " + b"z" * 1000 + b"\r\n")


def gzip_bomb(size=256 << 20, transfer=False):
    """A small body that unpacks to size zeros; transfer: as a transfer encoding."""
    packed = gzip.compress(bytes(size), 6)
    head = (b"Transfer-Encoding: gzip, chunked\r\n" if transfer else
            b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(packed))

    async def handler(exchange):
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed) if transfer else packed
        await exchange.send(b"HTTP/1.1 200 X\r\n" + head + b"\r\n" + body)

    return handler


def raw(data, close=True):
    async def handler(exchange):
        await exchange.send(data)
        if close:
            exchange.writer.close()

    return handler


class Host:
    """A listener, with what came in. The handler may be changed at any time; paths come first."""

    def __init__(self, address, names, handler):
        self.address, self.names, self.handler = address, list(names), handler
        self.port = None
        self.paths = {}  # path without query -> handler
        self.requests = []  # Exchanges
        self.connections = 0  # made, handshake included
        self.open = self.open_max = 0
        self._server = None
        self._writers = set()

    @property
    def name(self):
        """A server name with the port, for the first of its names."""
        return f"{self.names[0] if self.names else self.address}:{self.port}"

    def at(self, path, handler):
        self.paths[path] = handler
        return self

    def well_known(self, server, headers=None):
        return self.at("/.well-known/matrix/server",
                       lambda _: answer({"m.server": server}, headers=headers))

    def targets(self):
        return [request.target for request in self.requests]

    async def _serve(self, reader, writer):
        self.connections += 1
        self.open += 1
        self.open_max = max(self.open_max, self.open)
        self._writers.add(writer)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError,
                ssl.SSLError, TimeoutError, asyncio.CancelledError):
            pass  # cancelled: the test is over
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.close()

    async def _exchange(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head.split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = {}
        for text in filter(None, lines):
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        exchange = Exchange(method, target, headers, body, reader, writer)
        self.requests.append(exchange)
        handler = self.paths.get(target.partition("?")[0], self.handler)
        result = handler(exchange)
        if inspect.isawaitable(result):
            result = await result
        if result is None:
            return False
        await exchange.send(result.bytes(method == "HEAD"))
        return not writer.is_closing() and result.headers.get("Connection") != "close"


def _remember_sni(tls, name, _context):
    tls.asked_name = name


class FakeNet:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.authority = Authority(self.directory)
        self.ca_file = self.authority.file
        self.dns = Dns()
        self.hosts = []
        # Other tests of the machine may want the same well-known ports at the same time.
        self._last_address = int(ipaddress.ip_address("127.0.0.0")) + random.randrange(1, 1 << 14) * 1024
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._closing = []

    def __enter__(self):
        self._thread.start()
        self._run(self._start_dns())
        return self

    def __exit__(self, *_):
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def yield_processors(self):
        """Those who answer are other machines: what is measured here comes first."""
        os.setpriority(os.PRIO_PROCESS, self._thread.native_id, 19)

    def _run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _start_dns(self):
        for _ in range(20):
            transport, _ = await self._loop.create_datagram_endpoint(
                lambda: self.dns, local_addr=("127.0.0.1", 0))
            port = transport.get_extra_info("sockname")[1]
            try:
                server = await asyncio.start_server(self.dns._stream, "127.0.0.1", port)
            except OSError:  # somebody has the TCP port
                transport.close()
                continue
            self._closing += [transport, server]
            self.dns.address = f"127.0.0.1:{port}"
            return
        raise RuntimeError("no port for DNS")

    async def _stop(self):
        for each in [*self._closing, *(host._server for host in self.hosts)]:
            each.close()
        for host in self.hosts:
            for writer in list(host._writers):
                writer.transport.abort()
        tasks = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def address(self):
        """A loopback address that nobody uses yet."""
        self._last_address += 1
        return str(ipaddress.ip_address(self._last_address))

    def certificate_of(self, names, authority=None, **more):
        """A TLS context that shows a certificate for the names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # it shows weak ones too
        context.load_cert_chain(*(authority or self.authority).certificate(names, **more))
        context.sni_callback = _remember_sni
        return context

    def host(self, names=(), address=None, port=0, handler=not_found, tls=None, plain=False):
        """A web server. Its certificate is for the names and the address, unless tls is another
        context; plain: without TLS. What is not given is chosen."""
        made = Host(address or self.address(), names, handler)
        if not plain and tls is None:
            tls = self.certificate_of([*names, made.address])
        made._server = self._run(asyncio.start_server(
            made._serve, made.address, port, ssl=None if plain else tls, backlog=1024))
        made.port = made._server.sockets[0].getsockname()[1]
        self.hosts.append(made)
        return made

    def silent(self, address=None, port=0, greeting=b""):
        """Accepts connections, says the greeting, and then never a word, not even a handshake."""

        made = Host(address or self.address(), (), None)

        async def serve(reader, writer):
            made.connections += 1
            made.open += 1
            made.open_max = max(made.open_max, made.open)
            made._writers.add(writer)
            writer.write(greeting)
            try:
                while await reader.read(65536):
                    pass
            except ConnectionError:
                pass
            finally:
                made.open -= 1
                made._writers.discard(writer)
                writer.close()

        made._server = self._run(asyncio.start_server(serve, made.address, port, backlog=1024))
        made.port = made._server.sockets[0].getsockname()[1]
        self.hosts.append(made)
        return made

    def matrix_host(self, name, **more):
        """A host with the name in DNS, found by its port: `made.name`."""
        made = self.host(names=[name], **more)
        self.dns.set(name, "AAAA" if ":" in made.address else "A", made.address)
        return made


def http_date(seconds_from_now):
    return email.utils.formatdate(time.time() + seconds_from_now, usegmt=True)
