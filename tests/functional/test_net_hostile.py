"""The outbound client against servers that do not keep to the rules of HTTP, TLS and DNS."""

import ssl
import struct

import pytest

import fakenet
from fakenet import FakeNet, answer
from net_client import NetClient


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with FakeNet(tmp_path_factory.mktemp("net")) as made:
        yield made


@pytest.fixture(scope="module")
def client(net):
    with NetClient(net) as made:
        yield made


@pytest.fixture(scope="module")
def host(net):
    return net.matrix_host("hostile.test")


# ---- answers

HEAD = b"HTTP/1.1 200 X\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"
LENGTH = b"Content-Length: 2\r\n"
OK = HEAD + LENGTH + b"\r\nok"

READABLE = {
    "twice the same length": HEAD + LENGTH + LENGTH + b"\r\nok",
    "a length with chunks": CHUNKED + b"Content-Length: 50\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n",
    "extended chunks": CHUNKED + b"\r\n2;x=\"y\"\r\nok\r\n0\r\n\r\n",
    "until it closes": HEAD + b"\r\nok",
    "HTTP/1.0": b"HTTP/1.0 200 X\r\n\r\nok",
    "no carriage returns": OK.replace(b"\r", b""),
    "a folded header": HEAD + b"X: a\r\n b\r\n" + LENGTH + b"\r\nok",
    "promises": b"HTTP/1.1 100 X\r\n\r\nHTTP/1.1 103 X\r\nContent-Length: 9\r\n\r\n" + OK,
    "an unknown encoding": HEAD + b"Content-Encoding: br\r\n" + LENGTH + b"\r\nok",
    "other places to go": HEAD + LENGTH + b"Refresh: 0; url=http://10.0.0.1/\r\n"
                          b"Alt-Svc: h2=\"10.0.0.1:443\"\r\nLocation: http://10.0.0.1/\r\n\r\nok",
}


@pytest.mark.parametrize("case", READABLE)
def test_an_odd_answer_is_still_one(client, host, case):
    host.handler = fakenet.raw(READABLE[case])
    reply = client.server(host.name)
    assert (reply["rc"], reply["status"], reply["body"]) == ("OK", 200, "ok")


UNREADABLE = {
    "two lengths": HEAD + LENGTH + b"Content-Length: 3\r\n\r\nokx",
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\nok",
    "a length of 2^63 - 1": HEAD + b"Content-Length: 9223372036854775807\r\n\r\nok",
    "too little": HEAD + b"Content-Length: 200\r\n\r\nok",
    "no end of chunks": CHUNKED + b"\r\n2\r\nok\r\n",
    "a negative chunk": CHUNKED + b"\r\n-1\r\nok\r\n0\r\n\r\n",
    "a chunk of 17 digits": CHUNKED + b"\r\nfffffffffffffffff\r\nok\r\n0\r\n\r\n",
    "a chunk of 0x2": CHUNKED + b"\r\n0x2\r\nok\r\n0\r\n\r\n",
    "no line end behind a chunk": CHUNKED + b"\r\n2\r\nokxx0\r\n\r\n",
    "an unknown transfer encoding": HEAD + b"Transfer-Encoding: x\r\n\r\nok",
    "HTTP/0.9": b"ok",
    "HTTP/3": OK.replace(b"1.1", b"3"),
    "status 000": OK.replace(b"200", b"000"),
    "status 99": OK.replace(b"200", b"99"),
    "status 1000": OK.replace(b"200", b"1000"),
    "status -20": OK.replace(b"200", b"-20"),
    "status abc": OK.replace(b"200", b"abc"),
    "a NUL in a header": HEAD + b"X: a\0b\r\n" + LENGTH + b"\r\nok",
    "a header without a colon": HEAD + b"Xy\r\n" + LENGTH + b"\r\nok",
    "a fold of nothing": HEAD + b" b: c\r\n" + LENGTH + b"\r\nok",
    "a header line of 120 kB": HEAD + b"X: " + b"a" * 120_000 + b"\r\n" + LENGTH + b"\r\nok",
    "trailers of 150 kB": CHUNKED + b"\r\n2\r\nok\r\n0\r\n" + b"X: yyyyyyyyyy\r\n" * 10_000,
    "promises without end": b"HTTP/1.1 103 X\r\n\r\n" * 9_000 + OK,
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_an_answer_against_the_rules_is_none(client, host, case):
    host.handler = fakenet.raw(UNREADABLE[case])
    reply = client.server(host.name, total_ms=3000)
    assert reply["rc"] in ("REMOTE_FAILED", "TOO_LARGE")
    assert (reply["status"], reply["body"]) == (0, "")


def test_credentials_that_a_server_asks_for_are_not_offered(client, host):
    for status, name in ((401, "WWW-Authenticate"), (407, "Proxy-Authenticate")):
        host.handler = lambda _, s=status, n=name: answer("ok", s, {n: "Basic realm=x"})
        before = len(host.requests)
        assert client.server(host.name)["status"] == status
        assert len(host.requests) == before + 1


def test_cookies_are_not_kept(client, host):
    host.handler = lambda _: answer("ok", 200, {"Set-Cookie": "a=b", "Connection": "close"})
    client.server(host.name)
    client.server(host.name)
    assert "cookie" not in host.requests[-1].headers


def test_an_answer_that_is_cut_off_without_a_goodbye_is_none(client, host):
    """Without a length, only TLS's goodbye tells the end from a cut."""

    async def cut(exchange):
        await exchange.send(HEAD + b"\r\nok")
        exchange.writer.get_extra_info("socket").shutdown(1)

    host.handler = cut
    reply = client.server(host.name, total_ms=3000)
    assert (reply["rc"], reply["body"]) == ("REMOTE_FAILED", "")


def test_a_second_answer_on_a_connection_is_nobodys(client, host):
    host.handler = fakenet.raw(OK + HEAD + b"Content-Length: 4\r\n\r\nevil", close=False)
    assert client.server(host.name)["body"] == "ok"
    host.handler = lambda _: answer("mine")
    assert client.server(host.name)["body"] in ("mine", "")


# ---- certificates


def shown(net, names, **more):
    """What a client thinks of a server h.test that shows a certificate for these names."""
    host = net.host(tls=net.certificate_of(names, **more), handler=lambda _: answer("ok"))
    net.dns.set("h.test", "A", host.address)
    with NetClient(net) as client:
        reply = client.server(f"h.test:{host.port}")
    assert bool(host.requests) == (reply["rc"] == "OK")  # strangers hear nothing of us
    return reply


@pytest.mark.parametrize("names, more", [
    (["h.test"], {"key": ("rsa:2048",)}),
    (["H.TEST"], {}),
    ([*(f"n{n}.test" for n in range(50)), "h.test"], {}),
    (["127.0.0.1", "h.test"], {}),
], ids=["rsa", "upper_case", "the_last_of_many", "behind_an_address"])
def test_a_certificate_for_the_name_is_believed(net, names, more):
    assert shown(net, names, **more)["rc"] == "OK"


@pytest.mark.parametrize("names, more", [
    (["h.test"], {"start_days": 2}),
    (["h.test"], {"key": ("rsa:1024",)}),
    (["*"], {}), (["*.test"], {}), (["h*.test"], {}), (["*h.test"], {}), (["dns:h.test."], {}),
    (["x.h.test"], {}), (["*.h.test"], {}), (["127.0.0.1"], {}), (["dns:h.test\\\\0.evil.test"], {}),
], ids=["not_valid_yet", "weak", "all", "a_whole_domain", "part_of_a_label", "end_of_a_label", "dot",
        "below", "wildcard_below", "only_an_address", "nul"])
def test_a_certificate_that_does_not_vouch_for_the_name_is_refused(net, names, more):
    reply = shown(net, names, **more)
    assert reply["rc"] == "REMOTE_FAILED" and reply["error"].startswith("TLS")


def test_a_certificate_for_a_server_cannot_sign_others(net):
    reply = shown(net, ["h.test"], issuer=net.authority.certificate(["evil.test"]))
    assert reply["rc"] == "REMOTE_FAILED" and "not a CA" in reply["error"]


def test_a_common_name_is_no_host_name(net, client):
    host = net.matrix_host("leaf", tls=net.certificate_of([]))  # the subject of all is CN=leaf
    reply = client.server(host.name)
    assert reply["rc"] == "REMOTE_FAILED" and "name" in reply["error"]
    assert not host.requests


def test_ciphers_without_certificates_are_refused(net, client):
    context = net.certificate_of(["anon.test"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("aNULL:@SECLEVEL=0")
    host = net.matrix_host("anon.test", tls=context)
    assert client.server(host.name)["error"].startswith("TLS")
    assert not host.requests


# ---- DNS


def test_an_alias_to_a_private_address_is_refused(net):
    net.dns.set("alias.test", "CNAME", "inside.test")
    net.dns.set("inside.test", "A", "10.0.0.1")
    with NetClient(net, allow=[]) as client:
        assert client.server("alias.test:8448")["rc"] == "ADDRESS_REFUSED"


@pytest.mark.parametrize("data", [b"", b"\0", b"\xc0\xff", b"\xc0\x0c" + b"\0" * 9,
                                  b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 5) + b"\x7f\0\0\1\1",
                                  b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 400) + b"\x7f"])
def test_malformed_addresses_are_none(net, client, data):
    name = f"malformed{len(data)}-{data[-1:].hex()}.test"
    net.dns.raw[name, "A"] = data
    reply = client.server(f"{name}:8448")
    assert reply["rc"] == "REMOTE_FAILED" and reply["error"].startswith("DNS")


# ---- what is known when there is no answer


@pytest.mark.parametrize("behaviour", [fakenet.hang, fakenet.reset, fakenet.raw(b"")],
                         ids=["hang", "reset", "close"])
def test_a_request_may_have_arrived_without_an_answer(client, host, behaviour):
    host.handler = behaviour
    reply = client.server(host.name, total_ms=1000)
    assert reply["rc"] != "OK" and reply["sent"]


def test_a_request_that_found_nobody_was_not_sent(net, client):
    silent = net.silent()
    reply = client.url(f"https://{silent.address}:{silent.port}/", connect_ms=300)
    assert not reply["sent"]
    assert not client.url("http://127.0.0.1:1/")["sent"]
    assert not client.server("nobody.test")["sent"]


@pytest.mark.parametrize("value,pause_ms", [("7", 7000), ("999999999", 86400000), ("soon", 0)])
def test_a_busy_peer_may_say_when_to_come_again(client, host, value, pause_ms):
    host.handler = lambda _: answer({}, 503, {"Retry-After": value})
    reply = client.server(host.name)
    assert (reply["status"], reply["retry_after_ms"]) == (503, pause_ms)
