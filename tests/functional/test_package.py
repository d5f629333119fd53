"""The Debian package, made by its one command, and what it puts on a machine."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*command, **more):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=900, **more,
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The path of a fresh trinity-notary package."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("this is no Debian system")
    out = tmp_path_factory.mktemp("deb")
    made = run(ROOT / "packaging" / "build-deb", out)
    assert made.returncode == 0, made.stderr
    found = list(out.glob("trinity-notary_*.deb"))
    assert len(found) == 1, made.stdout
    return found[0]


@pytest.fixture(scope="module")
def unpacked(package, tmp_path_factory):
    out = tmp_path_factory.mktemp("root")
    assert run("dpkg-deb", "-x", package, out).returncode == 0
    return out


def test_lintian_finds_no_error_and_no_warning(package):
    found = run("lintian", "--fail-on", "error,warning", "--allow-root", package)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_library_is_a_dependency(package, unpacked):
    depends = run("dpkg-deb", "-f", package, "Depends").stdout
    for library in ("libc6", "libgnutls30", "libmicrohttpd12", "libjansson4", "libdb5.3",
                    "libsodium23", "libcurl3-gnutls", "libseccomp2"):
        assert library in depends
    assert "sanitizer" not in run("ldd", unpacked / "usr/bin/trinity-notary").stdout


def test_an_administrators_change_to_the_configuration_survives_an_upgrade(package):
    conffiles = run("dpkg-deb", "--ctrl-tarfile", package)
    assert conffiles.returncode == 0
    assert run("dpkg-deb", "-I", package, "conffiles").stdout == "/etc/trinity/notary.yaml\n"


def test_each_file_is_where_debian_looks_for_it(unpacked):
    for name in (
        "usr/bin/trinity-notary", "etc/trinity/notary.yaml",
        "lib/systemd/system/trinity-notary.service", "usr/lib/sysusers.d/trinity-notary.conf",
        "usr/lib/tmpfiles.d/trinity-notary.conf", "usr/share/man/man8/trinity-notary.8.gz",
        "usr/share/doc/trinity-notary/copyright", "usr/share/doc/trinity-notary/changelog.gz",
        "usr/share/doc/trinity-notary/CHANGELOG.md.gz",
        "usr/share/doc/trinity-notary/examples/notary.yaml",
        "usr/share/doc/trinity-notary/examples/trinity-notary.conf",
    ):
        assert (unpacked / name).is_file(), name


def test_the_unit_leaves_the_daemon_next_to_nothing(unpacked):
    unit = unpacked / "lib/systemd/system/trinity-notary.service"
    assert "ExecStart=/usr/bin/trinity-notary -c /etc/trinity/notary.yaml" in unit.read_text()
    seen = run("systemd-analyze", "security", "--offline=true", unit)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", seen.stdout)
    assert found, seen.stdout + seen.stderr
    assert float(found[1]) <= 1.5


def test_sysusers_and_tmpfiles_make_the_user_and_its_directories(unpacked, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can make files of another user")
    root = tmp_path / "root"
    shutil.copytree(unpacked, root)
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    made = run("systemd-sysusers", f"--root={root}", "trinity-notary.conf")
    assert made.returncode == 0, made.stderr
    assert "trinity-notary:" in (root / "etc/passwd").read_text()
    made = run("systemd-tmpfiles", f"--root={root}", "--create", "trinity-notary.conf")
    assert made.returncode == 0, made.stderr
    assert (root / "var/lib/trinity-notary").stat().st_mode & 0o7777 == 0o700
    assert (root / "etc/trinity/notary.yaml").stat().st_mode & 0o7777 == 0o640


def test_the_packaged_program_runs_and_takes_its_own_configuration(unpacked):
    program = unpacked / "usr/bin/trinity-notary"
    assert "0.1.0" in run(program, "--version").stdout
    checked = run(program, "-c", unpacked / "etc/trinity/notary.yaml", "--check")
    assert checked.returncode == 0, checked.stderr
