"""Identity services tell each other who is who, as Sydent's do."""

import json
import pathlib
import tempfile

import pytest

from authority import Authority
from identity_peer import Peer, Service, certificate
from origins import now_ms
from trinity import eventually

HOUR_MS = 3600_000


@pytest.fixture
def make_service(net_authority):
    worlds = []
    # Not tmp_path: a unix socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="trinity-") as directory:

        def make(name="id.test", **more):
            worlds.append(Service(pathlib.Path(directory) / name, net_authority, name, **more))
            return worlds[-1]

        yield make
        for world in worlds:
            world.end()


@pytest.fixture(scope="module")
def net_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def peer(net_authority):
    made = Peer(net_authority, "peer.test").listen()
    yield made
    made.close()


@pytest.fixture(scope="module")
def friend(net_authority):
    """A peer that only pushes."""
    return Peer(net_authority, "friend.test")


@pytest.fixture(scope="module")
def shared(tmp_path_factory, net_authority, friend):
    """A service that the stories of pushes to it share: each uses addresses of its own."""
    made = Service(tmp_path_factory.mktemp("shared"), net_authority)
    made.know(friend.entry()).start()
    yield made
    made.end()


# ---- from a peer


def test_what_a_peer_pushes_is_found(shared, friend):
    said = friend.association("ann@example.com", "@ann:friend.test", now_ms())
    reply = friend.push(shared.port, {"1": said})
    assert reply.status == 200 and reply.json["success"] is True, reply
    assert reply.json["results"] == {"1": "stored"}
    assert shared.found("ann@example.com") == "@ann:friend.test"
    got = shared.association("ann@example.com")
    assert got["signatures"]["friend.test"] == said["signatures"]["friend.test"]
    assert friend.push(shared.port, {"1": said}).json["results"] == {"1": "known"}


def test_the_newest_counts_whoever_says_it(shared, friend):
    now = now_ms()
    shared.bind("both@example.com", "@here:hs.test")
    older = friend.association("both@example.com", "@there:friend.test", now - HOUR_MS)
    assert friend.push(shared.port, {"2": older}).json["results"] == {"2": "older"}
    assert shared.found("both@example.com") == "@here:hs.test"
    newer = friend.association("Both@Example.com", "@there:friend.test", now_ms())
    assert friend.push(shared.port, {"3": newer}).json["results"] == {"3": "stored"}
    assert shared.found("both@example.com") == shared.holder("both@example.com")
    assert shared.holder("both@example.com") == "@there:friend.test"
    shared.bind("both@example.com", "@again:hs.test")
    assert shared.holder("both@example.com") == "@again:hs.test"


def test_what_begins_later_is_not_found_yet_and_is_bound_over(shared, friend):
    later = friend.association("later@example.com", "@l:friend.test", now_ms() + HOUR_MS)
    friend.push(shared.port, {"16": later})
    assert shared.found("later@example.com") is shared.holder("later@example.com") is None
    shared.bind("later@example.com", "@here:hs.test")
    assert shared.found("later@example.com") == shared.holder("later@example.com")
    assert shared.holder("later@example.com") == "@here:hs.test"


def test_a_tombstone_removes_what_is_older_and_keeps_it_away(shared, friend):
    now = now_ms()
    shared.bind("gone@example.com", "@here:hs.test")
    shared.unbind("gone@example.com", "@here:hs.test")
    older = friend.association("gone@example.com", "@there:friend.test", now - HOUR_MS)
    friend.push(shared.port, {"4": older})
    assert shared.holder("gone@example.com") is None
    shared.bind("gone@example.com", "@here:hs.test")
    friend.push(shared.port, {"5": friend.association("gone@example.com", None, now - HOUR_MS)})
    assert shared.holder("gone@example.com") == "@here:hs.test"
    friend.push(shared.port, {"6": friend.association("gone@example.com", None, now_ms())})
    assert shared.holder("gone@example.com") is shared.found("gone@example.com") is None


def test_of_several_the_peers_last_counts(shared, friend):
    now = now_ms()
    reply = friend.push(shared.port, {
        "10": friend.association("twice@example.com", "@last:friend.test", now + 2),
        "9": friend.association("twice@example.com", "@first:friend.test", now + 1)})
    assert reply.json["results"] == {"9": "stored", "10": "stored"}
    assert shared.holder("twice@example.com") == "@last:friend.test"


def test_one_that_does_not_verify_keeps_all_away(shared, friend, net_authority):
    stranger = Peer(net_authority, "friend.test")  # the name, and another key
    good = friend.association("good@example.com", "@ann:friend.test", now_ms())
    changed = dict(good, mxid="@eve:friend.test")
    bad = {"7": stranger.association("forged@example.com", "@ann:friend.test", now_ms()),
           "11": changed, "12": {}, "13": "text", "14": dict(good, ts=1.5),
           "15": Peer(net_authority, "other.test").association("o@example.com", "@o:x.test", 1)}
    reply = friend.push(shared.port, {"8": good, **bad})
    assert (reply.status, reply.errcode) == (400, "M_VERIFICATION_FAILED"), reply
    assert set(reply.json["failed_ids"]) == set(bad) == set(reply.json["failures"])
    assert shared.holder("good@example.com") is shared.holder("forged@example.com") is None
    assert friend.push(shared.port, {"8": good}).status == 200


def test_only_peers_may_push(shared, friend, net_authority, tmp_path):
    pushed = {"1": friend.association("x@example.com", "@x:friend.test", now_ms())}
    strangers = [
        False, certificate(net_authority, "stranger.test"),
        certificate(net_authority, "friend.test.evil.test"),
        certificate(net_authority, "friend.test", days=-1),
        certificate(Authority(tmp_path / "other", "other"), "friend.test"),
    ]
    for files in strangers:
        reply = friend.push(shared.port, pushed, files=files)
        assert (reply.status, reply.errcode) == (403, "M_UNKNOWN_PEER"), (files, reply)
    by_alternative_name = net_authority.certificate(["friend.test"], purpose="serverAuth")
    assert friend.push(shared.port, pushed, files=by_alternative_name).status == 200


@pytest.mark.parametrize("body, errcode, headers", [
    ("{", "M_BAD_JSON", None), ("[]", "M_BAD_JSON", None), ("{}", "M_BAD_JSON", None),
    ('{"sgAssocs":[]}', "M_BAD_JSON", None), ('{"sgAssocs":{"x":{}}}', "M_BAD_JSON", None),
    ('{"sgAssocs":{"-1":{}}}', "M_BAD_JSON", None),
    (json.dumps({"sgAssocs": {str(i): {} for i in range(1001)}}), "M_BAD_JSON", None),
    ('{"sgAssocs":{}}', "M_NOT_JSON", {"Content-Type": "text/plain"}),
    ('{"sgAssocs":{}}', "M_NOT_JSON", {"X": "y"}),
])
def test_what_is_no_push_is_refused(shared, friend, body, errcode, headers):
    reply = friend.send(shared.port, body, headers)
    assert (reply.status, reply.errcode) == (400, errcode), reply


def test_an_empty_push_is_one(shared, friend):
    assert friend.push(shared.port, {}).json == {"success": True, "results": {}}


def test_peers_are_told_nothing_else(shared, friend):
    import http.client
    import ssl

    context = ssl.create_default_context(cafile=str(friend.authority.file))
    context.load_cert_chain(*friend.files)
    connection = http.client.HTTPSConnection("127.0.0.1", shared.port, context=context)
    connection.request("GET", "/_matrix/identity/v2")
    assert connection.getresponse().status == 404
    connection.close()


# ---- to a peer


def test_a_peer_gets_what_is_bound_and_unbound_here(make_service, peer):
    service = make_service().know(peer.entry()).start()
    service.bind("ann@example.com", "@ann:hs.test")
    eventually(lambda: peer.addresses() == ["ann@example.com"])
    service.unbind("ann@example.com", "@ann:hs.test")
    eventually(lambda: len(peer.taken) == 2)
    assert [said["mxid"] for _, said in sorted(peer.taken.items())] == ["@ann:hs.test", None]
    peer.verifies("id.test", service.public_key())
    assert set(peer.clients) == {"id.test"}


def test_many_go_in_batches_one_after_the_other(make_service, peer):
    service = make_service().know().start()
    for i in range(230):
        service.bind(f"a{i:03}@example.com", "@ann:hs.test")
    service.identity.stop()
    service.know(peer.entry()).identity.start()
    eventually(lambda: len(peer.taken) == 230)
    assert peer.addresses() == [f"a{i:03}@example.com" for i in range(230)]
    assert [len(pushed) for _, pushed in peer.pushes] == [100, 100, 30]


def test_a_restart_pushes_nothing_twice(make_service, peer):
    service = make_service().know(peer.entry()).start()
    service.bind("ann@example.com", "@ann:hs.test")
    eventually(lambda: peer.addresses() == ["ann@example.com"])
    service.identity.stop()
    service.identity.start()
    service.bind("bob@example.com", "@bob:hs.test")
    eventually(lambda: peer.addresses() == ["ann@example.com", "bob@example.com"])
    assert [len(pushed) for _, pushed in peer.pushes] == [1, 1]


def test_a_peer_that_fails_is_asked_again_later(make_service, peer):
    peer.answers = [(500, {}), (503, {})]
    service = make_service().know(peer.entry()).start()
    service.bind("ann@example.com", "@ann:hs.test")
    eventually(lambda: len(peer.pushes) == 1)
    service.bind("bob@example.com", "@bob:hs.test")  # which does not hurry it
    eventually(lambda: peer.addresses() == ["ann@example.com", "bob@example.com"])
    times = [when for when, _ in peer.pushes]
    assert len(times) == 3 and times[1] - times[0] > 1.5 and times[2] - times[1] > 3


def test_one_that_a_peer_cannot_take_does_not_stop_the_others(make_service, peer):
    peer.refused = {"odd@example.com"}
    service = make_service().know().start()
    for name in ("ann", "odd", "bob"):
        service.bind(f"{name}@example.com", "@ann:hs.test")
    service.identity.stop()
    service.know(peer.entry()).identity.start()
    eventually(lambda: peer.addresses() == ["ann@example.com", "bob@example.com"])
    service.bind("eve@example.com", "@eve:hs.test")
    eventually(lambda: "eve@example.com" in peer.addresses())


def test_a_peer_with_anothers_certificate_gets_nothing(make_service, net_authority):
    imposter = Peer(net_authority, "peer.test").listen()
    imposter.close()
    port = imposter.port
    wrong = Peer(net_authority, "peer.test")
    wrong.files = net_authority.certificate(["elsewhere.test"], purpose="serverAuth")
    wrong.listen(port)
    service = make_service().know(wrong.entry()).start()
    service.bind("ann@example.com", "@ann:hs.test")
    eventually(lambda: "does not take our bindings" in service.identity.log_tail())
    assert wrong.pushes == []
    wrong.close()


# ---- two of ours


def test_two_services_agree(make_service):
    one, two = make_service("one.test"), make_service("two.test")
    one.know().start()
    two.know().start()
    keys = one.public_key(), two.public_key()
    one.identity.stop()
    two.identity.stop()
    one.know(two.entry(keys[1])).identity.start()
    one.bind("ann@example.com", "@ann:one.test")
    two.know(one.entry(keys[0])).identity.start()
    eventually(lambda: two.holder("ann@example.com") == "@ann:one.test")
    two.bind("ann@example.com", "@ann:two.test")
    eventually(lambda: one.holder("ann@example.com") == "@ann:two.test")
    two.unbind("ann@example.com", "@ann:two.test")
    eventually(lambda: one.holder("ann@example.com") is None)
    assert one.found("ann@example.com") is None


def test_a_certificate_must_be_there(make_service):
    service = make_service().know()
    del service.identity.configuration["replication"]["certificate"]
    service.identity.write_configuration()
    assert "certificate and replication.key are missing" in service.command("--check", status=1)
