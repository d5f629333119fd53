"""Sydent on loopback: the identity service that ours is compared with, and takes over from.

    server = sydent.Sydent(directory)
    server.create()               # its database, without starting it for long
    server.start()

It runs on the Python of $TRINITY_SYDENT, which has the packages of
tests/interop/requirements-sydent.txt.
"""

import configparser
import http.client
import os
import pathlib
import sqlite3

import trinity

VENV = trinity.ROOT / "build" / "venv-sydent"
NAME = "sydent.test"


def python():
    """The Python that has Sydent, or None where it cannot be had."""
    chosen = os.environ.get("TRINITY_SYDENT", VENV / "bin" / "python")
    return str(chosen) if chosen and pathlib.Path(chosen).exists() else None


class Sydent(trinity.Daemon):
    """One identity service. configuration: section -> option -> text, over what is said here."""

    def __init__(self, directory, configuration=None):
        self.database_path = pathlib.Path(directory) / "sydent.db"
        super().__init__("sydent", directory, configuration, environment={"PYTHONPATH": ""})
        self.plain.daemon = None  # no schemas of ours for what it answers

    def defaults(self):
        return {
            "general": {"server.name": NAME, "log.level": "WARNING", "pidfile.path": "",
                        "templates.path": str(self.directory)},
            "db": {"db.file": str(self.database_path)},
            "http": {
                "clientapi.http.bind_address": "127.0.0.1",
                "clientapi.http.port": str(self.plain.port),
                "client_http_base": f"http://{NAME}",
                "replication.https.bind_address": "127.0.0.1",
                "replication.https.port": str(trinity.free_port()),
            },
            "email": {"email.hostname": NAME, "email.from": f"Sydent <noreply@{NAME}>"},
        }

    def write_configuration(self):
        parser = configparser.ConfigParser(interpolation=None)
        parser.read_dict(self.configuration)
        with open(self.conf_path, "w") as file:
            parser.write(file)
        self.environment["SYDENT_CONF"] = str(self.conf_path)

    def admin_listener(self):
        return self.plain

    def command_line(self):
        return [python(), "-m", "sydent.sydent"]

    def is_ready(self):
        try:
            return self.plain.request("GET", "/_matrix/identity/v2", timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    # ---- its database

    def create(self):
        """Its tables, its pepper and its signing key are there afterwards."""
        self.start()
        self.stop()
        return self

    def database(self):
        return sqlite3.connect(self.database_path)

    def pepper(self):
        with self.database() as database:
            return database.execute("SELECT lookup_pepper FROM hashing_metadata").fetchone()[0]

    def add_account(self, user_id, token):
        """As if the user had registered with it."""
        with self.database() as database:
            database.execute("INSERT INTO accounts VALUES (?, 0, NULL)", (user_id,))
            database.execute("INSERT INTO tokens VALUES (?, ?)", (token, user_id))
