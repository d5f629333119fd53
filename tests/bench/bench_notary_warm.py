"""Questions that the notary has the answer of in memory: against a bare libmicrohttpd responder
with the same bytes and the same threads, and the processor time of a large one."""

import json
import statistics
import subprocess

import fakenet
import known_servers
import measure
import trinity
from known_servers import QUERY

THREADS = 1
SERVERS = 200 if measure.SHORT else 2000
POSTS = 5 if measure.SHORT else 40  # in a round


class Bare:
    """http_bare with one answer, plain or over TLS."""

    def __init__(self, body_path, tls=()):
        self.port = trinity.free_port()
        command = [trinity.program("http_bare"), self.port, THREADS, body_path, *tls]
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        assert self.process.stdout.readline().startswith(b"ready")
        measure.pin(self.process.pid)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def compare_gets(bench, notary, name, tls):
    body = bench.path / "body"
    target = f"{QUERY}/{name}"
    body.write_bytes(notary.get(target).body)
    for what, listener, more in (("plain", notary.plain, ()), ("TLS", notary.secure, tls)):
        bare = Bare(body, more)
        scheme = "https" if more else "http"
        ours = measure.Side(f"{scheme}://127.0.0.1:{listener.port}{target}", notary.process.pid)
        theirs = measure.Side(f"{scheme}://127.0.0.1:{bare.port}/", bare.process.pid)
        measure.heading(f"GET {QUERY}/SERVER, warm, {what}; {THREADS} I/O thread, "
                        f"{measure.CONNECTIONS} connections kept")
        measure.compare(ours, theirs, ("notary", "bare libmicrohttpd"), 0.8)
        bare.end()


def post_cost_ms(notary, body):
    connection = notary.plain.connection()
    before = notary.cpu_seconds()
    for _ in range(POSTS):
        connection.request("POST", QUERY, body, {"Content-Type": "application/json"})
        connection.getresponse().read()
    connection.close()
    return (notary.cpu_seconds() - before) / POSTS * 1000


def measure_posts(notary, names):
    body = json.dumps(known_servers.question(names)).encode()
    rounds = [post_cost_ms(notary, body) for _ in range(measure.ROUNDS)]
    measure.heading(f"POST {QUERY}, warm, {len(names)} servers, {POSTS} times; from /proc/PID/stat")
    measure.figure("processor time of a request", statistics.median(rounds), 15, " ms")


def main():
    with measure.Bench() as bench:
        authority = fakenet.Authority(bench.path / "authority")
        tls = authority.certificate(["127.0.0.1"])
        notary = bench.notary({"http": {"io_threads": THREADS}},
                              tls=(*tls, authority.file, "127.0.0.1")).start()
        names = known_servers.import_into(notary, SERVERS)
        known_servers.ask_all(notary, names)
        measure_posts(notary, names)
        measure.pin(notary.process.pid)
        compare_gets(bench, notary, names[0], tls)


main()
