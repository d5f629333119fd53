"""A PostgreSQL of the test's own, from Debian's package: in a directory that goes away, on a free
loopback port, everybody trusted, nothing synced to disk.

    with Postgres() as server:
        address = server.create("synapse")
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import trinity

# Synapse asks for this order of text; durability is not what is tested here.
INITDB = ["--auth=trust", "--username=trinity", "--locale=C", "--encoding=UTF8", "--no-sync"]
SETTINGS = ["fsync=off", "listen_addresses=127.0.0.1", "unix_socket_directories="]


def programs():
    """Where the newest initdb and postgres are, or None."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


class Postgres:
    def __init__(self):
        self.port = trinity.free_port()
        # It refuses to run as root: the package's own user then does.
        self.user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        self.process = None

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="trinity-postgres-"))
        if self.user:
            shutil.chown(self.directory, **self.user)
        self.log = open(self.directory / "log", "wb")
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process:
            self.process.send_signal(signal.SIGINT)  # a fast shutdown
            self.process.wait(trinity.STOP_SECONDS)
        self.log.close()
        shutil.rmtree(self.directory)

    def _options(self):
        return {"stdin": subprocess.DEVNULL, "stdout": self.log, "stderr": self.log,
                "cwd": self.directory, **self.user}

    def _start(self):
        data = str(self.directory / "data")
        subprocess.run([programs() / "initdb", *INITDB, data], check=True, **self._options())
        settings = [word for each in SETTINGS for word in ("-c", each)]
        self.process = subprocess.Popen(
            [programs() / "postgres", "-D", data, "-p", str(self.port), *settings],
            **self._options(),
        )
        trinity.eventually(lambda: self._psql("SELECT 1"))

    def _psql(self, statements, database="postgres"):
        assert self.process.poll() is None, (self.directory / "log").read_text()
        command = [programs() / "psql", "-q", "-v", "ON_ERROR_STOP=1", self.address(database)]
        options = {**self._options(), "input": statements.encode()}
        del options["stdin"]
        return subprocess.run(command, **options).returncode == 0

    def address(self, database):
        return f"postgresql://trinity@127.0.0.1:{self.port}/{database}"

    def create(self, database, statements=""):
        """A new database with what these statements make; its address."""
        said = self.directory / "log"
        assert self._psql(f"CREATE DATABASE {database}"), said.read_text()
        assert self._psql(statements, database), said.read_text()
        return self.address(database)
