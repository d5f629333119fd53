"""A directory that knows who is who, read and asked: OpenLDAP's slapd."""

import time

import pytest

from asker import Asker
from identity_world import V1, World
from ldap_server import LdapServer
from trinity import eventually


@pytest.fixture(scope="module")
def ldap(tmp_path_factory):
    with LdapServer(tmp_path_factory.mktemp("ldap")) as server:
        server.add("Ann", mail=["Ann@Example.com", "ann.b@example.com"],
                   mobile=["+44 7700 900001"])
        server.add_many({f"p{i:04}": {"mail": [f"p{i:04}@example.com"]} for i in range(1200)})
        yield server


@pytest.fixture
def asker(make_people):
    def made(*sources):
        return Asker(make_people({"sources": list(sources)}).start())

    return made


# ---- a directory that is read


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """As `asker`, for many tests."""
    worlds = []

    def made(*sources):
        worlds.append(World(tmp_path_factory.mktemp("world"), {"sources": list(sources)}))
        return Asker(worlds[-1].start())

    yield made
    for world in worlds:
        world.end()


@pytest.fixture(scope="module")
def reads(shared, ldap):
    """Somebody whose service has read the directory."""
    one = shared(ldap.source(msisdn=["mobile"], email=["mail"]))
    eventually(lambda: one.by_hash("ann@example.com"))
    return one


def test_who_is_in_the_directory_is_found_in_every_way(reads):
    assert reads.by_hash("ann@example.com") == "@ann:example.org"
    assert reads.in_every_way("ann@example.com") == "@ann:example.org"
    assert reads.by_v1("447700900001", "msisdn") == "@ann:example.org"
    assert reads.by_hash("ann.b@example.com") == "@ann:example.org"


def test_all_pages_are_read(reads):
    everybody = {f"p{i:04}@example.com": f"@p{i:04}:example.org" for i in range(1200)}
    assert eventually(lambda: reads.by("sha256", *everybody) == everybody)
    assert reads.by_bulk(*everybody) == everybody


def test_an_association_of_the_directory_is_signed(reads):
    signed = reads.world.anybody.get(f"{V1}/lookup?medium=email&address=ann@example.com").json
    assert signed["address"] == "ann@example.com" and signed["mxid"] == "@ann:example.org"
    assert abs(signed["ts"] - time.time() * 1000) < 60000
    assert list(signed["signatures"]) == ["id.test"]


def test_the_rows_outlive_the_directory_and_a_restart(make_people, tmp_path):
    with LdapServer(tmp_path / "ldap") as ldap:
        ldap.add("ann", mail=["ann@example.com"])
        asker = Asker(make_people({"sources": [ldap.source()]}).start())
        eventually(lambda: asker.by_hash("ann@example.com"))
        ldap.stop()
        asker.world.identity.restart()
        assert asker.by_hash("ann@example.com") == "@ann:example.org"
        (why,) = eventually(asker.why_warned)
        assert why.startswith("staff: ")
        ldap.start()
        asker.world.identity.configuration["sources"] = []
        asker.world.identity.write_configuration()
        asker.world.identity.restart()
        assert asker.by_hash("ann@example.com") is None, "it is no source any more"


def test_what_changes_in_the_directory_changes_here(make_people, tmp_path):
    with LdapServer(tmp_path / "ldap") as ldap:
        ldap.add_many({"ann": {"mail": ["ann@example.com"]}, "ben": {"mail": ["ben@example.com"]}})
        asker = Asker(make_people({"sources": [ldap.source()]}).start())
        assert eventually(lambda: asker.by_hash("ben@example.com")) == "@ben:example.org"
        ldap.remove("ben")
        ldap.replace("ann", "mail", "ann@example.com", "ben@example.com")
        ldap.add("zoe", mail=["zoe@example.com"])
        asker.world.identity.restart()
        assert eventually(lambda: asker.by_hash("zoe@example.com"))
        assert asker.by_hash("ben@example.com") == "@ann:example.org"
        ldap.replace("ann", "mail", "ann@example.com")
        asker.world.identity.restart()
        eventually(lambda: asker.by_hash("ben@example.com") is None)


@pytest.mark.parametrize("more", [
    {"url": "ldaps://127.0.0.2:{tls_port}"},  # the certificate is not for that name
    {"ca_file": "/etc/ssl/certs/ca-certificates.crt"},  # nobody there signed it
    {"url": "ldap://127.0.0.2:{port}"},  # the same by StartTLS
    {"password_file": "{directory}/wrong"},
    {"filter": "(((broken)"},
    {"base": "ou=nowhere,dc=example,dc=org"},
    {"filter": "(uid=nobody)"},
    {"addresses_max": 10},
])
def test_what_cannot_be_trusted_or_read_is_said(asker, ldap, more):
    (ldap.directory / "wrong").write_text("no\n")
    more = {key: value.format(**vars(ldap)) if isinstance(value, str) else value
            for key, value in more.items()}
    one = asker(ldap.source(**more))
    (why,) = eventually(one.why_warned)
    assert why.startswith("staff: ")
    assert one.by_hash("p1100@example.com") is None


@pytest.mark.parametrize("more", [{"url": "ldap://127.0.0.1:{port}"},
                                  {"url": "ldap://127.0.0.2:{port}", "tls": "plain"}])
def test_starttls_and_plain_connections_read_too(asker, ldap, more):
    more = {key: value.format(**vars(ldap)) for key, value in more.items()}
    one = asker(ldap.source(**more))
    assert eventually(lambda: one.by_hash("ann@example.com")) == "@ann:example.org"
    assert one.why_warned() == []


# ---- a directory that is asked


@pytest.fixture(scope="module")
def asks(shared, ldap):
    return shared(ldap.source(read=False, live=True, msisdn=["mobile"], email=["mail"]))


def test_a_directory_that_is_asked_answers_all_but_hashes(asks):
    assert asks.in_every_way("ann@example.com") == "@ann:example.org"
    assert asks.by_v1("447700900001", "msisdn") == "@ann:example.org"
    assert asks.by_hash("ann@example.com") is None
    assert asks.in_every_way("nobody@example.com") is None


def test_many_addresses_are_asked_for_at_once(asks):
    everybody = {f"p{i:04}@example.com": f"@p{i:04}:example.org" for i in range(120)}
    assert asks.by("none", *everybody, "nobody@example.com") == everybody
    assert asks.by_bulk(*everybody) == everybody


@pytest.mark.parametrize("address", [
    "*@example.com", "ann*@example.com", "*)(mail=*@example.com", "x)(|(uid=*)@example.com",
    "ann@example.com)(uid=*", "\\2a@example.com", "a\\@example.com",
    "(&(objectClass=*))@example.com",
])
def test_an_address_is_never_part_of_the_filter(asks, address):
    assert asks.by_v1(address) is None
    assert asks.by_words(address.replace(" ", "")) is None
    assert asks.by_bulk(address) == {}
    assert asks.why_warned() == [], "the filter was broken"


def test_a_directory_that_hangs_costs_its_time_once(asker, tmp_path):
    with LdapServer(tmp_path / "ldap") as ldap:
        ldap.add("ann", mail=["ann@example.com"])
        one = asker(ldap.source(read=False, live=True, timeout_ms=4000))
        assert eventually(lambda: one.by_v1("ann@example.com")) == "@ann:example.org"
        ldap.hang()
        began = time.monotonic()
        assert [one.by_v1("ann@example.com") for _ in range(4)] == [None] * 4
        assert time.monotonic() - began < 3 * 4, "it is left alone for a while"
        assert one.why_warned()
        ldap.hang(False)
        assert eventually(lambda: one.by_v1("ann@example.com")) == "@ann:example.org"
        assert one.why_warned() == []
