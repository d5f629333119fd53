"""A certificate authority for tests, by openssl(1), and certificates as wrong as one likes."""

import hashlib
import ipaddress
import pathlib
import ssl
import subprocess

EC_KEY = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def _openssl(*arguments, start_days=0):
    before = ["faketime", f"{start_days:+d} days"] if start_days else []
    subprocess.run([*before, "openssl", *map(str, arguments)], check=True, capture_output=True)


def _alternative_name(name):
    if name.startswith("dns:"):
        return "DNS:" + name[4:]
    try:
        return f"IP:{ipaddress.ip_address(name)}"
    except ValueError:
        return f"DNS:{name}"


class Authority:
    """Signs certificates for names and IP addresses. They share one key: only what they say
    counts here."""

    def __init__(self, directory, name="authority"):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.file = self.directory / f"{name}.pem"
        self._key = self.directory / f"{name}.key"
        self._made = {}
        self._name = name
        _openssl("req", "-x509", "-newkey", *EC_KEY, "-nodes", "-keyout", self._key,
                 "-out", self.file, "-subj", f"/CN={name}", "-days", "30")
        self._keys = {EC_KEY: self._request_of(EC_KEY)}

    def _request_of(self, kind):
        """(key file, signing request) of a new key."""
        stem = f"{self._name}-leaf-{'-'.join(kind[:1]).replace(':', '')}"
        key, request = self.directory / f"{stem}.key", self.directory / f"{stem}.csr"
        _openssl("req", "-new", "-newkey", *kind, "-nodes", "-keyout", key, "-out", request,
                 "-subj", "/CN=leaf")
        return key, request

    def certificate(self, names, days=25, purpose="serverAuth", **more):
        """(certificate file, key file) for DNS names and, where they are such, IP addresses.
        "dns:192.0.2.1" is an address in the place of a name. days=-1: it has expired. More:
        key=("rsa:1024",); start_days=2: not valid yet; issuer: a pair that this made before
        signs, and is sent along; subject: the common name."""
        wanted = (tuple(names), days, purpose, tuple(sorted(more.items())))
        key = more.get("key", EC_KEY)
        if key not in self._keys:
            self._keys[key] = self._request_of(key)
        if wanted not in self._made:
            self._made[wanted] = self._sign(names, days, purpose, **more)
        return self._made[wanted], self._keys[key][0]

    def _sign(self, names, days, purpose, key=EC_KEY, start_days=0, issuer=None, subject="leaf"):
        number = len(self._made) + 1
        path = self.directory / f"{self._name}-{number}.pem"
        extensions = self.directory / f"{self._name}-{number}.cnf"
        lines = [f"extendedKeyUsage={purpose}"]
        if names:
            lines.append("subjectAltName=" + ",".join(map(_alternative_name, names)))
        extensions.write_text("\n".join(lines) + "\n")
        signer, signer_key = issuer or (self.file, self._key)
        _openssl("x509", "-req", "-in", self._keys[key][1], "-CA", signer, "-CAkey", signer_key,
                 "-set_serial", number, "-days", days, "-extfile", extensions, "-out", path,
                 "-subj", f"/CN={subject}", start_days=start_days)
        if issuer:
            path.write_text(path.read_text() + signer.read_text())
        return path

    def sha256(self, names, **more):
        """The hexadecimal hash that a client reports for the certificate."""
        path, _ = self.certificate(names, **more)
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(path.read_text())).hexdigest()
