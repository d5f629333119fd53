"""People whom an identity service knows without having proved anything, accounts that look them up,
and the requests of a look-up, for wrk and for http_probe."""

import base64
import contextlib
import hashlib
import json
import random
import subprocess

import identity_world
import measure
import metrics
import trinity

PEPPER = "known-to-all"
LOOKUP = identity_world.V2 + "/lookup"
HASHES = 100  # of one request
HIT_EVERY = 10  # one of so many hashes is somebody's
ACCOUNTS = 64  # more than one: an account may not miss as often as a benchmark does
REQUESTS = 512
A_MILLION = {"burst": 1000000, "per_day": 1000000}
LIMITS = {**identity_world.UNLIMITED, "lookup_misses": A_MILLION}

WRK = """local requests, at = {}, 0
local file = assert(io.open("%s", "rb"))
local length = file:read("*n")
while length do
	file:read(1)
	requests[#requests + 1] = file:read(length)
	length = file:read("*n")
end
file:close()
function request()
	at = at %% #requests + 1
	return requests[at]
end
"""


# ---- people


def address_of(number):
    """As identity_seed.c names them; numbers from the count on are nobody's."""
    return f"person.{number:07}@mail-{number % 100:02}.example.com"


def user_of(number):
    return f"@person.{number:07}:example.org"


def hash_of(number, pepper=PEPPER):
    text = f"{address_of(number)} email {pepper}"
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def seed(identity, count):
    """Seconds that it took. The service is not running."""
    store = identity.directory / "data" / "store"
    store.parent.mkdir(mode=0o700, exist_ok=True)
    command = [trinity.program("identity_seed"), store, count, PEPPER]
    done = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
    return float(dict(line.split() for line in done.stdout.splitlines())["seconds"])


def sydent_rows(count):
    for i in range(count):
        yield (i + 1, "email", address_of(i), user_of(i), 1700000000000, 1700000000000,
               4853600000000, "id.test", i + 1, "{}", hash_of(i))


def seed_sydent(server, count):
    """The same people with the same hashes, in the table that Sydent looks them up in."""
    with server.database() as database:
        database.execute("UPDATE hashing_metadata SET lookup_pepper = ?", (PEPPER,))
        database.executemany("INSERT INTO global_threepid_associations (id, medium, address, mxid,"
                             " ts, notBefore, notAfter, originServer, originId, sgAssoc,"
                             " lookup_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                             sydent_rows(count))


# ---- those who ask


class Service:
    """A running identity service that knows so many people, and tokens of accounts."""

    def __init__(self, bench, count, configuration):
        self.count = count
        self.world = identity_world.World(bench.path / "service", {
            "limits": LIMITS, **configuration})
        self.identity = self.world.identity.unchecked()
        if count:
            self.seconds = seed(self.identity, count)
        self.start()
        self.tokens = [self.world.sign_in(f"@asker{i}:hs.test").token for i in range(ACCOUNTS)]
        self.client = identity_world.Client(self.identity, self.tokens[0])

    def start(self):
        self.identity.start()
        measure.put_first(self.pid)

    @property
    def pid(self):
        return self.identity.process.pid

    def metric(self, name):
        """Of a metric without labels."""
        text = self.identity.admin.request("GET", "/metrics").body.decode()
        return metrics.parse_metrics(text)[name][None]


@contextlib.contextmanager
def service(bench, count, configuration=None):
    made = Service(bench, count, configuration or {})
    try:
        yield made
    finally:
        made.world.end()


# ---- requests


def post(token, target, body):
    """The bytes of a request."""
    text = json.dumps(body, separators=(",", ":"))
    return (f"POST {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}").encode()


def get(token, target):
    return (f"GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            "\r\n").encode()


def numbers(count, hashes=HASHES, hit_every=HIT_EVERY):
    """Of one look-up: one in so many is a person."""
    return [random.randrange(count) + (0 if i % hit_every == 0 else count) for i in range(hashes)]


def lookup(token, wanted, pepper=PEPPER):
    return post(token, LOOKUP, {"algorithm": "sha256", "pepper": pepper,
                                "addresses": [hash_of(number, pepper) for number in wanted]})


def lookups(made, pepper=PEPPER, count=REQUESTS):
    """Look-ups of 100 hashes, by all accounts in turn."""
    return [lookup(made.tokens[i % ACCOUNTS], numbers(made.count), pepper) for i in range(count)]


def write_requests(path, requests):
    """As http_probe reads them: it asks them in turn."""
    with open(path, "wb") as file:
        for request in requests:
            file.write(b"%d\n%b" % (len(request), request))
    return path


def wrk_script(path, requests):
    """wrk asks them in turn, too."""
    script = path.with_suffix(".lua")
    script.write_text(WRK % write_requests(path, requests))
    return script
