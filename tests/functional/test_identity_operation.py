"""What an operator does with a running identity service: keys, reloads, its health."""

import re

import nacl.signing
import pytest
from unpaddedbase64 import encode_base64

from identity_world import V1, V2
from mail_world import MailWorld

SEED = bytes(range(32))
PUBLIC = encode_base64(bytes(nacl.signing.SigningKey(SEED).verify_key))
ROW = re.compile(r"^(\S+) +(\S{43})  (.+)\n  fingerprint ((?:[0-9a-f]{4} ?){8})$", re.M)


# ---- keys


def listed(people):
    """{key id: (public key, role)}."""
    rows = ROW.findall(people.command("key", "list"))
    return {key_id: (public_key, role) for key_id, public_key, role, _ in rows}


def signing_key(people):
    """(key id, public key) of the one that signs now."""
    [signs] = [(key_id, key) for key_id, (key, role) in listed(people).items() if role == "signs"]
    return signs


def is_valid(people, key):
    quoted = key.replace("+", "%2B").replace("/", "%2F")
    answers = [people.anybody.get(f"{base}/pubkey/isvalid?public_key={quoted}").json["valid"]
               for base in (V1, V2)]
    assert answers[0] == answers[1]
    return answers[0]


def published(people, key_id):
    reply = people.anybody.get(f"/pubkey/{key_id}")
    return reply.json["public_key"] if reply.status == 200 else None


def key_file(people, name, text):
    path = people.identity.directory / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_the_listed_key_is_the_published_one(make_people):
    people = make_people().start()
    assert signing_key(people) == ("ed25519:0", published(people, "ed25519:0"))


def test_a_retired_pair_is_valid_until_it_is_revoked(make_people):
    people = make_people().start()
    old_id, old_key = signing_key(people)
    assert "signs from now on" in people.command("key", "rotate")
    assert published(people, signing_key(people)[0]) is None, "nothing changes before the reload"
    people.command("reload")
    new_id, new_key = signing_key(people)
    assert new_id != old_id and published(people, new_id) == new_key
    assert is_valid(people, new_key)
    assert is_valid(people, old_key) and published(people, old_id) == old_key
    assert listed(people)[old_id] == (old_key, "retired, valid")
    people.identity.restart()
    assert is_valid(people, old_key)
    assert old_key in people.command("key", "revoke", old_id)
    people.command("reload")
    assert not is_valid(people, old_key) and published(people, old_id) is None
    assert is_valid(people, new_key)


def test_a_key_that_the_configuration_revokes_is_valid_nowhere(make_people):
    people = make_people().start()
    old_id, old_key = signing_key(people)
    people.command("key", "rotate")
    people.identity.configuration["keys"]["revoked"] = [old_key]
    people.identity.write_configuration()
    people.command("reload")
    assert not is_valid(people, old_key) and published(people, old_id) is None
    assert listed(people)[old_id] == (old_key, "revoked")


def test_the_key_that_signs_is_not_revoked_before_another_one_signs(make_people):
    people = make_people().start()
    key_id, key = signing_key(people)
    assert "first key rotate" in people.command("key", "revoke", key_id, status=1)
    assert "key rotate makes another" in people.command("key", "retire", key_id, status=1)
    people.identity.configuration["keys"]["revoked"] = [key]
    people.identity.write_configuration()
    people.command("reload")
    assert is_valid(people, key), "the old state stays"
    assert f"{key_id}, which signs, is revoked" in people.identity.log()


@pytest.mark.parametrize("text, key_id", [
    (f"ed25519 a_ABCD {encode_base64(SEED)}\n", "ed25519:a_ABCD"),
    (f"[crypto]\ned25519.signingkey = ed25519 1 {encode_base64(SEED)}\n", "ed25519:1"),
], ids=["synapse", "sydent"])
def test_a_key_of_other_software_counts_as_valid_after_a_reload(make_people, text, key_id):
    people = make_people().start()
    before = signing_key(people)
    people.command("key", "import", key_file(people, "other.key", text))
    assert not is_valid(people, PUBLIC)
    people.command("reload")
    assert is_valid(people, PUBLIC) and published(people, key_id) == PUBLIC
    assert signing_key(people) == before
    people.command("key", "retire", key_id)
    people.command("reload")
    assert is_valid(people, PUBLIC) and published(people, key_id) == PUBLIC


def test_a_service_that_never_ran_goes_on_with_the_key_of_its_predecessor(make_people):
    people = make_people()
    people.command("key", "import", key_file(people, "sydent.key", SEED.hex()))
    people.start()
    assert published(people, "ed25519:0") == PUBLIC == signing_key(people)[1]


@pytest.mark.parametrize("line, told", [
    ("key", "usage: trinity-identity key list"),
    ("key retire", "usage: trinity-identity key list"),
    ("key retire ed25519:nobody", "There is no key ed25519:nobody"),
    ("key revoke ed25519:nobody", "There is no key ed25519:nobody"),
    ("key import /nonexistent", "/nonexistent"),
])
def test_what_cannot_be_done_with_keys_says_why(people, line, told):
    status = 2 if told.startswith("usage") else 1
    assert told in people.command(*line.split(), status=status)


# ---- texts of one's own


@pytest.fixture
def templates(tmp_path):
    """A page that everybody may see, as one file of the operator's."""
    page = tmp_path / "templates" / "default" / "en" / "failed.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>The first words of {{ service_name }}.</p>")
    return page


def shown(people):
    """The page without its frame."""
    reply = people.identity.get("/verify/email")
    assert reply.status == 400
    return reply.body.decode()


def reload_fails(people):
    """What a reload says that is refused."""
    return people.command("reload", status=1)


def test_a_text_of_ones_own_is_read_again(make_people, templates):
    people = make_people({"templates": {"directory": str(templates.parents[2])}}).start()
    assert "The first words of id.test." in shown(people)
    templates.write_text("<p>Other words.</p>")
    assert "The first words of id.test." in shown(people), "not before the reload"
    people.command("reload")
    assert "Other words." in shown(people)


def test_a_broken_text_refuses_the_reload_and_all_stays(make_people, templates):
    people = make_people({"templates": {"directory": str(templates.parents[2])}}).start()
    templates.write_text("<p>\n<b>{{ service_name }</b>\n")
    people.identity.configuration["homeservers"] = {"deny": ["*"]}
    people.identity.write_configuration()
    assert f"{templates}:2: " in reload_fails(people)
    assert "The first words of id.test." in shown(people)
    assert people.sign_in("@ann:hs.test"), "nothing of it is in force"
    checked = people.identity.command("--check")
    assert checked.returncode == 1 and f"{templates}:2: " in checked.stderr
    templates.write_text("<p>Mended.</p>")
    assert people.identity.command("--check").returncode == 0
    people.command("reload")
    assert "Mended." in shown(people)


# ---- what a reload takes over


@pytest.fixture
def change(people):
    """change(section={...}) reloads with it; afterwards all is as it was."""
    before = dict(people.identity.configuration)

    def with_changes(**sections):
        people.identity.configuration.update(sections)
        people.identity.write_configuration()
        people.command("reload")

    yield with_changes
    people.identity.configuration = before
    people.identity.write_configuration()
    people.command("reload")


INVITE = {"medium": "email", "address": "new@example.org", "room_id": "!room:hs.test",
          "sender": "@bob:hs.test"}


def test_changed_options_count_at_once_again_and_again(people, change):
    bob = people.sign_in("@bob:hs.test")
    for word in ("casino", "lottery", "casino"):
        change(invites={"block_keywords": [word]})
        reply = bob.post("/store-invite", INVITE | {"room_name": f"The {word.title()}"})
        assert (reply.status, reply.errcode) == (403, "M_UNAUTHORIZED")
    for plain in (False, True):
        change(lookup={"plain": plain})
        algorithms = bob.get("/hash_details").json["algorithms"]
        assert algorithms == (["sha256", "none"] if plain else ["sha256"])


def test_what_waits_for_a_restart_says_so(people, change):
    change(endpoints={"off": ["v1_lookup"]})
    log = people.identity.log()
    assert re.search("a changed key waits for a restart .*key=\"endpoints\"", log)
    assert 'key="invites"' not in log and 'key="homeservers"' not in log
    assert people.anybody.get(f"{V1}/lookup?medium=email&address=a@b.org").status == 200


# ---- whose users the service is there for


def refused(reply):
    assert (reply.status, reply.errcode) == (403, "M_UNAUTHORIZED"), reply


def test_a_homeserver_that_is_kept_out_is_kept_out_everywhere(people, change):
    inside, outside = people.sign_in("@ann:hs.test"), people.sign_in("@eve:out.test")
    invite = INVITE | {"sender": "@eve:out.test"}
    change(homeservers={"deny": ["out.*"]})
    refused(people.register(people.homeserver("out.test").issue("@eve:out.test")))
    refused(outside.get("/account"))
    refused(outside.post("/store-invite", invite))
    refused(people.anybody.post(f"{V1}/store-invite", invite))
    assert inside.get("/account").status == 200
    change(homeservers={"allow": ["hs.test"]})
    refused(outside.get("/account"))
    assert inside.get("/account").status == 200
    change(homeservers={})
    assert outside.get("/account").status == 200


def test_users_of_a_homeserver_that_is_kept_out_are_not_bound(tmp_path, request):
    world = MailWorld(tmp_path, {"homeservers": {"deny": ["out.test"]}})
    request.node.trinity_story = world.story
    try:
        world.start()
        mine = world.validation(world.anybody, "ann@example.org", base=V1).asked()
        assert mine.submit(mine.token).json == {"success": True}
        refused(mine.bind("@ann:out.test"))
        assert mine.bind("@ann:hs.test").status == 200
    finally:
        world.end()


def test_a_homeserver_that_is_kept_out_unbinds_nothing(people, change):
    change(homeservers={"deny": ["out.test"]})
    body = {"mxid": "@eve:out.test", "threepid": {"medium": "email", "address": "eve@example.org"}}
    header = 'X-Matrix origin="out.test",key="ed25519:a",sig="' + "A" * 86 + '"'
    before = len(people.homeserver("out.test").requests)
    for base in (V1, V2):
        reply = people.anybody.post(f"{base}/3pid/unbind", body, headers={"Authorization": header})
        assert (reply.status, reply.errcode) == (403, "M_FORBIDDEN"), reply
    assert len(people.homeserver("out.test").requests) == before, "its keys are not asked for"
