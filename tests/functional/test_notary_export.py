"""What leaves a notary is what came in, byte for byte; what is in use can be read."""

import json
import sqlite3

from canonicaljson import encode_canonical_json

from origins import DAY_MS, Origin, now_ms

ODD = 'größe \u2028\u0085 " \\ \U0001f511'


def objects(world, server):
    """The exact text of each object of a server in an export."""
    rows = map(json.loads, world.command("export").splitlines())
    return [row["object"] for row in rows if row["server"] == server]


def test_exported_objects_are_the_origins_bytes(make_world):
    world = make_world().start()
    a = world.origins.add("a.test")
    a.extra = {"org.example.odd": ODD, "numbers": [9007199254740991, -1, 0]}
    expected = []
    for days in (1, 2, 3):
        a.valid_until_ts = now_ms() + days * DAY_MS
        expected.append(encode_canonical_json(a.published()).decode())
        world.refetch("a.test")
    assert objects(world, "a.test") == expected
    assert world.command("export").isascii(), "no reader splits a line in two"


def test_an_export_goes_on_over_many_pages(make_world):
    world = make_world().start()
    names = sorted(origin.name for origin in world.origins.add_many("many.test", 230, listeners=4))
    world.post({name: {} for name in names})
    exported = [json.loads(line)["server"] for line in world.command("export").splitlines()]
    assert exported == sorted([*names, "notary.test"])


def test_a_sqlite_database_is_read_while_somebody_writes_into_it(make_world, tmp_path):
    world = make_world().start()
    database = sqlite3.connect(tmp_path / "homeserver.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE server_keys_json (server_name TEXT, ts_added_ms BIGINT, "
                     "key_json BLOB)")
    text = encode_canonical_json(Origin("good.test").published())
    database.execute("INSERT INTO server_keys_json VALUES ('good.test', 1, ?)", (text,))
    database.commit()
    database.execute("BEGIN IMMEDIATE")
    database.execute("DELETE FROM server_keys_json")
    world.command("import", "synapse", tmp_path / "homeserver.db")
    database.close()
    assert objects(world, "good.test") == [text.decode()]
    [version] = world.inspect("good.test")["versions"]
    assert version["source"] == "import synapse"


def test_an_import_stops_when_the_daemon_does_not_answer(make_world, tmp_path):
    text = encode_canonical_json(Origin("good.test").published()).decode()
    (tmp_path / "export").write_text(json.dumps({"server": "good.test", "object": text}))
    shown = make_world().command("import", "trinity", tmp_path / "export", status=1)
    assert "is the daemon running" in shown and "can be run again" in shown
