"""The homeserver's own keys: published, rotated without loss, and known to the notary."""

import json

import pytest

from notary_world import SERVER, verify
from origins import now_ms

NAME = "hs.test"


@pytest.fixture
def world(make_world):
    return make_world().start()


def add_homeserver(world, configuration=None):
    """One that the world's notary finds, started."""
    net = world.net
    certificate, key = net.authority.certificate([NAME])
    homeserver = world.story.homeserver(configuration, tls=(certificate, key, net.ca_file, NAME))
    net.dns.set(NAME, "A", "127.0.0.1")
    net.dns.set(f"_matrix-fed._tcp.{NAME}", "SRV", (10, 5, homeserver.secure.port, NAME))
    return homeserver.start()


@pytest.fixture
def homeserver(story):
    return story.homeserver().start()


def published(homeserver):
    """The key object; it must be signed by each of its keys."""
    made = homeserver.get(SERVER).json
    for key_id, key in made["verify_keys"].items():
        verify(made, made["server_name"], key_id, key["key"])
    return made


def command(homeserver, *words, status=0):
    done = homeserver.command("key", *words)
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def rotate(homeserver):
    command(homeserver, "rotate")
    assert homeserver.command("reload").returncode == 0


def test_keys_are_published_in_canonical_form(homeserver):
    made = published(homeserver)
    assert made["server_name"] == NAME and made["old_verify_keys"] == {}
    ahead = made["valid_until_ts"] - now_ms()
    assert 23 * 3600_000 < ahead <= 24 * 3600_000
    bytes_sent = homeserver.get(SERVER).body
    assert bytes_sent == json.dumps(made, sort_keys=True, separators=(",", ":")).encode()
    for old_way in ("/", "/ed25519:whatever", "/x/"):
        assert homeserver.get(SERVER + old_way).body == bytes_sent


def test_browsers_may_read_the_keys(homeserver):
    assert homeserver.get(SERVER).headers["Access-Control-Allow-Origin"] == "*"


def test_a_rotated_key_is_published_as_old(homeserver):
    [(before, key)] = published(homeserver)["verify_keys"].items()
    rotate(homeserver)
    made = published(homeserver)
    assert list(made["verify_keys"]) != [before]
    assert made["old_verify_keys"][before]["key"] == key["key"]
    assert abs(made["old_verify_keys"][before]["expired_ts"] - now_ms()) < 60_000
    listed = command(homeserver, "list")
    assert f"{before} " in listed and "signs, published" in listed and "old" in listed


def test_the_last_key_that_signs_is_not_retired(homeserver):
    [key_id] = published(homeserver)["verify_keys"]
    assert "only key that signs" in command(homeserver, "retire", key_id, status=1)
    assert "usage" in command(homeserver, "dance", status=2)


def test_one_of_several_keys_is_retired(homeserver, tmp_path):
    [first] = published(homeserver)["verify_keys"]
    command(homeserver, "generate", str(tmp_path / "second.key"))
    command(homeserver, "import", str(tmp_path / "second.key"))
    assert homeserver.command("reload").returncode == 0
    assert len(published(homeserver)["verify_keys"]) == 2
    command(homeserver, "retire", first)
    assert homeserver.command("reload").returncode == 0
    assert list(published(homeserver)["old_verify_keys"]) == [first]


def test_a_key_file_of_synapse_is_taken_over(story, tmp_path):
    file = tmp_path / "synapse.signing.key"
    file.write_text("ed25519 a_ABCD AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\n")
    file.chmod(0o600)
    homeserver = story.homeserver({"keys": {"signing_file": str(file)}}).start()
    assert list(published(homeserver)["verify_keys"]) == ["ed25519:a_ABCD"]


def test_a_broken_key_file_leaves_the_keys_as_they_were(homeserver, tmp_path):
    before = published(homeserver)
    with open(homeserver.configuration["keys"]["signing_file"], "w") as file:
        file.write("nonsense\n")
    homeserver.command("reload")
    assert published(homeserver)["verify_keys"] == before["verify_keys"]
    assert "the old keys go on signing" in homeserver.log()


def test_keys_outlive_a_restart(homeserver):
    before = published(homeserver)["verify_keys"]
    homeserver.restart()
    assert published(homeserver)["verify_keys"] == before


def test_the_notary_answers_for_the_homeserver_also_after_a_rotation(world):
    homeserver = add_homeserver(world)
    [entry] = world.ask(NAME)
    [(before, _)] = published(homeserver)["verify_keys"].items()
    assert entry["verify_keys"] == published(homeserver)["verify_keys"]
    rotate(homeserver)
    [after] = published(homeserver)["verify_keys"]
    world.refetch(NAME)
    newest = max(world.ask(NAME), key=lambda one: one["valid_until_ts"])
    assert list(newest["verify_keys"]) == [after] and before in newest["old_verify_keys"]
    assert any(before in one["old_verify_keys"] or before in one["verify_keys"]
               for one in world.ask(NAME, before))
