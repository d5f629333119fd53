"""What the notary does on other people's networks: where it goes, whom it believes there, and what
it puts up with."""

import socket
import time

import pytest

import fakenet
import origins as faults
from fakenet import answer, redirect
from notary_world import ALL, QUERY

CONFIGURATION = {"query": {"deadline_ms": 3000}, "fetch": {"total_ms": 2500, "connect_ms": 1500}}
WELL_KNOWN = "/.well-known/matrix/server"
HTTPS = 443


def names_of(entries):
    return [entry["server_name"] for entry in entries]


# ---- answers


def from_fakenet(behaviour):
    """One of fakenet's behaviours as an origin's fault."""
    return lambda _origin, exchange: behaviour(exchange)


BEHAVIOURS = {
    "large": faults.huge(70 * 1024),
    "bomb": from_fakenet(fakenet.gzip_bomb(64 << 20)),
    "transfer-bomb": from_fakenet(fakenet.gzip_bomb(64 << 20, transfer=True)),
    "endless": from_fakenet(fakenet.endless()),
    "unchunked": from_fakenet(fakenet.endless(chunked=False)),
    "headers": from_fakenet(fakenet.endless_headers),
    "drip": faults.slow_drip(0.5),
    "html": faults.answers(200, b"<html><body>It works!</body></html>"),
    "hangs": faults.hang,
    "resets": faults.closes,
    "empty": faults.answers(200, b""),
    "no-http": from_fakenet(fakenet.raw(b"SSH-2.0-OpenSSH\r\n")),
}


def test_no_answer_takes_more_than_its_time_and_memory(world):
    for name, fault in BEHAVIOURS.items():
        world.origins.add(f"{name}.test").fault = fault
    world.origins.add("good.test")
    before = world.notary.resident_kb()
    begin = time.monotonic()
    found = world.post({f"{name}.test": ALL for name in [*BEHAVIOURS, "good"]})
    assert names_of(found) == ["good.test"]
    assert time.monotonic() - begin < 8
    assert world.notary.resident_kb() - before < 40 * 1024  # with the sanitizer's share


def test_an_answer_of_just_the_limit_is_taken(world):
    world.origins.add("limit.test").fault = faults.huge(64 * 1024)
    assert names_of(world.ask("limit.test")) == ["limit.test"]


def test_a_redirect_of_the_key_request_is_not_followed(world):
    a, b = world.origins.add("redirects.test"), world.origins.add("target.test")
    for status in (301, 302, 303, 307, 308):
        a.fault = faults.redirects(f"https://target.test:8448{faults.KEYS_PATH}", status)
        world.refetch("redirects.test")
        assert world.ask("redirects.test") == []
    assert b.requests == []


# ---- discovery


def may_bind_https():
    try:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.9.9.9", HTTPS))
    except PermissionError:
        return False
    return True


needs_https = pytest.mark.skipif(not may_bind_https(), reason="port 443 needs a privilege here")


def web(world, name, well_known):
    """The web server of a name: an m.server, or a handler."""
    host = world.net.host(names=[name], port=HTTPS)
    world.net.dns.set(name, "A", host.address)
    if callable(well_known):
        return host.at(WELL_KNOWN, well_known)
    return host.well_known(well_known)


def delegate(world, name, port=0):
    """A server that is called `name` and reached as b.NAME with a port; the host that answers."""
    a = world.origins.add(f"b.{name}", port=port)
    where, a.name = a.name, name
    if port == HTTPS:
        where += ":443"
    web(world, name, where)
    return a, where


@needs_https
@pytest.mark.parametrize("port", [0, HTTPS])
def test_a_delegated_server_is_asked_under_the_delegated_name(world, port):
    name = f"delegates{port}.test"
    a, where = delegate(world, name, port)
    assert names_of(world.ask(name)) == [name]
    [request] = a.host.requests
    assert (request.host, request.sni) == (where, f"b.{name}")


@needs_https
def test_the_answer_of_a_delegated_server_is_for_the_name_asked(world):
    world.origins.add("own.test")
    web(world, "borrows.test", "own.test:8448")
    assert world.ask("borrows.test") == []
    assert names_of(world.ask("own.test")) == ["own.test"]


def serve_by_srv(world, name, shows, service="matrix-fed"):
    """A server behind an SRV record, whose certificate is for `shows`."""
    a = faults.Origin(name)
    host = world.net.host(names=[shows], handler=a.respond)
    world.net.dns.set(f"node.{name}", "A", host.address)
    world.net.dns.set(f"_{service}._tcp.{name}", "SRV", (1, 1, host.port, f"node.{name}"))
    return a


UNUSABLE = {
    "number": lambda _: answer({"m.server": 5}),
    "empty": lambda _: answer(b""),
    "absent": fakenet.not_found,
    "large": lambda _: answer({"m.server": "b.test", "x": "x" * (51 << 10)}),
    "crowded": lambda _: answer({"m.server": "b.test", "x": [0] * 2000}),
    "circle": lambda request: redirect(request.target),
    "plain": lambda _: redirect("http://b.test/"),
    "private": lambda _: redirect("https://10.0.0.1/"),
    "bomb": fakenet.gzip_bomb(64 << 20),
}


@needs_https
def test_an_unusable_well_known_leads_to_the_srv_record(world):
    for kind, unusable in UNUSABLE.items():
        web(world, f"unusable-{kind}.test", unusable)
        serve_by_srv(world, f"unusable-{kind}.test", shows=f"unusable-{kind}.test")
    names = [f"unusable-{kind}.test" for kind in UNUSABLE]
    assert names_of(world.post(dict.fromkeys(names, ALL))) == names


@pytest.mark.parametrize("service", ["matrix-fed", "matrix"])
def test_an_srv_target_shows_the_certificate_of_the_name(world, service):
    fine, other = f"srv-{service}.test", f"srv-{service}-wrong.test"
    serve_by_srv(world, fine, shows=fine, service=service)
    wrong = serve_by_srv(world, other, shows=f"node.{other}", service=service)
    assert names_of(world.ask(fine)) == [fine]
    assert world.ask(other) == []
    assert wrong.requests == []


def test_an_address_as_a_name_needs_its_own_certificate(world):
    origin = faults.Origin("")
    fine = world.net.host(handler=origin.respond)
    origin.name = f"{fine.address}:{fine.port}"
    other = world.net.host(tls=world.net.certificate_of(["a.test"]), handler=origin.respond)
    assert names_of(world.ask(origin.name)) == [origin.name]
    assert fine.requests[0].sni is None
    assert world.ask(f"{other.address}:{other.port}") == [] and other.requests == []


# ---- where it may go


@pytest.fixture(scope="module")
def careful(shared_world):
    """A notary of the same network that may not contact what is private."""
    return shared_world.add_notary({"outbound": {"allow": []}}).start()


def is_refused(notary, name):
    """Nothing is known of the server, and the operator is told why."""
    reply = notary.post(QUERY, {"server_keys": {name: ALL}})
    assert (reply.status, reply.json) == (200, {"server_keys": []})
    return "ADDRESS_REFUSED" in notary.command("refetch", name).stdout


PRIVATE = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.0.1", "100.64.0.1", "0.0.0.0",
           "198.18.0.1", "255.255.255.255", "fd00::1", "fe80::1", "::1", "::", "::ffff:10.0.0.1",
           "::10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:0:1:2:3:4:80ff:fffe", "ff02::1",
           "2600::5efe:10.0.0.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_of_a_private_address_is_not_contacted(world, careful, address):
    name = f"p{PRIVATE.index(address)}.test"
    world.net.dns.set(name, "AAAA" if ":" in address else "A", address)
    assert is_refused(careful, name)


def test_a_private_address_as_a_name_is_not_contacted(world, careful):
    host = world.net.host()
    assert is_refused(careful, f"{host.address}:{host.port}")
    assert is_refused(careful, f"[::ffff:{host.address}]:{host.port}")
    assert is_refused(careful, "[::1]")
    assert host.connections == 0


@needs_https
def test_what_a_public_server_says_does_not_lead_to_a_private_one(world):
    """By well-known, by its redirects, and by SRV."""
    inside = world.net.host(names=["inside.test"], handler=faults.Origin("x").respond)
    world.net.dns.set("inside.test", "A", inside.address)
    away = f"https://inside.test:{inside.port}/"
    hosts = [web(world, "says-address.test", f"{inside.address}:{inside.port}"),
             web(world, "says-name.test", f"inside.test:{inside.port}"),
             web(world, "says-away.test", lambda _: redirect(away)),
             web(world, "says-srv.test", fakenet.not_found)]
    for name in ("says-srv.test", "says-away.test"):
        world.net.dns.set(f"_matrix-fed._tcp.{name}", "SRV", (1, 1, inside.port, "inside.test"))
    public = [host.address for host in hosts]
    notary = world.add_notary({"outbound": {"allow": public}}).start()
    for host in hosts:
        assert is_refused(notary, host.names[0])
        assert len(host.requests) >= 1
    assert inside.connections == 0


def test_what_the_operator_denies_is_not_contacted(world):
    a = world.origins.add("denied.test")
    notary = world.add_notary({"outbound": {"deny": [a.host.address]}}).start()
    assert is_refused(notary, "denied.test")
    assert a.host.connections == 0


def test_ports_of_other_services_are_not_contacted(world):
    world.net.dns.set("low.test", "A", world.net.address())
    for port in (1, 22, 25, 80, 1023):
        assert is_refused(world.notary, f"low.test:{port}")


def test_a_failing_origin_is_left_alone(world):
    a = world.origins.add("fails.test")
    a.fault = faults.answers(500)
    for _ in range(50):
        assert world.ask("fails.test") == []
    assert a.fetches <= 2
