"""A database as Sydent leaves it, and rows that it never would.

    database = SydentDatabase(path)
    database.bind("ann@example.com", "@ann:hs.test", ts=1)
    database.save()
"""

import json
import sqlite3

from signedjson.sign import sign_json

TABLES = """
    PRAGMA user_version = 5;
    CREATE TABLE local_threepid_associations (
        id integer primary key autoincrement, medium varchar(16) not null,
        address varchar(256) not null, mxid varchar(256), ts integer, notBefore bigint,
        notAfter bigint, lookup_hash varchar(256));
    CREATE UNIQUE INDEX local_medium_address ON local_threepid_associations (medium, address);
    CREATE TABLE global_threepid_associations (
        id integer primary key autoincrement, medium varchar(16) not null,
        address varchar(256) not null, mxid varchar(256) not null, ts integer not null,
        notBefore bigint not null, notAfter integer not null,
        originServer varchar(255) not null, originId integer not null, sgAssoc text not null,
        lookup_hash varchar(256));
    CREATE UNIQUE INDEX origin ON global_threepid_associations (originServer, originId);
    CREATE TABLE threepid_validation_sessions (
        id integer primary key, medium varchar(16) not null, address varchar(256) not null,
        clientSecret varchar(32) not null, validated int default 0, mtime bigint not null);
    CREATE TABLE threepid_token_auths (
        id integer primary key, validationSession integer not null, token varchar(32) not null,
        sendAttemptNumber integer not null);
    CREATE TABLE invite_tokens (
        id integer primary key, medium varchar(16) not null, address varchar(256) not null,
        room_id varchar(256) not null, sender varchar(256) not null, token varchar(256) not null,
        received_ts bigint, sent_ts bigint);
    CREATE TABLE ephemeral_public_keys (
        id integer primary key, public_key varchar(256) not null, verify_count bigint default 0,
        persistence_ts bigint);
    CREATE TABLE peers (
        id integer primary key, name varchar(255) not null, port integer default null,
        lastSentVersion integer, lastPokeSucceededAt integer, active integer not null default 0);
    CREATE TABLE peer_pubkeys (
        id integer primary key, peername varchar(255) not null, alg varchar(16) not null,
        key text not null);
    CREATE UNIQUE INDEX peername_alg ON peer_pubkeys (peername, alg);
    CREATE TABLE hashing_metadata (id integer primary key, lookup_pepper varchar(256));
    CREATE TABLE accounts (
        user_id TEXT NOT NULL PRIMARY KEY, created_ts BIGINT NOT NULL, consent_version TEXT);
    CREATE TABLE tokens (token TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL);
    CREATE TABLE accepted_terms_urls (user_id TEXT NOT NULL, url TEXT NOT NULL);
"""
FOREVER_MS = 3153600000000


def association(address, user_id, ts, medium="email"):
    """Unsigned, as services write it; user None: a tombstone."""
    times = (ts, ts + FOREVER_MS) if user_id else (None, None)
    return {"medium": medium, "address": address, "mxid": user_id, "ts": ts,
            "not_before": times[0], "not_after": times[1]}


class SydentDatabase:
    def __init__(self, path):
        self.path = path
        self.rows = sqlite3.connect(path)
        self.rows.executescript(TABLES)

    def insert(self, table, **cells):
        names = ", ".join(cells)
        marks = ", ".join("?" * len(cells))
        row = self.rows.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})",
                                tuple(cells.values()))
        return row.lastrowid

    def save(self):
        self.rows.commit()
        self.rows.close()
        return str(self.path)

    # ---- rows

    def bind(self, address, user_id, ts, medium="email", **cells):
        """An association of its own; user None: a tombstone."""
        said = association(address, user_id, ts, medium)
        return self.insert("local_threepid_associations", **{
            "medium": medium, "address": address, "mxid": user_id, "ts": ts,
            "notBefore": said["not_before"], "notAfter": said["not_after"], **cells})

    def replicate(self, origin, number, signed, **cells):
        """What the peer has pushed, or it has itself copied there."""
        return self.insert("global_threepid_associations", **{
            "medium": signed["medium"], "address": signed["address"], "mxid": signed["mxid"],
            "ts": signed["ts"], "notBefore": signed["not_before"],
            "notAfter": signed["not_after"], "originServer": origin, "originId": number,
            "sgAssoc": json.dumps(signed), **cells})

    def peer(self, name, public_key):
        self.insert("peers", name=name, active=1)
        self.insert("peer_pubkeys", peername=name, alg="ed25519", key=public_key)

    def session(self, address, secret, token, mtime, validated=0, medium="email", **cells):
        number = self.insert("threepid_validation_sessions", **{
            "medium": medium, "address": address, "clientSecret": secret,
            "validated": validated, "mtime": mtime, **cells})
        if token is not None:
            self.insert("threepid_token_auths", validationSession=number, token=token,
                        sendAttemptNumber=-1)
        return number

    def invite(self, address, token, sender="@bob:hs.test", room_id="!room:hs.test",
               received=1600000000, sent=None, medium="email"):
        return self.insert("invite_tokens", medium=medium, address=address, room_id=room_id,
                           sender=sender, token=token, received_ts=received, sent_ts=sent)

    def ephemeral_key(self, public_key):
        self.insert("ephemeral_public_keys", public_key=public_key, persistence_ts=1600000000)

    def account(self, user_id, *tokens):
        self.insert("accounts", user_id=user_id, created_ts=1500000000000)
        for token in tokens:
            self.insert("tokens", token=token, user_id=user_id)

    def pepper(self, text):
        self.insert("hashing_metadata", id=1, lookup_pepper=text)


def signed_by(key, origin, said):
    return sign_json(dict(said), origin, key)
