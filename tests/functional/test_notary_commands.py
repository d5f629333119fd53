"""The subcommands of trinity-notary on the command line: what is asked wrongly is told."""

import os
import re
import subprocess

import pytest

from trinity import ROOT, program

USAGES = {
    "overview extra": "overview",
    "inspect": "inspect [--json] SERVER",
    "inspect a.test b.test": "inspect [--json] SERVER",
    "inspect --yaml a.test": "inspect [--json] SERVER",
    "refetch": "refetch [--json] SERVER",
    "verify": "verify [--json] SERVER",
    "deny a.test": "deny SERVER REASON",
    "undeny": "undeny SERVER",
    "pin a.test ed25519:a KEY": "pin SERVER KEY_ID PUBLIC_KEY REASON",
    "unpin": "unpin SERVER",
    "purge a.test": "purge SERVER REASON [NUMBER]",
    "purge a.test reason two": "purge SERVER REASON [NUMBER]",
    "purge a.test reason 0": "purge SERVER REASON [NUMBER]",
    "prefetch": "prefetch [--stop] SERVER…",
    "prefetch --file": "prefetch [--stop] SERVER…",
    "prefetch --stop": "prefetch [--stop] SERVER…",
    "conflicts all": "conflicts",
    "audit all": "audit",
    "import": "import synapse FILE.db|postgresql://…",
    "import sqlite file": "import synapse FILE.db|postgresql://…",
    "import synapse": "import synapse FILE.db|postgresql://…",
    "export all": "export",
    "key": "key list | key generate FILE",
    "key make": "key list | key generate FILE",
    "key generate": "key list | key generate FILE",
    "key rotate now": "key list | key generate FILE",
}


@pytest.mark.parametrize("line", USAGES)
def test_a_wrong_command_line_shows_the_right_one(world, line):
    done = world.notary.command(*line.split())
    assert done.returncode == 2
    assert f"usage: trinity-notary {USAGES[line]}" in done.stderr and done.stdout == ""


def test_an_unknown_command_is_refused(world):
    done = world.notary.command("inspekt", "a.test")
    assert done.returncode == 2
    assert "inspekt" in done.stderr and "--help" in done.stderr


@pytest.mark.parametrize("line, told", [
    ("inspect a/b", "server name"),
    ("refetch a..b", "server name"),
    ("pin a.test ed25519:a AAAA reason", "public_key is not 32 bytes of base64"),
    ("pin a.test nocolon AAAA reason", "key_id"),
    ("undeny a.test", "not denied"),
    ("unpin a.test", "no pins"),
    ("import synapse /nonexistent.db", "/nonexistent.db"),
    ("import key-server /nonexistent.db", "no postgresql:// address"),
    ("import trinity /nonexistent", "/nonexistent: No such file"),
    ("key import /nonexistent", "/nonexistent"),
])
def test_what_cannot_be_done_says_why_and_fails(world, line, told):
    assert told in world.command(*line.split(), status=1)


ASKING = ["overview", "inspect a.test", "refetch a.test", "verify a.test", "deny a.test why",
          "undeny a.test", "unpin a.test", "purge a.test why", "prefetch a.test", "conflicts",
          "audit", "export", "status", "reload"]


@pytest.mark.parametrize("line", ASKING)
def test_a_command_says_that_the_daemon_does_not_run(make_world, line):
    done = make_world().notary.command(*line.split())
    assert done.returncode == 1
    assert "is the daemon running" in done.stderr


def test_a_command_says_that_the_admin_listener_is_not_for_this_user(world):
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    command = [program("trinity-notary"), "-c", world.notary.conf_path, "conflicts"]
    done = subprocess.run(command, user=65534, capture_output=True, text=True,
                          cwd="/", env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert done.returncode == 1
    assert re.search("Permission denied|may you use", done.stderr)


def test_every_option_of_a_command_is_in_the_manual():
    manual = (ROOT / "packaging/man/trinity-notary.8").read_text()
    text = subprocess.run([program("trinity-notary"), "--help"], capture_output=True, text=True,
                          check=True).stdout
    for name in set(re.findall(r"^  .*?--([a-z]+)", text, re.M)):
        assert f"Fl -{name}" in manual


def test_an_alarm_address_that_is_none_is_refused_by_the_check(make_world):
    notary = make_world({"alarm_url": "ops@example.org"}).notary
    done = notary.command("--check")
    assert done.returncode != 0
    assert "alarm_url: ops@example.org is no https:// address" in done.stderr
