"""An LDAP directory on loopback: OpenLDAP's slapd in a directory of its own.

    with LdapServer(tmp_path) as ldap:
        ldap.add("ann", mail=["ann@example.com"])
        identity = world({"sources": [ldap.source()]})

People are below ou=people,dc=example,dc=org; who is signed in as READER may read them.
"""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess

import pytest

from mini import make_certificate
from trinity import eventually, free_port

SUFFIX = "dc=example,dc=org"
BASE = f"ou=people,{SUFFIX}"
ADMIN, ADMIN_PASSWORD = f"cn=admin,{SUFFIX}", "admin-secret"
READER, READER_PASSWORD = f"cn=reader,{SUFFIX}", "reader-secret"
SLAPD = "/usr/sbin/slapd"

CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/pid
TLSCACertificateFile {certificate}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
sizelimit size.soft=50 size.hard=50 size.prtotal=unlimited
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {admin_password}
directory {directory}/data
dbnosync
index objectClass,mail eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{reader}" read by * none
"""

TREE = f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Example

dn: {BASE}
objectClass: organizationalUnit

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: {READER_PASSWORD}
"""


class LdapServer:
    """Started, and ended by its process id. Nobody outside this machine can reach it."""

    def __init__(self, directory):
        if not os.path.exists(SLAPD):
            pytest.skip("slapd is not installed")
        self.directory = pathlib.Path(directory)
        self.port, self.tls_port = free_port(), free_port()
        self.process = None
        (self.directory / "data").mkdir(parents=True)
        self.certificate, key = make_certificate(self.directory / "tls", "127.0.0.1", kind="IP")
        (self.directory / "slapd.conf").write_text(CONFIGURATION.format(
            directory=self.directory, certificate=self.certificate, key=key, suffix=SUFFIX,
            admin=ADMIN, admin_password=ADMIN_PASSWORD, reader=READER))
        (self.directory / "password").write_text(READER_PASSWORD + "\n")

    def __enter__(self):
        self.start()
        self.modify(TREE, "ldapadd")
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- life

    def start(self):
        urls = " ".join(f"ldap://{address}:{self.port} ldaps://{address}:{self.tls_port}"
                        for address in ("127.0.0.1", "127.0.0.2"))
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [SLAPD, "-d", "0", "-f", str(self.directory / "slapd.conf"), "-h", urls],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self.answers)

    def answers(self):
        assert self.process.poll() is None, (self.directory / "log").read_text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True

    def stop(self):
        if self.process:
            self.hang(False)
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def hang(self, hangs=True):
        """Accepts connections and says nothing, until told otherwise."""
        self.process.send_signal(signal.SIGSTOP if hangs else signal.SIGCONT)

    # ---- what it knows

    def modify(self, ldif, tool="ldapmodify"):
        done = subprocess.run(
            [tool, "-x", "-H", f"ldap://127.0.0.1:{self.port}", "-D", ADMIN, "-w",
             ADMIN_PASSWORD], input=ldif.encode(), capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def add(self, uid, **attributes):
        self.add_many({uid: attributes})

    def add_many(self, people):
        entries = []
        for uid, attributes in people.items():
            values = {"uid": [uid], "cn": [uid], "sn": [uid], **attributes}
            lines = [f"{name}: {value}" for name, given in values.items() for value in given]
            entries.append("\n".join([f"dn: cn={uid},{BASE}", "objectClass: inetOrgPerson", *lines]))
        self.modify("\n\n".join(entries) + "\n", "ldapadd")

    def replace(self, uid, attribute, *values):
        lines = "".join(f"\n{attribute}: {value}" for value in values)
        self.modify(f"dn: cn={uid},{BASE}\nchangetype: modify\nreplace: {attribute}{lines}\n")

    def remove(self, uid):
        self.modify(f"dn: cn={uid},{BASE}\nchangetype: delete\n")

    # ---- for the identity service

    def source(self, **more):
        """An entry of `sources`."""
        return {"name": "staff", "type": "ldap", "url": f"ldaps://127.0.0.1:{self.tls_port}",
                "ca_file": str(self.certificate), "user": READER,
                "password_file": str(self.directory / "password"), "base": BASE,
                "user_id": "@{uid}:example.org", **more}
