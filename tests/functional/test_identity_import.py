"""An identity service takes a Sydent's place: what it knew goes on, and what is wrong is named."""

import base64
import hashlib
import json
import re
import sqlite3

import pytest
import signedjson.key
from signedjson.sign import verify_signed_json
from unpaddedbase64 import encode_base64

from identity_world import V1, Client
from origins import now_ms
from smtp_sink import SmtpSink
from sydent_database import SydentDatabase, association, signed_by
from trinity import eventually

PEPPER = "Bsyd1"
SEED = "YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"
PUBLIC = "XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI"
URL = "https://id.test/terms-en"
CONFIGURATION = {"terms": {"documents": [{"id": "tos", "version": "1", "languages": [
    {"language": "en", "name": "Terms", "url": URL}]}]}}
CONF = f"""
[DEFAULT]
client_http_base = http://id.test/
; in its own section it is empty, as old versions wrote it
[general]
server.name = id.test
[http]
client_http_base =
[crypto]
ed25519.signingkey = ed25519 0 {SEED}
"""


@pytest.fixture
def old(tmp_path):
    """A Sydent's database, still to be filled and saved."""
    return SydentDatabase(tmp_path / "sydent.db")


@pytest.fixture
def conf(tmp_path):
    path = tmp_path / "sydent.conf"
    path.write_text(CONF)
    return str(path)


@pytest.fixture
def new(make_people):
    """The service that takes over, running."""
    return make_people().start()


def counts(output):
    """table -> word -> number, of an import's output."""
    found = {}
    for line in output.splitlines():
        table, _, rest = line.partition(": ")
        if re.fullmatch(r"(\d+ \w+ ?)+", rest):
            found[table] = {word: int(n) for n, word in re.findall(r"(\d+) (\w+)", rest)}
    return found


def left_out(output):
    """(table, row) -> reason."""
    return {(table, int(row)): why for table, row, why in
            re.findall(r"^left out: (\w+) (\d+): (\w+)", output, re.M)}


def look_up(client, *addresses, pepper=None):
    """Who the e-mail addresses are of, asked for by their hashes."""
    pepper = pepper or client.get("/hash_details").json["lookup_pepper"]
    hashes = {}
    for address in addresses:
        digest = hashlib.sha256(f"{address} email {pepper}".encode()).digest()
        hashes[base64.urlsafe_b64encode(digest).decode().rstrip("=")] = address
    reply = client.post("/lookup", {"algorithm": "sha256", "pepper": pepper,
                                    "addresses": list(hashes)})
    assert reply.status == 200, reply
    return {hashes[key]: user for key, user in reply.json["mappings"].items()}


def test_peers_are_printed_as_they_are_configured_here(people, old):
    old.peer("peer.test", PUBLIC)
    output = people.command("import-sydent", "--dry-run", old.save())
    assert f'  peers:\n    - name: "peer.test"\n      public_keys: ["{PUBLIC}"]\n' in output


def v1_lookup(world, address):
    return world.anybody.get(f"{V1}/lookup?medium=email&address={address}").json


def test_clients_stay_signed_in_until_they_sign_out(new, old):
    old.account("@ann:hs.test", "ann-has-this-token", "and-another")
    path = old.save()
    output = new.command("import-sydent", path)
    assert counts(output)["tokens"] == {"new": 2}
    ann = Client(new.identity, "ann-has-this-token")
    assert ann.get("/account").json == {"user_id": "@ann:hs.test"}
    assert ann.post("/account/logout").status == 200
    assert counts(new.command("import-sydent", path))["tokens"] == {"known": 2}
    assert ann.get("/account").status == 401


def test_people_are_found_with_the_old_pepper_then_with_a_new_one(new, old, conf):
    old.pepper(PEPPER)
    old.bind("ann@example.com", "@ann:hs.test", ts=1600000000000)
    old.account("@bob:hs.test", "token")
    new.command("import-sydent", old.save(), conf)
    bob = Client(new.identity, "token")
    assert look_up(bob, "ann@example.com", pepper=PEPPER) == {"ann@example.com": "@ann:hs.test"}
    eventually(lambda: bob.get("/hash_details").json["lookup_pepper"] != PEPPER)
    for pepper in (PEPPER, None):
        assert look_up(bob, "ann@example.com", pepper=pepper) == {
            "ann@example.com": "@ann:hs.test"}


def test_associations_are_signed_with_the_old_key_as_they_were(new, old, conf):
    key = signedjson.key.decode_signing_key_base64("ed25519", "0", SEED)
    said = association("ann@example.com", "@ann:hs.test", 1600000000000)
    signed = signed_by(key, "id.test", said)
    old.bind("ann@example.com", "@ann:hs.test", ts=1600000000000)
    old.replicate("id.test", 1, signed)
    output = new.command("import-sydent", old.save(), conf)
    assert 'server_name: "id.test"' in output and 'public_base_url: "http://id.test"' in output
    assert v1_lookup(new, "ann@example.com") == signed
    public = new.anybody.get("/pubkey/ed25519:0").json["public_key"]
    assert public == PUBLIC
    verify_signed_json(signed, "id.test", signedjson.key.decode_verify_key_bytes(
        "ed25519:0", base64.b64decode(public + "=")))


def test_the_newest_association_of_an_address_wins(new, old):
    peer = signedjson.key.generate_signing_key("0")
    old.peer("peer.test", encode_base64(peer.verify_key.encode()))
    old.bind("case@example.com", "@old:hs.test", ts=1600000000000)
    older = old.bind("Case@Example.com", "@older:hs.test", ts=1500000000000)
    old.bind("gone@example.com", None, ts=1600000000000)
    old.replicate("id.test", 7, signed_by(peer, "id.test", association(
        "gone@example.com", "@was:hs.test", 1500000000000)))
    newer = signed_by(peer, "peer.test", association(
        "moved@example.com", "@moved:peer.test", 1700000000000))
    old.bind("moved@example.com", "@old:hs.test", ts=1600000000000)
    old.replicate("peer.test", 3, newer)
    old.account("@bob:hs.test", "token")
    output = new.command("import-sydent", old.save())
    found = look_up(Client(new.identity, "token"), "case@example.com", "gone@example.com",
                    "moved@example.com")
    assert found == {"case@example.com": "@old:hs.test", "moved@example.com": "@moved:peer.test"}
    assert left_out(output) == {("local_threepid_associations", older): "spelling"}
    assert counts(output)["local_threepid_associations"] == {
        "new": 2, "older": 1, "spelling": 1}
    assert counts(output)["global_threepid_associations"] == {"new": 1, "older": 1}
    signatures = v1_lookup(new, "moved@example.com")["signatures"]
    assert set(signatures) >= {"peer.test"}


def test_the_owner_of_an_address_learns_who_has_it_now(make_people, old, tmp_path):
    with SmtpSink() as sink:
        new = make_people({"mail": sink.conf(tmp_path)}).start()
        old.bind("case@example.com", "@new:hs.test", ts=1600000000000)
        old.bind("Case@Example.com", "@former:hs.test", ts=1500000000000)
        old.bind("same@example.com", "@same:hs.test", ts=1600000000000)
        old.bind("Same@example.com", "@same:hs.test", ts=1500000000000)
        path = old.save()
        new.command("import-sydent", "--dry-run", path)
        for _ in range(2):
            new.command("import-sydent", path)
        mail = sink.only_mail_to("case@example.com")
        assert "@new:hs.test" in mail.text and "@former:hs.test" in mail.text
        assert len(sink.mails) == 1


def test_old_invites_are_valid_and_sign(new, old, conf):
    seed = bytes(range(32))
    key = signedjson.key.decode_signing_key_base64("ed25519", "0", encode_base64(seed))
    public = encode_base64(key.verify_key.encode()).replace("+", "-").replace("/", "_")
    old.ephemeral_key(public)
    old.invite("zoe@example.com", "pending")
    old.invite("zoe@example.com", "told", sent=1600000001)
    new.command("import-sydent", old.save(), conf)
    for path, text in (("pubkey/isvalid", PUBLIC), ("pubkey/ephemeral/isvalid", public)):
        reply = new.anybody.get(f"{V1}/{path}?public_key={text.replace('+', '%2B')}")
        assert reply.json == {"valid": True}, (path, reply)
    for token in ("pending", "told"):
        signed = new.anybody.post(
            f"{V1}/sign-ed25519?mxid=@zoe:hs.test&token={token}&private_key="
            + encode_base64(seed)).json
        assert signed["sender"] == "@bob:hs.test"
        verify_signed_json(signed, "id.test", signedjson.key.get_verify_key(key))


def test_sessions_go_on_where_they_were(new, old):
    now = now_ms()
    asked = old.session("Ann@Example.com", "secret", "token", mtime=now - 3600_000)
    proved = old.session("bob@example.com", "secret", "token", mtime=now - 3600_000, validated=1)
    expired = old.session("eve@example.com", "secret", "token", mtime=now - 30 * 3600_000)
    old.session("old@example.com", "secret", "token", mtime=1)
    old.account("@ann:hs.test", "token")
    output = new.command("import-sydent", old.save())
    assert counts(output)["threepid_validation_sessions"] == {"new": 3, "over": 1}
    ann = Client(new.identity, "token")

    def validated(sid):
        return ann.get(f"/3pid/getValidated3pid?sid={sid}&client_secret=secret")

    assert validated(asked).errcode == "M_SESSION_NOT_VALIDATED"
    reply = ann.post("/validate/email/submitToken",
                     {"sid": str(asked), "client_secret": "secret", "token": "token"})
    assert reply.json == {"success": True}, reply
    assert validated(asked).json["address"] == "ann@example.com"
    assert validated(proved).json["validated_at"] == now - 3600_000
    assert validated(expired).errcode == "M_SESSION_EXPIRED"


def test_consents_count_where_the_document_is_the_same(make_people, old):
    new = make_people(CONFIGURATION).start()
    old.account("@yes:hs.test", "yes")
    old.account("@no:hs.test", "no")
    old.insert("accepted_terms_urls", user_id="@yes:hs.test", url=URL)
    old.insert("accepted_terms_urls", user_id="@no:hs.test", url=URL + "-older")
    output = new.command("import-sydent", old.save())
    assert counts(output)["accepted_terms_urls"] == {"new": 1, "unused": 1}
    assert Client(new.identity, "yes").get("/account").status == 200
    assert Client(new.identity, "no").get("/account").errcode == "M_TERMS_NOT_SIGNED"


def fill(old):
    old.pepper(PEPPER)
    old.bind("ann@example.com", "@ann:hs.test", ts=1600000000000)
    old.bind("gone@example.com", None, ts=1600000000000)
    old.account("@ann:hs.test", "token")
    old.invite("zoe@example.com", "invited")
    old.ephemeral_key(PUBLIC)
    old.session("ann@example.com", "secret", "token", mtime=now_ms())
    return old.save()


def test_the_audit_log_knows_of_an_import(new, old):
    path = fill(old)
    new.command("import-sydent", "--dry-run", path)
    new.command("import-sydent", path)
    (entry,) = json.loads(new.command("audit", "--json"))["audit"]
    assert (entry["what"], entry["thing"]) == ("import", "Sydent")


def test_a_dry_run_says_the_same_and_changes_nothing(new, old, conf):
    path = fill(old)
    before = counts(new.command("import-sydent", "--dry-run", path, conf))
    assert before == counts(new.command("import-sydent", path, conf, "--dry-run"))
    assert Client(new.identity, "token").get("/account").status == 401
    assert new.anybody.get("/pubkey/ed25519:0").json["public_key"] != PUBLIC
    assert counts(new.command("import-sydent", path, conf)) == before


def test_a_second_import_changes_nothing(new, old, conf):
    path = fill(old)
    first = counts(new.command("import-sydent", path, conf))
    key_file = new.story.directory / "identity.key"
    key = key_file.read_bytes()
    association = v1_lookup(new, "ann@example.com")
    second = counts(new.command("import-sydent", path, conf))
    assert second == {table: {"known": sum(words.values())} for table, words in first.items()}
    assert key_file.read_bytes() == key
    assert v1_lookup(new, "ann@example.com") == association


def test_a_newer_binding_here_is_not_undone(new, old, tmp_path):
    old.bind("ann@example.com", "@ann:hs.test", ts=1600000000000)
    new.command("import-sydent", old.save())
    older = SydentDatabase(tmp_path / "older.db")
    older.bind("ann@example.com", "@before:hs.test", ts=1500000000000)
    output = new.command("import-sydent", older.save())
    assert counts(output)["local_threepid_associations"]["older"] == 1
    assert v1_lookup(new, "ann@example.com")["mxid"] == "@ann:hs.test"


def test_every_row_that_cannot_be_is_named_by_its_reason(new, old):
    peer = signedjson.key.generate_signing_key("0")
    other = signedjson.key.generate_signing_key("0")
    old.peer("peer.test", encode_base64(peer.verify_key.encode()))
    local, far = "local_threepid_associations", "global_threepid_associations"
    said = association("forged@example.com", "@x:peer.test", 1)
    expected = {
        (local, old.bind("no address", "@ann:hs.test", ts=1)): "bad_address",
        (local, old.bind("1@example.com", "not a user", ts=1)): "bad_user",
        (local, old.bind("2@example.com", "@ann:hs.test", ts=1, notAfter=None)): "bad_type",
        (local, old.bind("3@example.com", "@ann:hs.test", ts=-1)): "bad_number",
        (local, old.bind("4@example.com", b"@ann:hs.test", ts=1)): "bad_type",
        (local, old.bind("5@example.com", "@a\0b:hs.test", ts=1)): "bad_text",
        (local, old.bind("6@example.com", "@ann:hs.test", ts=1, medium="fax")): "bad_address",
        (far, old.replicate("peer.test", 1, signed_by(other, "peer.test", said))):
            "bad_signature",
        (far, old.replicate("peer.test", 2, signed_by(peer, "peer.test", association(
            "2far@example.com", "@x:peer.test", 1)), sgAssoc="{")): "bad_association",
        (far, old.replicate("no name", 3, association("3far@example.com", "@x:y.test", 1))):
            "bad_origin",
        ("tokens", old.insert("tokens", token="x", user_id="nobody")): "bad_user",
        ("tokens", old.insert("tokens", token="", user_id="@ann:hs.test")): "bad_token",
        ("accounts", old.insert("accounts", user_id="nobody", created_ts=1)): "bad_user",
        ("ephemeral_public_keys", old.insert("ephemeral_public_keys", public_key="x")): "bad_key",
        ("invite_tokens", old.invite("zoe@example.com", "")): "bad_token",
        ("invite_tokens", old.invite("zoe@example.com", "1", sender="bob")): "bad_user",
        ("invite_tokens", old.invite("zoe", "2")): "bad_address",
        ("invite_tokens", old.invite("zoe@example.com", "3", room_id="")): "bad_room",
        ("threepid_validation_sessions", old.session("a@example.com", "a b", "t", 2**52)):
            "bad_secret",
        ("threepid_validation_sessions", old.session("a@example.com", "a", None, 2**52)):
            "bad_token",
    }
    output = new.command("import-sydent", old.save())
    assert left_out(output) == expected
    total = sum(n for words in counts(output).values() for word, n in words.items()
                if word.startswith("bad_"))
    assert total == len(expected)


def damaged(path):
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)


def viewed(path):
    with sqlite3.connect(path) as rows:
        rows.executescript("DROP TABLE invite_tokens; CREATE VIEW invite_tokens AS WITH "
                           "RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
                           "SELECT x AS id, 'email' AS medium FROM c;")
    rows.close()


def newer(path):
    with sqlite3.connect(path) as rows:
        rows.execute("PRAGMA user_version = 6")
    rows.close()


def in_use(path):
    path.with_name(path.name + "-journal").write_bytes(b"x")


@pytest.mark.parametrize("spoil, why", [
    (damaged, "damaged|cannot be read"), (viewed, "no database of a Sydent"),
    (newer, "version 6"), (in_use, "journal"),
    (lambda path: path.write_bytes(b"text" * 5000), "cannot be read"),
    (lambda path: path.write_bytes(b""), "no database of a Sydent"),
    (lambda path: path.unlink(), "No such file"),
    (lambda path: (path.unlink(), path.mkdir()), "no file"),
], ids=["damaged", "view", "newer", "in use", "text", "empty", "absent", "directory"])
def test_a_file_that_cannot_be_trusted_is_refused(people, tmp_path, spoil, why):
    database = SydentDatabase(tmp_path / "sydent.db")
    database.bind("ann@example.com", "@ann:hs.test", ts=1)
    path = database.save()
    spoil(tmp_path / "sydent.db")
    output = people.command("import-sydent", path, status=1)
    assert re.search(why, output), output


def test_another_services_name_stops_the_import(people, old, tmp_path):
    old.account("@ann:hs.test", "token-of-another")
    conf = tmp_path / "other.conf"
    conf.write_text("[general]\nserver.name = other.test\n[http]\nclient_http_base = http://x\n")
    output = people.command("import-sydent", old.save(), str(conf), status=1)
    assert 'server_name: "other.test"' in output and "server_name is id.test here" in output
    assert Client(people.identity, "token-of-another").get("/account").status == 401
