"""What an intruder finds in a daemon, and what an exhausted one does."""

import contextlib
import os
import pathlib
import re
import resource
import socket
import subprocess
import time

import pytest
import trinity
from mini import HELLO, Linked, add, plain_build, plain_mini, serial  # noqa: F401
from trinity import eventually


# ---- what an intruder would find


def process_status(mini, key):
    text = pathlib.Path(f"/proc/{mini.process.pid}/status").read_text()
    return re.search(rf"^{key}:\s+(\d+)", text, re.M)[1]


def test_no_core_dump_no_new_privileges(plain_mini):
    plain_mini.start()
    pid = plain_mini.process.pid
    assert process_status(plain_mini, "NoNewPrivs") == "1"
    assert process_status(plain_mini, "Seccomp") == "2"
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    # Of a process that may not be dumped, /proc belongs to root.
    assert "umask" not in plain_mini.log()
    assert process_status(plain_mini, "Umask").endswith("77")


@pytest.mark.skipif(os.geteuid() != 0, reason="root looks at other users' processes")
def test_memory_of_an_ordinary_users_daemon_cannot_be_dumped(plain_mini, story):
    os.chmod(story.directory, 0o755)
    plain_mini.directory.joinpath("data").mkdir()
    for path in (plain_mini.directory, plain_mini.directory / "data", plain_mini.conf_path):
        os.chown(path, 12345, 12345)
    if subprocess.run(["setpriv", "--reuid", "12345", "test", "-x",
                       str(trinity.program("mini_daemon"))], check=False).returncode != 0:
        pytest.skip("an ordinary user cannot reach the build directory")
    with open(plain_mini.log_path, "wb") as log:
        plain_mini.process = subprocess.Popen(
            ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups",
             str(trinity.program("mini_daemon")), "-c", str(plain_mini.conf_path)],
            stdout=log, stderr=log,
        )
    eventually(plain_mini.is_ready)
    assert pathlib.Path(f"/proc/{plain_mini.process.pid}/mem").stat().st_uid == 0


def attempt(mini, path, write=False):
    target = f"/admin/v1/attempt?path={path}" + ("&write=true" if write else "")
    return mini.admin.request("GET", target).json


def landlock(mini):
    return mini.admin.request("GET", "/admin/v1/status").json["sandbox"]["landlock_abi"]


EPERM, EACCES = 1, 13


def test_the_sandbox_hides_files_and_system_calls(plain_mini, story):
    plain_mini.start()
    outside = story.directory / "outside"
    outside.mkdir()
    (outside / "secret").write_text("x")
    got = attempt(plain_mini, outside / "secret")
    assert got["exec"] == EPERM
    if not landlock(plain_mini):
        pytest.skip("the kernel has no Landlock")
    assert got["open"] == EACCES
    assert attempt(plain_mini, outside / "new", write=True)["open"] == EACCES
    assert attempt(plain_mini, plain_mini.conf_path)["open"] == 0
    assert attempt(plain_mini, plain_mini.directory / "data" / "new", write=True)["open"] == 0
    assert attempt(plain_mini, "/etc/new-file", write=True)["open"] == EACCES
    assert attempt(plain_mini, "/etc/ssl/certs")["open"] == 0


def test_the_sandbox_can_be_switched_off(story, monkeypatch):
    monkeypatch.setenv("TRINITY_BUILD", str(plain_build()))
    mini = add(story, {"sandbox": "off"}).start()
    assert process_status(mini, "Seccomp") == "0"
    assert "the sandbox is switched off" in mini.log()
    assert attempt(mini, story.directory / "none")["exec"] != EPERM


def test_a_sandboxed_daemon_reloads_certificates_behind_links(story, monkeypatch):
    monkeypatch.setenv("TRINITY_BUILD", str(plain_build()))
    linked = Linked(story.directory)
    mini = add(story, tls=linked.tls).start()
    before = serial(mini.secure)
    linked.renew()
    assert mini.command("reload").returncode == 0
    assert serial(mini.secure) != before


# ---- out of file descriptors

FILES = 64
CLIENTS = 500


def test_without_free_descriptors_it_stays_calm_and_recovers(plain_mini):
    plain_mini.directory.joinpath("data").mkdir()
    with open(plain_mini.log_path, "wb") as log:
        plain_mini.process = subprocess.Popen(
            [str(trinity.program("mini_daemon")), "-c", str(plain_mini.conf_path)],
            stdout=log, stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)),
        )
    eventually(plain_mini.is_ready)
    with contextlib.ExitStack() as stack:
        for _ in range(CLIENTS):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", plain_mini.plain.port))
        time.sleep(1)
        before = plain_mini.cpu_seconds()
        time.sleep(2)
        assert plain_mini.cpu_seconds() - before < 0.5
        assert plain_mini.is_running()
    reply = eventually(lambda: try_hello(plain_mini))
    assert reply.json == HELLO


def try_hello(mini):
    try:
        return mini.plain.request("GET", "/hello", timeout=2)
    except OSError:
        return None
