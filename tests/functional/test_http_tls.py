"""TLS and addresses of shared/http."""

import socket
import ssl
import subprocess

import pytest

from trinity import eventually
from wire import ALL, metric, request, seconds_until_closed, talk


# ---- TLS


def test_requests_are_served_over_tls(echo):
    answers, _ = echo.send(request("GET", "/io/hello") + request("POST", "/raw", b"x" * 50000), 2,
                           tls=True)
    assert answers[0].json == {"hello": "world"} and len(answers[1].body) == 50000


def test_tls_sessions_are_resumed(echo):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    session, reused = None, []
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", echo.tls_port)) as sock, \
                context.wrap_socket(sock, server_hostname="localhost", session=session) as tls:
            talk(tls, request("GET", "/io/hello"))
            session = tls.session
            reused.append(tls.session_reused)
    assert reused == [False, True]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_130_old_versions_of_tls_are_refused(echo, version):
    """The library of Debian 12 closes without sending the alert that GnuTLS has ready."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", echo.tls_port)) as sock:
        with pytest.raises(ssl.SSLError, match="(?i)alert|version|EOF"):
            context.wrap_socket(sock, server_hostname="localhost")
    echo.alive()


def test_131_renegotiation_is_refused(echo):
    """A client that asks for it in TLS 1.2 loses the connection or is ignored."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{echo.tls_port}", "-tls1_2",
         "-legacy_renegotiation"], input="R\nR\nR\n", capture_output=True, text=True, timeout=60)
    assert "RENEGOTIATING" in done.stdout + done.stderr
    assert "verify return" not in done.stderr.partition("RENEGOTIATING")[2]
    echo.alive()


def test_132_an_unknown_name_gets_the_only_certificate(echo):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    seen = set()
    for name in ("localhost", "unknown.example"):
        with socket.create_connection(("127.0.0.1", echo.tls_port)) as sock, \
                context.wrap_socket(sock, server_hostname=name) as tls:
            seen.add(tls.getpeercert(binary_form=True))
    assert len(seen) == 1


def test_133_a_handshake_that_drips_is_ended(strict):
    with socket.create_connection(("127.0.0.1", strict.tls_port)) as sock:
        # A record of 16 KiB, one byte at a time.
        sock.sendall(b"\x16\x03\x01\x40\x00")
        assert 0.5 < seconds_until_closed(sock, b"\x01") < 2
    strict.alive()


def test_134_half_open_handshakes_are_ended(strict):
    socks = [socket.create_connection(("127.0.0.1", strict.tls_port)) for _ in range(200)]
    for sock in socks:
        sock.sendall(b"\x16\x03\x01")
    assert max(seconds_until_closed(sock, limit=3) for sock in socks) < 2.5
    for sock in socks:
        sock.close()
    eventually(lambda: metric(strict, "http_connections") <= 2)


def test_135_plain_http_on_the_tls_port_is_ended(echo):
    with socket.create_connection(("127.0.0.1", echo.tls_port)) as sock:
        answers, closed = talk(sock, request("GET", "/io/hello"), ALL)
        assert closed and not answers
    echo.alive()


# ---- where it listens


def test_a_unix_socket_serves_its_group_only(start, tmp_path):
    path = tmp_path / "socket"
    start(f"unix=unix:{path}")
    assert path.stat().st_mode & 0o777 == 0o660
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        assert talk(sock, request("GET", "/echo/a"))[0][0].json["client"] == "unix"


def test_a_stale_unix_socket_is_replaced(start, tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    start(f"unix=unix:{path}")


def test_any_address_of_both_kinds_is_heard(start):
    server = start("address=::")
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as sock:
            sock.connect((address, server.port))
            assert talk(sock, request("GET", "/echo/a"))[0][0].json["client"] == address
