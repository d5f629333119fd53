"""--check and the command line, told with the smallest daemon."""

import json
import re
import shutil

import pytest
import trinity
from mini import add, mini  # noqa: F401  (a fixture)


# ---- --check


def test_check_prints_what_is_in_force_and_changes_nothing(mini):
    shutil.rmtree(mini.directory / "data", ignore_errors=True)
    done = mini.check()
    assert done.returncode == 0, done.stderr
    assert "greeting: world" in done.stdout
    assert "connections_per_address: 256" in done.stdout
    assert "data_directory" in done.stderr  # a warning: it is not there yet
    assert sorted(p.name for p in mini.directory.iterdir()) == ["conf.yaml"]


def test_what_check_prints_is_a_configuration_with_the_same_meaning(mini):
    once = mini.check().stdout
    assert mini.check(once).stdout == once


GOOD = "data_directory: /nowhere\nlisten: [ { address: 127.0.0.1, port: 1 } ]\n"


@pytest.mark.parametrize("text, message", [
    (GOOD + "greetin: x\n", r":3: greetin: unknown key; did you mean \"greeting\"\?"),
    (GOOD + "log:\n  # x\n  level: loud\n", r":5: log\.level: must be one of: debug, info, warn"),
    (GOOD + "cache_mb: lots\n", r":3: cache_mb: must be a whole number"),
    (GOOD + "cache_mb: 99999999\n", r": cache_mb: must be at most"),
    ("", r":1: there is nothing in the file"),
    ("just words\n", r":1: must be a mapping"),
    ("listen: [\n", r":2: .*not YAML"),
    (b"\x00\x01\x02\xff" * 100, r":1: not YAML"),
    (b"\x7fELF" + bytes(range(256)), r":1: not YAML"),
    ("#" + "x" * 1024 * 1024 + "\n", r"longer than"),
    ("a: &a [x]\nb: &b [*a,*a]\n", r":1: a: unknown key"),
    ("listen: &a []\n", r"aliases and tags are not allowed"),
    ("listen: " + "[" * 20000 + "\n", r":1: listen\[1\]: must be a mapping"),
    ("{" * 20000 + "\n", r":1: a key must be plain text"),
    ("listen: [ { address: 127.0.0.1, port: 1 } ]\n", r"data_directory: is missing"),
    ("data_directory: here\n", r"data_directory: must be an absolute path"),
    ("data_directory: /etc/hostname\n", r"data_directory: /etc/hostname is not a directory"),
    ("data_directory: /nowhere\n", r"listen: is missing"),
    (GOOD.replace("127.0.0.1", "localhost"), r"listen\[1\]\.address: \"localhost\" is not an IP"),
    (GOOD.replace("127.0.0.1", "'unix:x'"), r"listen\[1\]\.address: the socket needs an absolute"),
    (GOOD.replace("1 }", "1, tls: true }"), r"tls\.certificate: is missing"),
    (GOOD.replace("1 }", "1, tls: true }") + "tls: { certificate: /nope, key: /nope }\n",
     r"tls: .*/nope"),
    (GOOD + "admin: 0.0.0.0:1\n", r"admin: 0\.0\.0\.0 is not a loopback address"),
    (GOOD + "admin: '[2001:db8::1]:80'\n", r"admin: 2001:db8::1 is not a loopback address"),
    (GOOD + "admin: unix:relative\n", r"admin: the socket's path must begin with /"),
    (GOOD + "admin: localhost\n", r"admin: must be"),
    (GOOD + "http: { trusted_proxies: [ 10.0.0.0/33 ] }\n", r"http\.trusted_proxies: .*10\.0\.0\.0/33"),
    (GOOD + "outbound: { allow: [ ten ] }\n", r"outbound\.allow: .*ten"),
    (GOOD + "outbound: { dns_servers: one.one.one.one }\n", r"outbound\.dns_servers: must be"),
    (GOOD + "outbound: { ca_file: /nope.pem }\n", r"/nope\.pem: No such file"),
    (GOOD + "greeting: nobody\n", r"greeting: somebody has to be greeted"),
], ids=lambda value: repr(value[:30]))
def test_check_says_what_is_wrong_and_where(mini, text, message):
    done = mini.check(text)
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert re.search(message, last), last
    assert str(mini.directory / "checked.yaml") in last


def test_check_warns_of_what_can_be_lived_with(mini, story):
    directory = story.directory / "open"
    directory.mkdir(mode=0o777)
    directory.chmod(0o777)
    done = mini.check(GOOD.replace("/nowhere", str(directory)).replace("port: 1", "port: 0"))
    assert done.returncode == 0
    assert "open to others" in done.stderr
    assert "any free port" in done.stderr


def test_a_file_that_is_not_there_or_no_file_is_refused(mini):
    assert "No such file" in mini.check(path="/nope.yaml").stderr
    assert "not a regular file" in mini.check(path="/dev/null").stderr


# ---- the command line


def test_help_names_every_command(mini):
    done = mini.command("help")
    assert done.returncode == 0
    for word in ("backup DIR", "restore DIR", "status", "reload", "greet NAME", "--check"):
        assert word in done.stdout


def test_a_wrong_command_line_is_refused(mini):
    assert mini.command("dance").returncode == 2
    assert mini.command("backup").returncode == 2
    assert mini.command("--dance").returncode == 2


def test_the_version_is_printed(mini):
    assert re.fullmatch(r"mini_daemon \d+\.\d+\.\d+\n", mini.command("--version").stdout)


def test_own_commands_get_the_configuration_and_the_running_daemon(mini):
    assert mini.command("greet", "bob").stdout == "world greets bob\n"
    without = mini.command("pid")
    assert without.returncode == 1 and "is the daemon running" in without.stderr
    mini.start()
    assert json.loads(mini.command("pid").stdout)["pid"] == mini.process.pid


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_commands_reach_an_admin_listener_on_loopback(story, host):
    port = trinity.free_port()
    mini = add(story, {"admin": f"{host}:{port}"}).start()
    assert json.loads(mini.command("pid").stdout)["pid"] == mini.process.pid


def test_status_tells_and_fails_when_not_ready(mini):
    mini.start()
    done = mini.command("status")
    assert done.returncode == 0
    assert json.loads(done.stdout)["configuration"] == str(mini.conf_path)
    mini.admin.request("POST", "/admin/v1/tired?is=true")
    assert mini.command("status").returncode == 1
