"""Servers that a notary knows without having been there: made, signed, and imported."""

import json
import time

from canonicaljson import encode_canonical_json

import origins

QUERY = "/_matrix/key/v2/query"
AT_ONCE = 2000  # servers of one POST


def made(count, domain="example.org"):
    """(name, object as bytes) of servers, each with a key of its own."""
    for i in range(count):
        origin = origins.Origin(f"server-{i:05}.{domain}")
        yield origin.name, encode_canonical_json(origin.published())


def import_into(notary, count):
    """Their names; the notary knows them now."""
    path = notary.directory / "known"
    names = []
    with open(path, "w") as file:
        for name, text in made(count):
            names.append(name)
            file.write(json.dumps({"server": name, "object": text.decode()}) + "\n")
    done = notary.command("import", "trinity", path, seconds=600)
    assert f"{count} new" in done.stdout, done.stdout + done.stderr
    return names


def store_in_synapse(database, objects):
    """Into the table that Synapse answers other servers' questions from."""
    now = int(time.time() * 1000)
    rows = []
    for name, text in objects:
        published = json.loads(text)
        for key_id in published["verify_keys"]:
            rows.append((name, key_id, name, now, published["valid_until_ts"], text))
    database.executemany(
        "INSERT INTO server_keys_json (server_name, key_id, from_server, ts_added_ms,"
        " ts_valid_until_ms, key_json) VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.commit()


def question(names):
    return {"server_keys": {name: {} for name in names}}


def ask_all(notary, names):
    """Every server in a POST, then every server in a GET."""
    for i in range(0, len(names), AT_ONCE):
        answer = notary.post(QUERY, question(names[i : i + AT_ONCE])).json["server_keys"]
        assert len(answer) == len(names[i : i + AT_ONCE])
    connection = notary.plain.connection()
    for name in names:
        connection.request("GET", f"{QUERY}/{name}")
        reply = connection.getresponse()
        assert reply.status == 200 and name.encode() in reply.read()
    connection.close()


def objects_of(notary):
    """(name, object as bytes) of everything that it knows."""
    lines = notary.command("export").stdout.splitlines()
    return [(line["server"], line["object"].encode()) for line in map(json.loads, lines)]
