"""The notary's own keys: made, listed, taken over from other software, rotated without loss."""

import copy
import os
import re
import stat

import nacl.signing
import pytest
from unpaddedbase64 import encode_base64

from notary_world import NAME, SERVER, verify
from origins import now_ms
from trinity import eventually

SEED = bytes(range(32))
PUBLIC = encode_base64(bytes(nacl.signing.SigningKey(SEED).verify_key))
ROW = re.compile(r"^(\S+) +(\S{43})  (.+)\n  fingerprint ((?:[0-9a-f]{4} ?){8})$", re.M)


def published(notary):
    return notary.get(SERVER).json


def reload(world):
    assert "reloaded" in world.command("reload")


def key_file(world, name="signing_file"):
    return world.notary.configuration["keys"][name]


def with_countersigning(make_world, tmp_path, **more):
    return make_world({"keys": {"signing_file": str(tmp_path / "sign.key"),
                                "countersign_file": str(tmp_path / "counter.key")}, **more})


# ---- making and listing


def test_a_key_is_generated_into_a_new_file_only(make_world, tmp_path):
    world = make_world()
    made = tmp_path / "new.key"
    [(key_id, public_key, _, _)] = ROW.findall(world.command("key", "generate", made))
    assert re.fullmatch(r"ed25519:a_[A-Za-z0-9]{4}", key_id)
    assert stat.S_IMODE(os.stat(made).st_mode) == 0o600
    assert re.fullmatch(r"ed25519 a_\S{4} \S{43}\n", made.read_text())
    assert public_key not in made.read_text()
    before = made.read_bytes()
    assert "is there already" in world.command("key", "generate", made, status=1)
    assert made.read_bytes() == before


def test_listed_keys_are_the_published_ones(make_world):
    world = make_world().start()
    [(key_id, public_key, role, fingerprint)] = ROW.findall(world.command("key", "list"))
    assert published(world.notary)["verify_keys"] == {key_id: {"key": public_key}}
    assert role == "signs, published"
    [shown] = world.admin("GET", "/admin/v1/overview").json["keys"]
    assert shown["fingerprint"] == fingerprint and shown["role"] == "signing"


def test_no_command_and_no_answer_shows_a_secret(make_world):
    world = make_world().start()
    with open(key_file(world)) as file:
        secret = file.read().split()[2]
    shown = [world.command("key", "list"), world.command("overview"), world.notary.log(),
             world.admin("GET", "/metrics").body.decode(), world.notary.get("/").body.decode()]
    assert all(secret not in text for text in shown)


# ---- taking keys over

FORMATS = {
    "synapse": (f"ed25519 a_ABCD {encode_base64(SEED)}\n", "ed25519:a_ABCD"),
    "synapse_without_newline": (f"ed25519 auto {encode_base64(SEED)}", "ed25519:auto"),
    "dendrite": ("-----BEGIN MATRIX PRIVATE KEY-----\nKey-ID: ed25519:abcdef\n\n"
                 f"{encode_base64(SEED)}=\n-----END MATRIX PRIVATE KEY-----\n", "ed25519:abcdef"),
    "sydent": (f"[general]\nserver.name = x\n[crypto]\ned25519.signingkey = ed25519 0 "
               f"{encode_base64(SEED)}\n", "ed25519:0"),
    "sydent_hexadecimal": (SEED.hex() + "\n", "ed25519:0"),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_key_of_other_software_signs_after_a_reload(make_world, tmp_path, kind):
    text, key_id = FORMATS[kind]
    world = make_world().start()
    [own] = world.own_keys()
    other = tmp_path / "other.key"
    other.write_text(text)
    other.chmod(0o600)
    assert "reload the daemon" in world.command("key", "import", other)
    assert list(world.own_keys()) == [own]
    reload(world)
    assert world.own_keys() == {own: world.own_keys()[own], key_id: PUBLIC}
    world.check(copy.deepcopy(published(world.notary)))
    world.command("key", "import", other)  # once more changes nothing
    assert len(ROW.findall(world.command("key", "list"))) == 2


def test_another_key_under_a_known_id_is_refused(make_world, tmp_path):
    world = make_world().start()
    [own] = world.own_keys()
    other = tmp_path / "other.key"
    other.write_text(f"ed25519 {own.partition(':')[2]} {encode_base64(SEED)}\n")
    other.chmod(0o600)
    with open(key_file(world)) as file:
        before = file.read()
    assert f"{own} is there with other bytes" in world.command("key", "import", other, status=1)
    with open(key_file(world)) as file:
        assert file.read() == before


@pytest.mark.parametrize("text", ["", "ed25519 a_X", "rsa 1 AAAA", "ed25519 a b c d e", "\0",
                                  f"ed25519 a: {encode_base64(SEED)}", "ed25519 a_X AAAA"])
def test_a_file_that_holds_no_key_is_refused(make_world, tmp_path, text):
    other = tmp_path / "other.key"
    other.write_text(text)
    other.chmod(0o600)
    assert str(other) in make_world().command("key", "import", other, status=1)


def test_a_key_file_that_everybody_may_read_is_refused(make_world, tmp_path):
    other = tmp_path / "other.key"
    other.write_text(FORMATS["synapse"][0])
    other.chmod(0o644)
    assert str(other) in make_world().command("key", "import", other, status=1)


# ---- rotation


def test_a_rotation_keeps_old_pins(make_world, tmp_path):
    world = with_countersigning(make_world, tmp_path).start()
    world.origins.add("a.test")
    world.ask("a.test")
    [(old_id, old_key)] = world.own_keys().items()
    assert "signs from now on" in world.command("key", "rotate")
    assert world.own_keys() == {old_id: old_key}, "nothing changes before the reload"
    before = now_ms()
    reload(world)
    [(new_id, new_key)] = world.own_keys().items()
    assert new_id != old_id and new_key != old_key
    old = published(world.notary)["old_verify_keys"][old_id]
    assert old["key"] == old_key and old["expired_ts"] <= before
    [entry] = world.ask("a.test")
    assert set(entry["signatures"][NAME]) == {old_id, new_id}
    for key_id, public_key in ((old_id, old_key), (new_id, new_key)):
        verify(copy.deepcopy(entry), NAME, key_id, public_key)
    assert list(published(world.notary)["signatures"][NAME]) == [new_id]


def test_keys_rotate_again_and_again_and_over_a_restart(make_world, tmp_path):
    world = with_countersigning(make_world, tmp_path).start()
    world.origins.add("a.test")
    keys = dict(world.own_keys())
    for _ in range(3):
        world.command("key", "rotate")
        reload(world)
        keys.update(world.own_keys())
    world.notary.restart()
    assert set(published(world.notary)["old_verify_keys"]) == set(keys) - set(world.own_keys())
    [entry] = world.ask("a.test")
    for key_id, public_key in keys.items():
        verify(copy.deepcopy(entry), NAME, key_id, public_key)
    roles = [role for _, _, role, _ in ROW.findall(world.command("key", "list"))]
    assert roles == ["signs, published"] + 3 * ["old, published only"] + 3 * ["countersigns only"]


def test_a_rotation_needs_a_place_for_the_old_keys(make_world):
    world = make_world().start()
    own = world.own_keys()
    assert "set keys.countersign_file first" in world.command("key", "rotate", status=1)
    reload(world)
    assert world.own_keys() == own


def test_a_rotation_that_was_cut_short_harms_nobody(make_world, tmp_path):
    world = with_countersigning(make_world, tmp_path).start()
    world.origins.add("a.test")
    own = world.own_keys()
    (tmp_path / "counter.key").write_bytes((tmp_path / "sign.key").read_bytes())
    (tmp_path / "counter.key").chmod(0o600)
    reload(world)
    [entry] = world.ask("a.test")
    assert set(entry["signatures"][NAME]) == set(own)
    world.command("key", "rotate")
    reload(world)
    assert len(world.ask("a.test")[0]["signatures"][NAME]) == 2


def test_a_key_file_of_another_user_keeps_its_owner(make_world, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can write files of other users")
    world = with_countersigning(make_world, tmp_path)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    world.notary.configuration["keys"] = {"signing_file": str(home / "sign.key"),
                                          "countersign_file": str(home / "counter.key")}
    world.notary.write_configuration()
    world.command("key", "generate", home / "sign.key")
    world.command("key", "rotate")
    assert [os.stat(home / name).st_uid for name in ("sign.key", "counter.key")] == 2 * [65534]


# ---- files that are wrong while it runs


def test_a_broken_key_file_leaves_the_old_keys_signing(make_world):
    world = make_world().start()
    world.origins.add("a.test")
    own = world.own_keys()
    with open(key_file(world), "w") as file:
        file.write("ed25519 nonsense\n")
    world.notary.command("reload")
    eventually(lambda: "the old keys go on signing" in world.notary.log())
    assert world.own_keys() == own and len(world.ask("a.test")) == 1


def test_one_id_with_two_keys_in_the_two_files_is_refused(make_world, tmp_path):
    world = with_countersigning(make_world, tmp_path).start()
    own = world.own_keys()
    [own_id] = own
    (tmp_path / "counter.key").write_text(
        f"ed25519 {own_id.partition(':')[2]} {encode_base64(SEED)}\n")
    (tmp_path / "counter.key").chmod(0o600)
    world.notary.command("reload")
    assert world.own_keys() == own
    eventually(lambda: "is in both key files" in world.notary.log())

