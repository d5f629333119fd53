"""Servers for the stories about shared/http: one for many tests, and small ones with options."""

import shutil
import subprocess

import pytest

from wire import Echo


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    if not shutil.which("openssl"):
        pytest.skip("openssl makes the certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "30",
         "-subj", "/CN=localhost"], check=True, capture_output=True)
    return [f"cert={folder / 'cert.pem'}", f"key={folder / 'key.pem'}"]


@pytest.fixture(scope="module")
def echo(tmp_path_factory, certificate):
    server = Echo(tmp_path_factory.mktemp("echo"), "io=2", "rate=1", "burst=3",
                  "proxy=127.0.0.9/32", *certificate)
    yield server
    server.stop()


@pytest.fixture
def start(tmp_path):
    servers = []

    def start_one(*options):
        servers.append(Echo(tmp_path, *options))
        return servers[-1]

    yield start_one
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def strict(tmp_path_factory, certificate):
    server = Echo(tmp_path_factory.mktemp("strict"), "io=2", "header_ms=700", "body_ms=700",
                  "idle_ms=2500", *certificate)
    yield server
    server.stop()
