"""The Debian packages, made by their one command, and what they put on a machine."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAEMONS = ["notary", "identity", "homeserver"]
NEEDED = ["libc6", "libgnutls30", "libmicrohttpd12", "libjansson4", "libdb5.3", "libsodium23",
          "libcurl3-gnutls", "libseccomp2", "ca-certificates"]
OWN_NEEDED = {"notary": ["libpq5"], "identity": ["libphonenumber8"],
              "homeserver": ["libphonenumber8"]}


def run(*command, **more):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=900, **more,
    )


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The directory of fresh packages."""
    if not shutil.which("dpkg-deb"):
        pytest.skip("this is no Debian system")
    out = tmp_path_factory.mktemp("deb")
    made = run(ROOT / "packaging" / "build-deb", out)
    assert made.returncode == 0, made.stderr
    assert len(list(out.glob("*.deb"))) == len(DAEMONS), made.stdout
    return out


class Package:
    """The package of one daemon."""

    def __init__(self, name, packages):
        self.name, self.program = name, f"trinity-{name}"
        (self.path,) = packages.glob(f"{self.program}_*.deb")
        self.root = packages / f"root-{name}"
        if not self.root.exists():
            assert run("dpkg-deb", "-x", self.path, self.root).returncode == 0

    def field(self, name):
        return run("dpkg-deb", "-f", self.path, name).stdout

    def control(self, name):
        return run("dpkg-deb", "-I", self.path, name).stdout


@pytest.fixture(params=DAEMONS)
def package(request, packages):
    return Package(request.param, packages)


def test_lintian_finds_no_error_and_no_warning(package):
    found = run("lintian", "--fail-on", "error,warning", "--allow-root", package.path)
    assert found.returncode == 0, found.stdout + found.stderr


def test_everything_that_it_needs_is_a_dependency(package):
    depends = package.field("Depends")
    for needed in (*NEEDED, *OWN_NEEDED[package.name]):
        assert needed in depends
    assert "sanitizer" not in run("ldd", package.root / "usr/bin" / package.program).stdout


def test_an_administrators_change_to_the_configuration_survives_an_upgrade(package):
    assert package.control("conffiles") == f"/etc/trinity/{package.name}.yaml\n"


def test_each_package_looks_after_its_own_unit(package):
    others = [f"trinity-{name}" for name in DAEMONS if name != package.name]
    for script in ("postinst", "prerm", "postrm"):
        text = package.control(script)
        assert f"{package.program}.service" in text, script
        assert "@" not in text and not [other for other in others if other in text]


def test_each_file_is_where_debian_looks_for_it(package):
    program, name = package.program, package.name
    for path in (
        f"usr/bin/{program}", f"etc/trinity/{name}.yaml", f"lib/systemd/system/{program}.service",
        f"usr/lib/sysusers.d/{program}.conf", f"usr/lib/tmpfiles.d/{program}.conf",
        f"usr/share/man/man8/{program}.8.gz", f"usr/share/doc/{program}/copyright",
        f"usr/share/doc/{program}/changelog.gz", f"usr/share/doc/{program}/CHANGELOG.md.gz",
        f"usr/share/doc/{program}/examples/{name}.yaml",
        f"usr/share/doc/{program}/examples/{program}.conf",
    ):
        assert (package.root / path).is_file(), path


def test_the_packages_share_no_file(packages):
    roots = [Package(name, packages).root for name in DAEMONS]
    files = [path.relative_to(root) for root in roots for path in root.rglob("*") if path.is_file()]
    assert len(files) == len(set(files))


def test_the_unit_leaves_the_daemon_next_to_nothing(package):
    unit = package.root / "lib/systemd/system" / f"{package.program}.service"
    started = f"ExecStart=/usr/bin/{package.program} -c /etc/trinity/{package.name}.yaml"
    assert started in unit.read_text()
    seen = run("systemd-analyze", "security", "--offline=true", unit)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", seen.stdout)
    assert found, seen.stdout + seen.stderr
    assert float(found[1]) <= 1.5


def test_sysusers_and_tmpfiles_make_users_and_their_directories(packages, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can make files of another user")
    root = tmp_path / "root"
    for name in DAEMONS:
        shutil.copytree(Package(name, packages).root, root, dirs_exist_ok=True)
    for name in ("passwd", "group"):
        shutil.copy(f"/etc/{name}", root / "etc" / name)
    for name in DAEMONS:
        program = f"trinity-{name}"
        made = run("systemd-sysusers", f"--root={root}", f"{program}.conf")
        assert made.returncode == 0, made.stderr
        assert f"{program}:" in (root / "etc/passwd").read_text()
    made = run("systemd-tmpfiles", f"--root={root}", "--create",
               *(f"trinity-{name}.conf" for name in DAEMONS))
    assert made.returncode == 0 and made.stderr == "", made.stderr
    for name in DAEMONS:
        assert (root / f"var/lib/trinity-{name}").stat().st_mode & 0o7777 == 0o700
        assert (root / f"etc/trinity/{name}.yaml").stat().st_mode & 0o7777 == 0o640


def test_the_packaged_program_runs_and_takes_its_own_configuration(package):
    program = package.root / "usr/bin" / package.program
    assert "0.1.0" in run(program, "--version").stdout
    checked = run(program, "-c", package.root / f"etc/trinity/{package.name}.yaml", "--check")
    assert checked.returncode == 0, checked.stderr


def test_a_copy_of_the_packaged_templates_is_a_brand(packages, tmp_path):
    package = Package("identity", packages)
    templates = tmp_path / "templates"
    shutil.copytree(package.root / "usr/share/trinity/identity/templates", templates)
    conf = tmp_path / "identity.yaml"
    conf.write_text((package.root / "etc/trinity/identity.yaml").read_text()
                    + f"\ntemplates:\n  directory: {templates}\n")
    program = package.root / "usr/bin/trinity-identity"
    checked = run(program, "-c", conf, "--check")
    assert checked.returncode == 0, checked.stderr
    (templates / "default/en/sms.txt").write_text("one\ntwo {{ token }\n")
    checked = run(program, "-c", conf, "--check")
    assert checked.returncode == 1
    assert str(conf) in checked.stderr and "default/en/sms.txt:2: " in checked.stderr
