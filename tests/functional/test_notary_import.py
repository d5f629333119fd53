"""What other key servers have collected is taken over: each object verified, each refusal named."""

import json
import re
import sqlite3

import pytest
from canonicaljson import encode_canonical_json

import postgres
from notary_world import NAME
from origins import DAY_MS, Origin, now_ms

SYNAPSE_TABLE = """
	CREATE TABLE server_keys_json (
		server_name TEXT NOT NULL, key_id TEXT NOT NULL, from_server TEXT NOT NULL,
		ts_added_ms BIGINT NOT NULL, ts_valid_until_ms BIGINT NOT NULL, key_json {bytes} NOT NULL,
		UNIQUE (server_name, key_id, from_server))
"""
KEY_SERVER_TABLES = """
	CREATE TABLE remote_servers (
		server_name VARCHAR(255) NOT NULL PRIMARY KEY, updated_ts BIGINT NOT NULL,
		valid_until_ts BIGINT NOT NULL, nonstandard_json JSON NOT NULL);
	CREATE TABLE remote_keys (
		server_name VARCHAR(255) NOT NULL REFERENCES remote_servers, key_id VARCHAR(255) NOT NULL,
		public_key_b64 VARCHAR(255) NOT NULL, expires_ts BIGINT NOT NULL DEFAULT 0,
		PRIMARY KEY (server_name, key_id));
	CREATE TABLE remote_signatures (
		server_name VARCHAR(255) NOT NULL REFERENCES remote_servers, key_id VARCHAR(255) NOT NULL,
		signature_b64 VARCHAR(255) NOT NULL, PRIMARY KEY (server_name, key_id));
"""


class Rows:
    """Rows of Synapse's table: what it stores for every key id of an object that it got."""

    def __init__(self):
        self.rows = []

    def add(self, server, key_json, key_ids=("ed25519:a",), told_by=None):
        """key_json: an object, or bytes as they are."""
        if not isinstance(key_json, bytes):
            key_json = encode_canonical_json(key_json)
        for key_id in key_ids:
            number = len(self.rows)  # in the place of a time
            self.rows.append((server, key_id, told_by or server, number, number, key_json))
        return self

    def save(self, path):
        with sqlite3.connect(path) as database:
            database.execute(SYNAPSE_TABLE.format(bytes="BYTEA"))
            database.executemany("INSERT INTO server_keys_json VALUES (?,?,?,?,?,?)", self.rows)
        database.close()
        return path

    def sql(self):
        """The same for PostgreSQL."""
        statements = [SYNAPSE_TABLE.format(bytes="BYTEA")]
        for server, key_id, told_by, added, until, key_json in self.rows:
            statements.append(
                f"INSERT INTO server_keys_json VALUES ({quoted(server)}, {quoted(key_id)}, "
                f"{quoted(told_by)}, {added}, {until}, '\\x{key_json.hex()}')"
            )
        return ";\n".join(statements)


@pytest.fixture(scope="module")
def database_server():
    if not postgres.programs():
        pytest.skip("PostgreSQL is not installed")
    with postgres.Postgres() as server:
        yield server


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def counts(output):
    """The last line of an import, without what is 0."""
    found = re.findall(r"(\d+) (\w+)", output.splitlines()[-1])
    return {word: int(number) for number, word in found if int(number)}


def published(name, **more):
    """What the origin of this name says, and the origin."""
    origin = Origin(name, **more)
    return origin, origin.published()


def changed(said, **members):
    return {**said, **members}


def without_notary(entries):
    """What the origins themselves have signed."""
    for entry in entries:
        del entry["signatures"][NAME]
    return entries


# ---- Synapse


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_synapse_database_is_taken_over_and_its_bad_rows_are_named(
    world, tmp_path, kind, request
):
    _, good = published(f"good.{kind}.test", key_ids=("ed25519:a", "ed25519:b"))
    _, bad = published(f"bad.{kind}.test")
    rows = Rows().add(good["server_name"], good, ("ed25519:a", "ed25519:b"))
    rows.add("changed.test", changed(bad, server_name="changed.test"))
    rows.add("late.test", changed(published("late.test")[1], valid_until_ts=1))
    rows.add("unsigned.test", changed(published("unsigned.test")[1], signatures={}))
    rows.add("other.test", bad)
    rows.add("text.test", b"<html>").add("bytes.test", b'{"a":"\xff"}').add("nul.test", b"{}\0")
    rows.add("huge.test", b" " * 65537).add("no name", bad)
    if kind == "sqlite":
        source = rows.save(tmp_path / "homeserver.db")
    else:
        server = request.getfixturevalue("database_server")
        source = server.create("synapse", rows.sql())

    output = world.command("import", "synapse", source)
    assert without_notary(world.ask(good["server_name"])) == [good]
    assert counts(output) == {"read": 11, "new": 1, "known": 1, "rejected": 9}
    refused = {words[1].rstrip(":"): words[2] for words in map(str.split, output.splitlines()[:-1])}
    assert refused == {
        "changed.test": "unsigned:", "late.test": "bad_signature:", "unsigned.test": "unsigned:",
        "other.test": "wrong_server:", "text.test": "not_json:", "bytes.test": "not_json:",
        "nul.test": "not_json:", "huge.test": "too_large:", "a": "row:",
    }
    assert counts(world.command("import", "synapse", source))["known"] == 2


def test_every_batch_of_many_rows_is_taken_over(world, tmp_path):
    rows = Rows()
    for i in range(450):
        rows.add(f"s{i}.batch.test", published(f"s{i}.batch.test")[1])
        rows.add(f"bad{i % 3}.batch.test", b"{}", (f"ed25519:{i}",))
    output = world.command("import", "synapse", rows.save(tmp_path / "many.db"))
    assert counts(output) == {"read": 900, "new": 450, "rejected": 450}
    names = [f"s{i}.batch.test" for i in (0, 199, 200, 449)]
    assert len(world.post({name: {} for name in names})) == len(names)


def test_of_two_keys_with_one_id_the_older_row_is_kept(world, tmp_path):
    origin, first = published("twice.test")
    origin.replace("ed25519:a")
    rows = Rows().add("twice.test", first, told_by="twice.test")
    rows.add("twice.test", origin.published(), told_by="notary.example")
    rows.rows.reverse()
    output = world.command("import", "synapse", rows.save(tmp_path / "twice.db"))
    assert counts(output) == {"read": 2, "new": 1, "conflicting": 1}
    assert without_notary(world.ask("twice.test")) == [first]
    assert "ed25519:a of twice.test" in world.command("conflicts")


def test_what_is_no_synapse_database_is_refused_with_words(world, tmp_path):
    (tmp_path / "text").write_text("no database at all, " * 100)
    assert "file is not a database" in world.command(
        "import", "synapse", tmp_path / "text", status=1
    )
    sqlite3.connect(tmp_path / "empty.db").close()
    assert "no such table: server_keys_json" in world.command(
        "import", "synapse", tmp_path / "empty.db", status=1
    )


def test_a_database_that_does_not_answer_is_named_without_its_password(world):
    said = world.command(
        "import", "synapse", "postgresql://me:opensesame@127.0.0.1:1/synapse", status=1
    )
    assert "127.0.0.1" in said and "refused" in said and "opensesame" not in said


# ---- matrix-key-server


def key_server_rows(origin, said):
    """The statements that store an object in matrix-key-server's tables."""
    name = quoted(origin.name)
    more = quoted(json.dumps(origin.extra))
    yield f"INSERT INTO remote_servers VALUES ({name}, 1, {said['valid_until_ts']}, {more})"
    for key_id, key in {**said["verify_keys"], **said["old_verify_keys"]}.items():
        expires = key.get("expired_ts", 0)
        yield (f"INSERT INTO remote_keys VALUES "
               f"({name}, {quoted(key_id)}, {quoted(key['key'])}, {expires})")
    for key_id, signature in said["signatures"][origin.name].items():
        yield (f"INSERT INTO remote_signatures VALUES "
               f"({name}, {quoted(key_id)}, {quoted(signature)})")


def test_objects_are_put_together_from_the_tables_of_a_key_server(world, database_server):
    plain, rich, bad = Origin("plain.test"), Origin("rich.test"), Origin("forged.test")
    rich.rotate("ed25519:b")
    rich.add_key("ed25519:c")
    rich.extra = {"org.example.größe": {"ü": [1, None, "\u2028'"]}, "tls_fingerprints": []}
    said = [origin.published() for origin in (plain, rich, bad)]
    said[2]["signatures"] = {"forged.test": {"ed25519:a": "A" * 86}}
    statements = [KEY_SERVER_TABLES]
    for origin, one in zip((plain, rich, bad), said):
        statements += key_server_rows(origin, one)
    source = database_server.create("keyserver", ";\n".join(statements))

    output = world.command("import", "key-server", source)
    assert counts(output) == {"read": 3, "new": 2, "rejected": 1}
    assert "rejected forged.test: bad_signature: " in output
    assert without_notary(world.ask("plain.test")) == [said[0]]
    assert without_notary(world.ask("rich.test")) == [said[1]]
    assert world.ask("forged.test") == []


def test_a_database_of_something_else_is_refused_with_words(world, database_server):
    source = database_server.create("something_else")
    for kind, table in (("synapse", "server_keys_json"), ("key-server", "remote_servers")):
        said = world.command("import", kind, source, status=1)
        assert f'relation "{table}" does not exist' in said


# ---- another notary of ours


def test_a_notary_gives_its_whole_history_to_another(world, make_world):
    a = world.origins.add("history.test")
    world.ask("history.test")
    for key_id in ("ed25519:b", "ed25519:c"):
        a.rotate(key_id)
        world.refetch("history.test")
    a.valid_until_ts = now_ms() + 2 * DAY_MS
    world.refetch("history.test")
    exported = world.command("export")
    mine = [line for line in exported.splitlines() if '"history.test"' in line]
    assert len(mine) == 4  # three sets of keys, and a renewal

    other = make_world().start()
    output = other.command("import", "trinity", "-", stdin="\n".join([*mine, "", " \r", "{}", "x"]))
    assert counts(output) == {"read": 4, "new": 3, "renewed": 1, "rejected": 2}
    assert "rejected line 7: not_json" in output and "rejected line 8: not_json" in output
    assert without_notary(other.ask("history.test")) == without_notary(world.ask("history.test"))
    assert other.command("export").count('"history.test"') == exported.count('"history.test"')
