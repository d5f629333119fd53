"""The outbound client against an internet of our own: where it may go, whom it believes, what it
puts up with."""

import socket
import ssl
import time

import fakenet
import pytest
import trinity
from fakenet import answer, redirect
from net_client import NetClient


@pytest.fixture
def client(net):
    with NetClient(net) as made:
        yield made


def hello(request):
    return answer(f"{request.method} {request.host} {request.target}")


def refused(reply):
    return reply["rc"] == "ADDRESS_REFUSED" and reply["status"] == 0


def failed(reply, text=""):
    return reply["rc"] == "REMOTE_FAILED" and text in reply["error"] and reply["status"] == 0


# ---- answers


def test_an_answer_says_who_gave_it(net, client):
    host = net.matrix_host("a.test", handler=lambda _: answer({"x": 1}, 201))
    reply = client.server(host.name, "/y")
    assert (reply["rc"], reply["status"], reply["body"]) == ("OK", 201, '{"x": 1}')
    assert reply["content_type"] == "application/json"
    assert reply["address"] == host.address
    assert reply["certificate_sha256"] == net.authority.sha256(["a.test", host.address])


def test_a_target_goes_out_as_it_is(net, client):
    host = net.matrix_host("a.test", handler=hello)
    target = "/a%2Fb/..//./c%00?x=%2e&y=[]&z"
    assert client.server(host.name, target)["body"].endswith(" " + target)


@pytest.mark.parametrize("target", ["", "x", "/a b", "/a\r\nX: y", "/#x", "/\u00e9"])
def test_what_is_no_target_is_not_sent(net, client, target):
    host = net.matrix_host("a.test", handler=hello)
    assert client.server(host.name, target)["rc"] == "INVALID_PARAM"
    assert not host.connections


@pytest.mark.parametrize("header", ["X: a\r\nY: b", "X", "X y: z", ": x", "X: a\nb"])
def test_a_header_cannot_become_two(net, client, header):
    host = net.matrix_host("a.test", handler=hello)
    assert client.server(host.name, headers=[header])["rc"] == "INVALID_PARAM"
    assert not host.connections


def test_methods_bodies_and_headers_are_sent(net, client):
    host = net.matrix_host("a.test", handler=lambda r: answer(r.body))
    reply = client.server(host.name, method="PUT", body='{"a":1}', headers=["X-Two: 2"])
    assert reply["body"] == '{"a":1}'
    headers = host.requests[0].headers
    assert host.requests[0].method == "PUT"
    assert (headers["x-two"], headers["content-type"]) == ("2", "application/json")
    assert "accept-encoding" not in headers and "expect" not in headers


def test_a_connection_is_used_again(net, client):
    host = net.matrix_host("a.test", handler=hello)
    for _ in range(10):
        reply = client.server(host.name)
        assert reply["rc"] == "OK" and reply["address"] == host.address
        assert len(reply["certificate_sha256"]) == 64
    assert host.connections == 1


def test_a_redirect_is_the_answer_unless_it_may_be_followed(net, client):
    host = net.matrix_host("a.test", handler=lambda _: redirect("/elsewhere"))
    assert client.server(host.name)["status"] == 302
    assert host.targets() == ["/"]


# ---- where it may go


@pytest.mark.parametrize("url", [
    "ftp://a.test/", "file:///etc/passwd", "gopher://a.test/", "unix:///run/x", "//a.test/", "",
    "https://user@a.test/", "https://user:word@a.test/", "https://[fe80::1%25lo]/",
    "https://a.test:0/", "https://a.test:99999/", "https://a.test./", "dict://a.test/",
    "https://b\u00fccher.test/", "javascript:alert(1)",
])
def test_an_url_of_another_kind_is_refused(client, url):
    assert client.url(url)["rc"] == "INVALID_PARAM"


PRIVATE = ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "0.0.0.0",
           "fd00::1", "fe80::1", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
           "2002:7f00:1::1", "ff02::1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_resolves_to_a_private_address_is_refused(net, address):
    net.dns.set("inside.test", "AAAA" if ":" in address else "A", address)
    with NetClient(net, allow=[]) as client:
        assert refused(client.server("inside.test:8448"))
        assert refused(client.url("https://inside.test/"))
        assert refused(client.url("http://inside.test/"))


@pytest.mark.parametrize("host", [
    "127.0.0.1", "2130706433", "0x7f.1", "0x7f000001", "127.1", "017700000001", "[::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "0.0.0.0", "0", "%31%32%37.0.0.1",
])
def test_no_spelling_of_loopback_gets_through(net, host):
    target = net.host(address="127.0.0.1", plain=True, handler=hello)
    with NetClient(net, allow=[]) as client:
        reply = client.url(f"http://{host}:{target.port}/")
        assert reply["rc"] in ("ADDRESS_REFUSED", "INVALID_PARAM")
    assert not target.connections


@pytest.mark.parametrize("name", ["0x7f.1", "0x7f000001", "0x08080808"])
def test_a_server_name_that_reads_as_an_address_is_no_way_around_dns(net, client, name):
    host = net.matrix_host(name, address="127.0.0.1", handler=hello)
    reply = client.server(f"{name}:{host.port}")
    assert reply["rc"] != "OK" and not host.connections


def test_only_the_permitted_addresses_of_a_name_are_used(net):
    good = net.host(names=["a.test"], handler=hello)
    bad = net.host(names=["a.test"], port=good.port, handler=hello)
    net.dns.set("a.test", "A", bad.address, good.address, bad.address)
    with NetClient(net, allow=[good.address]) as client:
        assert client.server(f"a.test:{good.port}")["address"] == good.address
    assert not bad.connections


def test_denied_ranges_are_refused(net):
    host = net.matrix_host("a.test", handler=hello)
    with NetClient(net, deny=[host.address + "/32"]) as client:
        assert refused(client.server(host.name))


def test_an_answer_that_changes_does_not_get_behind_the_filter(net):
    outside = net.host(names=["rebind.test"], handler=hello)
    inside = net.host(names=["rebind.test"], port=outside.port, handler=hello)
    net.dns.set_series("rebind.test", "A", [outside.address], [inside.address])
    with NetClient(net, allow=[outside.address]) as client:
        name = f"rebind.test:{outside.port}"
        assert client.server(name)["address"] == outside.address
        time.sleep(1.2)  # the answer's time has passed
        outside.requests[0].writer.transport.abort()
        assert refused(client.server(name))
    assert not inside.connections


@pytest.mark.parametrize("port", [1, 22, 25, 80, 444, 1023])
def test_low_ports_of_server_names_are_refused(net, client, port):
    net.dns.set("a.test", "A", net.address())
    assert refused(client.server(f"a.test:{port}"))
    assert refused(client.server(f"127.9.9.9:{port}"))


def test_low_ports_may_be_opened_and_443_is_open(net):
    net.dns.set("a.test", "A", net.address())
    with NetClient(net, low_port=[444, 1023]) as client:
        assert failed(client.server("a.test:444"), "connect")
        assert failed(client.server("a.test:443"), "connect")
        assert refused(client.server("a.test:1022"))


@pytest.mark.parametrize("name", [
    "..", "a/b", "a@b", "a.test:0", "a.test:08448", "a.test:65536", "", "a" * 300, "a_b.test",
    "[::g]", "1.2.3", "[fe80::1%lo]", "x y", "a.test\r\nX: y",
])
def test_what_is_no_server_name_causes_no_query(net, client, name):
    assert client.server(name)["rc"] == "INVALID_PARAM"
    assert not net.dns.queries


def test_search_domains_are_not_tried(net, client):
    assert failed(client.server("intern:8448"), "DNS")
    assert {name for name, _ in net.dns.queries} == {"intern"}


# ---- redirects


def start_of(net, *hops, names=("a.test",)):
    """A host whose path /N redirects to hops[N]."""
    host = net.matrix_host(names[0], handler=hello)
    for number, hop in enumerate(hops):
        host.at(f"/{number}", lambda _, url=hop: redirect(url))
    return host


def test_redirects_are_followed_up_to_the_limit(net, client):
    host = start_of(net, "/1", "/2", "/end")
    url = f"https://{host.name}/0"
    assert client.url(url, redirects=3)["body"].endswith("/end")
    assert failed(client.url(url, redirects=2), "more than 2 redirects")


def test_redirects_in_a_circle_end(net, client):
    host = start_of(net, "/1", "/0")
    assert failed(client.url(f"https://{host.name}/0", redirects=10), "circle")
    assert len(host.requests) == 2


def test_a_redirect_to_a_private_address_is_refused(net):
    inside = net.host(plain=False, names=["inside.test"], handler=hello)
    net.dns.set("inside.test", "A", inside.address)
    hops = [f"https://{inside.address}:{inside.port}/", f"https://inside.test:{inside.port}/"]
    host = start_of(net, *hops)
    with NetClient(net, allow=[host.address]) as client:
        for number in range(len(hops)):
            assert refused(client.url(f"https://{host.name}/{number}", redirects=5))
    assert not inside.connections


@pytest.mark.parametrize("target", [
    "http://a.test/", "ftp://a.test/", "file:///etc/passwd", "https://user@a.test/", "https://",
])
def test_a_redirect_never_leaves_https(net, client, target):
    host = start_of(net, target)
    reply = client.url(f"https://{host.name}/0", redirects=5)
    assert reply["rc"] in ("REMOTE_FAILED", "INVALID_PARAM") and len(host.requests) == 1


def test_a_redirect_to_a_low_port_is_refused(net, client):
    host = start_of(net, "https://a.test:22/")
    assert refused(client.url(f"https://{host.name}/0", redirects=5))


def test_a_redirect_from_plain_http_may_stay_there(net, client):
    host = net.host(plain=True, handler=hello).at("/0", lambda _: redirect("/1"))
    reply = client.url(f"http://{host.address}:{host.port}/0", redirects=1)
    assert reply["body"].endswith("/1")


def test_credentials_do_not_travel_with_a_redirect(net, client):
    other = net.matrix_host("b.test", handler=hello)
    host = start_of(net, f"https://{other.name}/")
    client.url(f"https://{host.name}/0", redirects=1, headers=["Authorization: X", "X-Kept: 1"])
    assert host.requests[0].headers["authorization"] == "X"
    assert "authorization" not in other.requests[0].headers
    assert other.requests[0].headers["x-kept"] == "1"


@pytest.mark.parametrize("status,method", [(302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
def test_the_method_after_a_redirect_is_the_right_one(net, client, status, method):
    host = net.matrix_host("a.test", handler=lambda r: answer(r.body))
    host.at("/0", lambda _: redirect("/1", status))
    reply = client.url(f"https://{host.name}/0", method="POST", body="{}", redirects=1)
    assert host.requests[1].method == method
    assert reply["body"] == ("{}" if method == "POST" else "")


# ---- whom it believes


def assert_not_asked(client, host, name, text=""):
    reply = client.server(name)
    assert failed(reply, "TLS") and text in reply["error"]
    assert host.requests == []
    return reply


def test_a_certificate_for_another_name_is_refused(net, client):
    host = net.matrix_host("a.test", handler=hello, tls=net.certificate_of(["b.test"]))
    reply = assert_not_asked(client, host, host.name, "name")
    assert reply["certificate_sha256"] == net.authority.sha256(["b.test"])


def test_a_certificate_that_has_expired_is_refused(net, client):
    host = net.matrix_host("a.test", tls=net.certificate_of(["a.test"], days=-1))
    assert_not_asked(client, host, host.name)


def test_a_certificate_of_a_stranger_is_refused(net, client, tmp_path):
    other = fakenet.Authority(tmp_path / "other", "stranger")
    host = net.matrix_host("a.test", tls=net.certificate_of(["a.test"], authority=other))
    assert_not_asked(client, host, host.name, "issuer")


def test_a_certificate_for_clients_is_refused(net, client):
    host = net.matrix_host("a.test", tls=net.certificate_of(["a.test"], purpose="clientAuth"))
    assert_not_asked(client, host, host.name, "purpose")


def test_a_refused_peer_stays_refused_on_a_kept_connection(net, client):
    host = net.matrix_host("a.test", handler=hello, tls=net.certificate_of(["b.test"]))
    for _ in range(3):
        assert_not_asked(client, host, host.name)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_tls_is_refused(net, client):
    context = net.certificate_of(["a.test"])
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    host = net.matrix_host("a.test", tls=context)
    assert_not_asked(client, host, host.name)


def test_plain_http_on_a_tls_port_is_refused(net, client):
    host = net.silent(greeting=b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n")
    net.dns.set("a.test", "A", host.address)
    assert failed(client.server(f"a.test:{host.port}"), "TLS")


def test_an_address_needs_a_certificate_for_it_and_gets_no_sni(net, client):
    host = net.host(handler=hello)
    name = f"{host.address}:{host.port}"
    assert client.server(name)["body"] == f"GET {name} /"
    assert host.requests[0].sni is None


def test_an_address_in_the_place_of_a_name_does_not_count(net, client):
    address = net.address()
    host = net.host(address=address, tls=net.certificate_of(["dns:" + address, "a.test"]))
    assert_not_asked(client, host, f"{address}:{host.port}")


def test_wildcards_match_one_label(net, client):
    host = net.host(handler=hello, tls=net.certificate_of(["*.wild.test"]))
    for name in ("a.wild.test", "a.b.wild.test"):
        net.dns.set(name, "A", host.address)
    assert client.server(f"a.wild.test:{host.port}")["rc"] == "OK"
    assert failed(client.server(f"a.b.wild.test:{host.port}"), "TLS")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")
def test_ipv6_works_by_literal_and_by_name(net):
    host = net.host(names=["six.test"], address="::1", handler=hello)
    net.dns.set("six.test", "AAAA", "::1")
    with NetClient(net, allow=["::1"]) as client:
        literal = f"[::1]:{host.port}"
        reply = client.server(literal)
        assert (reply["body"], reply["address"]) == (f"GET {literal} /", "::1")
        assert host.requests[0].sni is None
        assert client.server(f"six.test:{host.port}")["address"] == "::1"


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback here")
def test_a_dead_family_does_not_hold_up_the_other(net):
    host = net.host(names=["both.test"], handler=hello)
    net.dns.set("both.test", "AAAA", "::1")  # nothing listens on that port there
    net.dns.set("both.test", "A", host.address)
    with NetClient(net, allow=["127.0.0.0/8", "::1"]) as client:
        assert client.server(f"both.test:{host.port}")["address"] == host.address


# ---- what it puts up with


@pytest.mark.parametrize("behaviour,rc", [
    (lambda _: answer(b"x" * 70_000), "TOO_LARGE"),
    (fakenet.endless(), "TOO_LARGE"),
    (fakenet.endless(chunked=False), "TOO_LARGE"),
    (fakenet.endless_headers, "TOO_LARGE"),
    (fakenet.gzip_bomb(16 << 20, transfer=True), "TOO_LARGE"),
    (fakenet.drip(), "REMOTE_TIMEOUT"),
    (fakenet.drip(head=b"HTTP/1.1 200 X\r\n"), "REMOTE_TIMEOUT"),
    (fakenet.hang, "REMOTE_TIMEOUT"),
    (fakenet.reset, "REMOTE_FAILED"),
    (fakenet.raw(b""), "REMOTE_FAILED"),
    (fakenet.raw(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nx"), "REMOTE_FAILED"),
    (fakenet.raw(b"HTTP/1.1 200 X\r\nContent-Length: x\r\n\r\nx"), "REMOTE_FAILED"),
    (fakenet.raw(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "REMOTE_FAILED"),
    (fakenet.raw(b"SSH-2.0-x\r\n"), "REMOTE_FAILED"),
    (fakenet.raw(b"\0\xff" * 99), "REMOTE_FAILED"),
], ids=range(15))
def test_a_bad_answer_ends_in_bounded_time(net, client, behaviour, rc):
    host = net.matrix_host("a.test", handler=behaviour)
    begin = time.monotonic()
    reply = client.server(host.name, total_ms=1500)
    assert (reply["rc"], reply["status"]) == (rc, 0)
    assert time.monotonic() - begin < 6


def test_a_compressed_answer_is_not_unpacked(net, client):
    host = net.matrix_host("a.test", handler=fakenet.gzip_bomb(16 << 20))
    assert client.server(host.name)["length"] < 64 * 1024


def test_a_body_of_just_the_limit_passes(net, client):
    host = net.matrix_host("a.test", handler=lambda _: answer(b"x" * 5000))
    assert client.server(host.name, max_bytes=5000)["length"] == 5000
    assert client.server(host.name, max_bytes=4999)["rc"] == "TOO_LARGE"


def test_html_is_just_an_answer(net, client):
    host = net.matrix_host("a.test", handler=lambda _: answer("<p>", 200, {"Content-Type": "text/html"}))
    reply = client.server(host.name)
    assert (reply["status"], reply["content_type"]) == (200, "text/html")


def test_a_peer_that_never_shakes_hands_costs_the_connect_time(net, client):
    host = net.silent()
    reply = client.url(f"https://{host.address}:{host.port}/", connect_ms=300)
    assert reply["rc"] == "REMOTE_TIMEOUT" and 250 <= reply["took_ms"] < 3000


def test_silent_dns_servers_do_not_extend_the_deadline(net, client):
    net.dns.fail("a.test", "SILENT")
    reply = client.server("a.test:8448", total_ms=500)
    assert reply["rc"] == "REMOTE_TIMEOUT" and 450 <= reply["took_ms"] < 3000


def test_answers_cut_off_at_the_end_are_busy(net):
    host = net.matrix_host("a.test", handler=fakenet.hang)
    client = NetClient(net)
    waiting = [client.start(server=host.name, target="/") for _ in range(20)]
    trinity.eventually(lambda: host.requests, every=0.01)
    client.close()
    assert {reply()["rc"] for reply in waiting} == {"BUSY"}


# ---- limits


def test_one_address_gets_two_transfers_at_once(net, client):
    host = net.silent()
    url = f"https://{host.address}:{host.port}/"
    patient = [client.start(url=url, total_ms=4000) for _ in range(2)]
    trinity.eventually(lambda: host.open_max == 2)
    hasty = [client.start(url=url, total_ms=500)() for _ in range(3)]
    assert all("free connection" in reply["error"] for reply in hasty)
    assert {reply["rc"] for reply in [*hasty, *(reply() for reply in patient)]} == {
        "REMOTE_TIMEOUT"}
    assert host.open_max == 2


def test_names_of_one_address_share_its_limit(net, client):
    host = net.silent()
    for number in range(6):
        net.dns.set(f"n{number}.test", "A", host.address)
    waiting = [client.start(server=f"n{n}.test:{host.port}", target="/", total_ms=1000)
               for n in range(6)]
    assert {reply()["rc"] for reply in waiting} == {"REMOTE_TIMEOUT"}
    assert host.open_max == 2


def test_those_that_wait_get_their_turn_in_order(net):
    host = net.matrix_host("a.test", handler=hello)
    with NetClient(net, per_address=1) as client:
        waiting = [client.start(server=host.name, target=f"/{n}") for n in range(30)]
        assert all(reply()["rc"] == "OK" for reply in waiting)
    assert host.targets() == [f"/{n}" for n in range(30)]
    assert host.connections == 1


def test_all_transfers_together_are_limited(net):
    hosts = [net.silent() for _ in range(8)]
    with NetClient(net, transfers=3) as client:
        for host in hosts:
            client.start(url=f"https://{host.address}:{host.port}/", connect_ms=20_000,
                         total_ms=20_000)
        trinity.eventually(lambda: sum(host.connections for host in hosts) == 3)
        time.sleep(0.3)
    assert sum(host.connections for host in hosts) == 3


def test_a_busy_address_does_not_take_the_places_of_others(net):
    slow, live = net.silent(), net.matrix_host("a.test", handler=hello)
    with NetClient(net, transfers=4) as client:
        waiting = [client.start(url=f"https://{slow.address}:{slow.port}/", total_ms=3000)
                   for _ in range(100)]
        assert client.server(live.name)["rc"] == "OK"
        assert [reply()["rc"] for reply in waiting] == ["REMOTE_TIMEOUT"] * 100


def test_hanging_peers_do_not_delay_a_live_one(net):
    slow = [net.silent() for _ in range(300)]
    live = net.matrix_host("a.test", handler=hello)
    with NetClient(net, transfers=400) as client:
        client.server(live.name)
        quiet = min(client.server(live.name)["took_ms"] for _ in range(5))
        waiting = [client.start(url=f"https://{h.address}:{h.port}/", connect_ms=120_000,
                                total_ms=120_000) for h in slow]
        trinity.eventually(lambda: sum(host.open for host in slow) == len(slow))
        live.requests[0].writer.transport.abort()
        times = [client.server(live.name)["took_ms"] for _ in range(10)]
        # The best of them: other programs on the machine must not fail the test.
        assert min(times) < quiet + 50
        assert len(waiting) == 300
    assert {reply()["rc"] for reply in waiting} == {"BUSY"}


def test_a_crowded_second_address_is_waited_for(net):
    """The first address is dead; the second has all the transfers that it may have."""
    host = net.host(names=["a.test", "b.test"], handler=hello)
    dead = net.address()
    net.dns.set("a.test", "A", dead, host.address)
    with NetClient(net, per_address=1) as client:
        waiting = [client.start(server=f"a.test:{host.port}", target=f"/{n}") for n in range(5)]
        waiting += [client.start(server=f"{host.address}:{host.port}", target=f"/{n}")
                    for n in range(5)]
        replies = [reply() for reply in waiting]
    assert [reply["rc"] for reply in replies] == ["OK"] * 10
    assert host.open_max <= 2  # one under way, one kept alive for the other name
