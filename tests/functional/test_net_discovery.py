"""From server names to servers: each step of the specification's "Resolving server names"."""

import asyncio
import time

import fakenet
import pytest
import trinity
from fakenet import FakeNet, answer, http_date, redirect
from net_client import NetClient

FEDERATION = 8448


class World(FakeNet):
    """Web servers for well-known answers listen on one port here, which stands for 443."""

    def __init__(self, directory):
        super().__init__(directory)
        self.web_port = trinity.free_port()
        self.addresses = {}

    def address_of(self, name):
        """The address that the name resolves to."""
        if name not in self.addresses:
            self.addresses[name] = self.address()
            self.dns.set(name, "A", self.addresses[name])
        return self.addresses[name]

    def web(self, name, well_known=None, headers=None):
        """The web server of a name: with a handler, or an m.server to delegate to."""
        host = self.host(names=[name], address=self.address_of(name), port=self.web_port)
        if callable(well_known):
            host.at("/.well-known/matrix/server", well_known)
        elif well_known is not None:
            host.well_known(well_known, headers)
        return host

    def federation(self, name, port=FEDERATION, shows=None, address=None):
        """A Matrix server that shows a certificate for the name, or for another."""
        return self.host(names=[name], address=address or self.address_of(name), port=port,
                         tls=self.certificate_of([shows or name]), handler=hello)

    def srv(self, service, name, *records):
        self.dns.set(f"_{service}._tcp.{name}", "SRV", *records)

    def client(self, **options):
        return NetClient(self, wellknown_port=self.web_port, **options)


@pytest.fixture
def net(tmp_path):
    with World(tmp_path / "net") as made:
        yield made


@pytest.fixture
def client(net):
    with net.client() as made:
        yield made


def hello(request):
    return answer(f"{request.host} {request.sni}")


def found(reply, host, header, sni):
    """The request reached this host, with this Host header and SNI."""
    return (reply["rc"], reply["body"], reply["address"]) == ("OK", f"{header} {sni}", host.address)


def web_requests(net, name):
    return sum(len(h.requests) for h in net.hosts if h.port == net.web_port and name in h.names)


# ---- 1 and 2: addresses and ports


def test_an_address_without_a_port_is_asked_at_8448(net, client):
    host = net.host(port=FEDERATION, handler=hello)
    assert found(client.server(host.address), host, host.address, None)


def test_an_explicit_port_skips_well_known_and_srv(net, client):
    host = net.federation("a.test", port=trinity.free_port())
    net.web("a.test", "b.test")
    net.srv("matrix-fed", "a.test", (1, 1, 9999, "b.test"))
    assert found(client.server(host.name), host, host.name, "a.test")
    assert {kind for _, kind in net.dns.queries} == {"A", "AAAA"}
    assert web_requests(net, "a.test") == 0


# ---- 3: well-known


def test_delegation_to_a_name_with_a_port(net, client):
    host = net.federation("b.test", port=trinity.free_port())
    net.web("a.test", host.name)
    assert found(client.server("a.test"), host, host.name, "b.test")
    assert not any(kind == "SRV" for _, kind in net.dns.queries)


def test_delegation_to_an_address(net, client):
    host = net.host(port=FEDERATION, handler=hello)
    net.web("a.test", host.address)
    assert found(client.server("a.test"), host, host.address, None)


def test_delegation_to_an_address_with_a_port(net, client):
    host = net.host(handler=hello)
    name = f"{host.address}:{host.port}"
    net.web("a.test", name)
    assert found(client.server("a.test"), host, name, None)


def test_delegation_to_a_name_looks_for_its_srv_record(net, client):
    host = net.federation("b.test", port=trinity.free_port(), address=net.address_of("node.test"))
    net.web("a.test", "b.test")
    net.srv("matrix-fed", "b.test", (1, 1, host.port, "node.test"))
    assert found(client.server("a.test"), host, "b.test", "b.test")


def test_delegation_to_a_name_without_srv_goes_to_8448(net, client):
    host = net.federation("b.test")
    net.web("a.test", "b.test")
    assert found(client.server("a.test"), host, "b.test", "b.test")


def test_the_delegated_name_must_be_in_the_certificate(net, client):
    host = net.federation("b.test", shows="a.test")
    net.web("a.test", "b.test")
    assert client.server("a.test")["error"].startswith("TLS")
    assert host.requests == []


def test_there_is_no_second_well_known(net, client):
    host = net.federation("b.test")
    net.web("a.test", "b.test")
    net.web("b.test", "c.test")
    assert found(client.server("a.test"), host, "b.test", "b.test")
    assert web_requests(net, "b.test") == 0


def test_well_known_redirects_are_followed(net, client):
    host = net.federation("b.test")
    other = net.web("other.test", "b.test")
    net.web("a.test", lambda _: redirect(f"https://other.test:{other.port}/.well-known/matrix/server"))
    assert found(client.server("a.test"), host, "b.test", "b.test")


def test_the_type_of_a_well_known_answer_does_not_matter(net, client):
    host = net.federation("b.test")
    net.web("a.test", lambda _: answer('{"m.server":"b.test","x":[1.5e3]}', 200,
                                       {"Content-Type": "text/plain"}))
    assert found(client.server("a.test"), host, "b.test", "b.test")


def chain(number):
    """A redirect number long, then a valid answer."""
    def handler(request):
        left = int(request.target.partition("?")[2] or number)
        if left == 0:
            return answer({"m.server": "b.test"})
        return redirect(f"/.well-known/matrix/server?{left - 1}")
    return handler


def body(content, status=200):
    return lambda _: answer(content, status)


UNUSABLE = {
    "number": body({"m.server": 5}), "empty": body(b""), "object": body({}),
    "404": body({"m.server": "b.test"}, 404), "500": body({"m.server": "b.test"}, 500),
    "204": body(b"", 204), "html": body("<html>"), "array": body(["b.test"]),
    "51 KiB": body({"m.server": "b.test", "x": "x" * (51 << 10)}),
    "1 MiB": body({"m.server": "b.test", "x": "x" * (1 << 20)}),
    "twice": body('{"m.server":"b.test","m.server":"b.test"}'),
    "deep": body('{"m.server":"b.test","x":' + "[" * 99 + "]" * 99 + "}"),
    "port 0": body({"m.server": "b.test:0"}), "port 99999": body({"m.server": "b.test:99999"}),
    "zone": body({"m.server": "[fe80::1%lo]"}), "path": body({"m.server": "b.test/x"}),
    "user": body({"m.server": "x@b.test"}), "nothing": body({"m.server": ""}),
    "nul": body('{"m.server":"b.test\\u0000x"}'), "null": body({"m.server": None}),
    "circle": lambda r: redirect(r.target), "6 redirects": chain(6),
    "to http": lambda _: redirect("http://a.test/"), "trailing": body('{"m.server":"b.test"}x'),
    "gzip bomb": fakenet.gzip_bomb(1 << 20), "reset": fakenet.reset,
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_well_known_leads_to_the_name_itself(net, client, case):
    host = net.federation("a.test")
    other = net.federation("b.test")
    net.web("a.test", UNUSABLE[case])
    assert found(client.server("a.test"), host, "a.test", "a.test")
    assert other.connections == 0


def test_five_redirects_are_followed(net, client):
    host = net.federation("b.test")
    net.web("a.test", chain(5))
    assert found(client.server("a.test"), host, "b.test", "b.test")


def test_a_well_known_server_with_a_wrong_certificate_is_not_believed(net, client):
    host = net.federation("a.test")
    web = net.host(address=net.address_of("a.test"), port=net.web_port,
                   tls=net.certificate_of(["x.test"])).well_known("b.test")
    assert found(client.server("a.test"), host, "a.test", "a.test")
    assert web.requests == []


@pytest.mark.parametrize("server", ["127.0.0.1:22", "b.test:22", "b.test:80", "127.0.0.1:1"])
def test_delegation_to_a_low_port_is_refused(net, client, server):
    net.web("a.test", server)
    net.address_of("b.test")
    assert client.server("a.test")["rc"] == "ADDRESS_REFUSED"


@pytest.mark.parametrize("server", ["10.0.0.1", "[fd00::1]:8448", "inside.test", "inside.test:8448"])
def test_delegation_to_a_private_address_is_refused(net, client, server):
    net.dns.set("inside.test", "A", "10.0.0.1")
    net.web("a.test", server)
    assert client.server("a.test")["rc"] == "ADDRESS_REFUSED"


def test_a_silent_web_server_leaves_time_for_the_rest(net, client):
    host = net.federation("a.test")
    net.silent(address=net.address_of("a.test"), port=net.web_port)
    reply = client.server("a.test")
    assert found(reply, host, "a.test", "a.test") and reply["took_ms"] < 6000


# ---- 4, 5 and 3.3, 3.4: SRV


def test_the_registered_service_comes_first(net, client):
    host = net.federation("a.test", port=trinity.free_port())
    net.srv("matrix-fed", "a.test", (9, 0, host.port, "a.test"))
    net.srv("matrix", "a.test", (1, 0, 9999, "b.test"))
    assert found(client.server("a.test"), host, "a.test", "a.test")
    assert net.dns.count("_matrix._tcp.a.test") == 0


def test_the_deprecated_service_still_works(net, client):
    host = net.federation("a.test", port=trinity.free_port(), address=net.address_of("node.test"))
    net.srv("matrix", "a.test", (1, 0, host.port, "node.test"))
    assert found(client.server("a.test"), host, "a.test", "a.test")


@pytest.mark.parametrize("service", ["matrix-fed", "matrix"])
def test_the_certificate_of_an_srv_target_is_refused(net, client, service):
    host = net.federation("node.test", port=trinity.free_port())
    net.srv(service, "a.test", (1, 0, host.port, "node.test"))
    reply = client.server("a.test")
    assert reply["rc"] == "REMOTE_FAILED" and reply["error"].startswith("TLS")
    assert host.requests == []


def test_a_target_that_is_the_root_means_no_server(net, client):
    host = net.federation("a.test")
    net.srv("matrix-fed", "a.test", (0, 0, 0, "."))
    reply = client.server("a.test")
    assert reply["rc"] == "REMOTE_FAILED" and "no server" in reply["error"]
    assert host.connections == 0


def test_lower_priorities_come_first(net, client):
    first = net.federation("a.test", port=trinity.free_port(), address=net.address_of("n1.test"))
    later = net.federation("a.test", port=trinity.free_port(), address=net.address_of("n2.test"))
    net.srv("matrix-fed", "a.test", (20, 100, later.port, "n2.test"), (10, 0, first.port, "n1.test"))
    for _ in range(5):
        assert found(client.server("a.test"), first, "a.test", "a.test")


def test_the_next_target_is_tried_when_one_does_not_answer(net, client):
    net.address_of("gone.test")
    host = net.federation("a.test", port=trinity.free_port(), address=net.address_of("n2.test"))
    net.srv("matrix-fed", "a.test", (1, 0, 9999, "gone.test"), (2, 0, 9999, "nowhere.test"),
            (3, 0, host.port, "n2.test"))
    assert found(client.server("a.test"), host, "a.test", "a.test")


def test_weights_share_the_requests(net, client):
    hosts = [net.federation("a.test", port=trinity.free_port(), address=net.address_of(f"n{n}.test"))
             for n in range(2)]
    net.srv("matrix-fed", "a.test", *[(1, 10, h.port, f"n{n}.test") for n, h in enumerate(hosts)])
    for _ in range(40):
        assert client.server("a.test")["rc"] == "OK"
    assert all(host.requests for host in hosts)  # the odds against: 1 in 2^39


def test_a_target_with_a_private_address_is_refused(net, client):
    net.dns.set("inside.test", "A", "10.0.0.1")
    net.srv("matrix-fed", "a.test", (1, 0, 8448, "inside.test"))
    assert client.server("a.test")["rc"] == "ADDRESS_REFUSED"


def test_a_target_with_a_low_port_is_refused(net, client):
    net.srv("matrix-fed", "a.test", (1, 0, 22, "node.test"))
    net.address_of("node.test")
    assert client.server("a.test")["rc"] == "ADDRESS_REFUSED"


def test_a_thousand_records_are_bounded(net, client):
    net.srv("matrix-fed", "a.test", *[(n, 0, 9000 + n % 99, f"n{n}.test") for n in range(1000)])
    reply = client.server("a.test")
    assert reply["rc"] == "REMOTE_FAILED"
    assert len({name for name, _ in net.dns.queries if name.startswith("n")}) <= 4


def test_malformed_srv_answers_are_no_records(net, client):
    host = net.federation("a.test")
    for number, data in enumerate([b"", b"\0", b"\xc0\xff", b"\xc0\x0c\0\x21\0\1\0\0\0\1\0\x07\0\0\0"]):
        net.dns.raw["_matrix-fed._tcp.a.test", "SRV"] = data
        assert client.server("a.test")["rc"] == "OK", number
    assert host.requests


# ---- addresses


def test_alias_chains_are_followed(net, client):
    host = net.federation("a.test", address=net.address_of("end.test"))
    for number in range(5):
        following = f"c{number + 1}.test" if number < 4 else "end.test"
        net.dns.set(f"c{number}.test", "CNAME", following)
    net.dns.set("a.test", "CNAME", "c0.test")
    assert found(client.server("a.test"), host, "a.test", "a.test")


def test_alias_loops_end(net, client):
    net.dns.set("a.test", "CNAME", "b.test")
    net.dns.set("b.test", "CNAME", "a.test")
    reply = client.server("a.test")
    assert reply["rc"] == "REMOTE_FAILED" and reply["error"].startswith("DNS")


def test_a_thousand_addresses_are_bounded(net, client):
    net.dns.set("a.test", "A", *[f"127.0.{n // 250}.{n % 250 + 2}" for n in range(1000)])
    reply = client.server("a.test:9999", total_ms=4000)
    assert reply["rc"] == "REMOTE_FAILED" and reply["error"].startswith("connect")


def test_names_keep_their_case(net, client):
    host = net.federation("Example.test")
    reply = client.server("Example.test")
    assert reply["body"].startswith("Example.test ")
    client.server("example.test")
    assert [r.host for r in host.requests] == ["Example.test", "example.test"]


# ---- caches


def test_a_lookup_is_shared_and_remembered(net, client):
    net.federation("a.test")
    waiting = [client.start(server="a.test", target="/") for _ in range(50)]
    assert {reply()["rc"] for reply in waiting} == {"OK"}
    assert net.dns.count("a.test", "A") == 1
    assert net.dns.count("_matrix-fed._tcp.a.test") == 1


def test_lifetimes_of_records_are_kept(net, client):
    net.federation("a.test")
    net.dns.set("a.test", "A", net.addresses["a.test"], ttl=4)
    for _ in range(3):
        assert client.server("a.test")["rc"] == "OK"
    assert net.dns.count("a.test", "A") == 1
    time.sleep(4.1)
    client.server("a.test")
    assert net.dns.count("a.test", "A") == 2


def test_an_old_answer_helps_while_dns_fails(net, client):
    host = net.federation("a.test", port=trinity.free_port())
    net.dns.set("a.test", "A", net.addresses["a.test"], ttl=0)
    net.dns.records["_matrix-fed._tcp.a.test", "SRV"] = (0, [(1, 1, host.port, "a.test")])
    assert client.server("a.test")["rc"] == "OK"
    for name in ("a.test", "_matrix-fed._tcp.a.test"):
        net.dns.fail(name, "SERVFAIL")
    time.sleep(1.1)
    assert found(client.server("a.test"), host, "a.test", "a.test")
    assert net.dns.count("a.test", "A") >= 2


def test_a_well_known_answer_is_fetched_once_for_all(net, client):
    net.federation("b.test")
    net.web("a.test", "b.test", {"Cache-Control": "max-age=0"})
    waiting = [client.start(server="a.test", target="/") for _ in range(50)]
    assert {reply()["rc"] for reply in waiting} == {"OK"}
    time.sleep(0.3)
    client.server("a.test")
    assert web_requests(net, "a.test") == 1  # five minutes are the least


def test_failures_of_well_known_are_remembered(net, client):
    net.federation("a.test")
    net.web("a.test", body("", 404))
    for _ in range(3):
        assert client.server("a.test")["rc"] == "OK"
    assert web_requests(net, "a.test") == 1


@pytest.mark.parametrize("headers,fetches", [
    ({"Cache-Control": "max-age=0"}, 2),
    ({"Cache-Control": "no-store, max-age=999"}, 2),
    ({"Expires": "0"}, 2),
    ({"Expires": http_date(3600)}, 1),
    ({"Cache-Control": "public, MAX-AGE=3600"}, 1),
    ({"Cache-Control": "max-age=3600", "Age": "3600"}, 2),
    ({}, 1),
], ids=range(7))
def test_caching_headers_are_respected_within_bounds(net, headers, fetches):
    net.federation("b.test")
    net.web("a.test", "b.test", headers)
    with net.client(wellknown_min=300) as client:
        client.server("a.test")
        time.sleep(0.5)
        client.server("a.test")
    assert web_requests(net, "a.test") == fetches


def test_the_longest_time_bounds_what_headers_ask(net):
    net.federation("b.test")
    net.web("a.test", "b.test", {"Cache-Control": "max-age=99999999999999999999"})
    with net.client(wellknown_min=100, wellknown_max=400) as client:
        client.server("a.test")
        time.sleep(0.6)
        client.server("a.test")
    assert web_requests(net, "a.test") == 2


@pytest.mark.parametrize("failure", [body("", 500), fakenet.reset, body("", 429)],
                         ids=["500", "reset", "429"])
def test_an_old_delegation_survives_a_passing_failure(net, failure):
    host = net.federation("b.test")
    web = net.web("a.test", "b.test")
    with net.client(wellknown_min=200, wellknown_max=200) as client:
        assert found(client.server("a.test"), host, "b.test", "b.test")
        web.at("/.well-known/matrix/server", failure)
        time.sleep(0.3)
        assert found(client.server("a.test"), host, "b.test", "b.test")
    assert len(web.requests) >= 2


def test_a_delegation_that_is_taken_back_ends(net):
    net.federation("b.test")
    own = net.federation("a.test")
    web = net.web("a.test", "b.test")
    with net.client(wellknown_min=200, wellknown_max=200) as client:
        assert client.server("a.test")["body"].startswith("b.test ")
        web.at("/.well-known/matrix/server", fakenet.not_found)
        time.sleep(0.3)
        assert found(client.server("a.test"), own, "a.test", "a.test")


def test_a_delegation_is_refreshed_before_it_ends(net):
    asked = []

    async def slow_after_the_first(_):
        asked.append(True)
        if len(asked) > 1:
            await asyncio.sleep(10)
        return answer({"m.server": "b.test"})

    net.federation("b.test")
    net.web("a.test", slow_after_the_first)
    with net.client(wellknown_min=4000, wellknown_max=4000) as client:
        client.server("a.test")
        while len(asked) < 2:
            assert client.server("a.test")["took_ms"] < 8000  # nobody waits for it
            time.sleep(0.05)


# ---- the trace


def test_the_trace_tells_every_step(net, client):
    host = net.federation("b.test", port=trinity.free_port(), address=net.address_of("node.test"))
    net.web("a.test", "b.test")
    net.srv("matrix", "b.test", (1, 2, host.port, "node.test"))
    trace = client.trace("a.test")
    assert [step["what"] for step in trace["steps"]] == ["well-known", "srv", "srv", "addresses"]
    assert trace["steps"][0]["result"] == "delegates to b.test"
    assert trace["steps"][2]["result"] == f"_matrix._tcp.b.test: 1 2 {host.port} node.test."
    assert (trace["host"], trace["port"], trace["tls_name"], trace["addresses"]) == (
        "b.test", host.port, "b.test", [host.address])
    assert host.connections == 0


def test_the_trace_of_a_failure_says_why(net, client):
    trace = client.trace("nowhere.test")
    assert "DNS" in trace["error"]
    assert [step["what"] for step in trace["steps"]] == ["well-known", "srv", "srv", "addresses"]
    assert client.trace("..")["error"] == "Not a server name"
    net.dns.set("inside.test", "A", "10.0.0.1")
    assert "may not be contacted" in client.trace("inside.test:8448")["error"]
