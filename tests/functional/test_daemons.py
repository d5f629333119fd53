"""What every daemon of ours is for its operator, whatever it does: test_daemon*.py tell the same
in detail, with the smallest one."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess

import pytest

import trinity
from metrics import parse_metrics
from mini import Linked, plain_build, serial
from trinity import eventually

NAMES = ["trinity-notary", "trinity-identity", "trinity-homeserver"]
HELLO = {"trinity-notary": "/_matrix/key/v2/server", "trinity-identity": "/_matrix/identity/versions",
         "trinity-homeserver": "/_matrix/client/versions"}


def add(story, name, configuration=None, **more):
    return getattr(story, name.removeprefix("trinity-"))(configuration, **more)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def daemon(story, name):
    """One that is not started yet."""
    return add(story, name)


@pytest.fixture
def plain(monkeypatch):
    """Programs without sanitizers, which look at a process from outside."""
    monkeypatch.setenv("TRINITY_BUILD", str(plain_build()))


def answers(daemon):
    return daemon.get(HELLO[daemon.name]).status == 200


# ---- the command line


def test_version_and_help_need_no_configuration(name):
    def run(*words):
        return subprocess.run([str(trinity.program(name)), *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)

    assert re.fullmatch(rf"{name} \d+\.\d+\.\d+\n", run("--version").stdout)
    shown = run("--help").stdout
    assert f"/etc/trinity/{name.removeprefix('trinity-')}.yaml" in shown
    for word in ("--check", "backup DIR", "restore DIR", "status", "reload", "key list"):
        assert word in shown
    for wrong in (["dance"], ["--dance"], ["backup"]):
        assert run(*wrong).returncode == 2, wrong


def check(daemon, text):
    """The last words of --check about a configuration that is not right."""
    daemon.conf_path.write_text(text)
    done = daemon.command("--check")
    assert done.returncode == 1 and done.stdout == "", done.stdout
    return done.stderr.strip().splitlines()[-1]


def test_check_prints_what_is_in_force_and_changes_nothing(daemon):
    before = sorted(path.name for path in daemon.directory.iterdir())
    done = daemon.command("--check")
    assert done.returncode == 0 and f"server_name: {daemon.configuration['server_name']}" in done.stdout
    assert sorted(path.name for path in daemon.directory.iterdir()) == before
    daemon.conf_path.write_text(done.stdout)
    assert daemon.command("--check").stdout == done.stdout


@pytest.mark.parametrize("wrong, why", [
    ("\nsrver_name: x\n", r':\d+: srver_name: unknown key; did you mean "server_name"\?'),
    ("\nlog:\n  level: loud\n", r":\d+: log\.level: must be one of: debug, info, warn"),
    ("\ncache_mb: lots\n", r":\d+: cache_mb: must be a whole number"),
    ("\nserver_name: twice\n", r":\d+: server_name: "),
    ("\nlog: { level: info\n", r":\d+: "),
], ids=["unknown", "enum", "number", "twice", "open"])
def test_a_line_that_is_wrong_is_named(daemon, wrong, why):
    good = daemon.command("--check").stdout.rstrip("\n")
    if wrong.startswith(("\nlog", "\ncache_mb")):
        section = re.escape(wrong.split(":")[0].strip())
        good = re.sub(rf"^{section}:.*\n(  .*\n)*", "", good + "\n", flags=re.M).rstrip("\n")
    said = check(daemon, good + wrong)
    assert re.search(re.escape(str(daemon.conf_path)) + why, said), said


def test_what_is_missing_or_makes_no_sense_is_said(daemon):
    text = daemon.command("--check").stdout
    assert "server_name" in check(daemon, re.sub(r"^server_name:.*\n", "", text, flags=re.M))
    assert "server_name: not a name is no" in check(
        daemon, re.sub(r"^server_name:.*", "server_name: not a name", text, flags=re.M))
    said = check(daemon, text.replace("127.0.0.1", "localhost"))
    assert "is not an IP address" in said and str(daemon.conf_path) in said


# ---- start and stop


def test_a_second_one_on_the_same_data_is_refused(story, daemon):
    daemon.start()
    other = add(story, daemon.name, {"data_directory": daemon.configuration["data_directory"]})
    assert other.launch().wait() == 1
    other.process = None
    assert "in use by a running daemon" in other.log()
    assert answers(daemon)


def test_the_service_manager_is_told(story, name):
    path = story.directory / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(30)
        daemon = add(story, name, environment={"NOTIFY_SOCKET": str(path)}).start()
        assert manager.recv(4096) == b"READY=1"
        daemon.process.send_signal(signal.SIGHUP)
        assert manager.recv(4096).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(4096) == b"READY=1"
        daemon.stop()
        assert manager.recv(4096) == b"STOPPING=1"
    last = daemon.log().splitlines()[-1]
    assert last.endswith("stopped")


def test_health_status_and_metrics_are_for_the_operator_only(daemon):
    daemon.start()
    assert daemon.admin.request("GET", "/health/live").json == {"live": True}
    assert daemon.admin.request("GET", "/health/ready").json == {"ready": True, "reasons": []}
    status = json.loads(daemon.command("status").stdout)
    assert status["ready"] and status["name"] == daemon.name
    metrics = parse_metrics(daemon.admin.request("GET", "/metrics").body.decode())
    assert any(f'daemon="{daemon.name}"' in labels for labels in metrics["trinity_build_info"])
    for target in ("/health/ready", "/metrics", "/admin/v1/status"):
        assert daemon.get(target).status == 404
    assert pathlib.Path(daemon.admin.unix).stat().st_mode & 0o007 == 0


# ---- reload and certificates


def test_a_reload_is_whole_or_not_at_all(daemon):
    daemon.start()
    good = dict(daemon.configuration)
    daemon.reload(log={"level": "debug"}, cache_mb=[])
    eventually(lambda: "the old one stays" in daemon.log())
    done = daemon.command("reload")
    assert done.returncode == 1 and "cache_mb" in done.stderr
    daemon.configuration = good
    daemon.reload(log={"format": "json"}, server_name="other.test", cache_mb=9)
    eventually(lambda: '"text":"the configuration is reloaded"' in daemon.log())
    waiting = re.findall(r'waits for a restart key="(\w+)"', daemon.log())
    assert sorted(waiting) == ["cache_mb", "server_name"]
    assert answers(daemon)


def test_certificates_behind_links_are_renewed_while_it_runs(story, name, plain):
    linked = Linked(story.directory)
    daemon = add(story, name, tls=linked.tls).start()
    assert daemon.secure.request("GET", HELLO[name]).status == 200
    before = serial(daemon.secure)
    linked.renew()
    assert daemon.command("reload").returncode == 0
    assert serial(daemon.secure) != before
    (linked.live / "key.pem").unlink()
    (linked.live / "key.pem").write_text("no key\n")
    assert daemon.command("reload").returncode == 1
    assert daemon.secure.request("GET", HELLO[name]).status == 200


# ---- what an intruder would find


def process_status(daemon, key):
    text = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return re.search(rf"^{key}:\s+(\S+)", text, re.M)[1]


def test_it_gives_up_what_it_does_not_need(daemon, plain):
    daemon.start()
    sandbox = json.loads(daemon.command("status").stdout)["sandbox"]
    assert sandbox["seccomp"]
    assert process_status(daemon, "NoNewPrivs") == "1"
    assert process_status(daemon, "Seccomp") == "2"
    assert process_status(daemon, "Umask").endswith("77")
    assert resource.prlimit(daemon.process.pid, resource.RLIMIT_CORE) == (0, 0)
    daemon.restart()
    assert answers(daemon)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it as another user")
def test_it_runs_as_an_ordinary_user_and_nobody_else_reads_its_files(story, daemon, plain):
    os.chmod(story.directory, 0o777)
    key = pathlib.Path(daemon.configuration["keys"]["signing_file"])
    daemon.directory.joinpath("data").mkdir()
    for path in (daemon.directory, daemon.directory / "data", daemon.conf_path):
        os.chown(path, 12345, 12345)
    (daemon.directory / "data").chmod(0o700)
    as_user = ["setpriv", "--reuid", "12345", "--regid", "12345", "--clear-groups"]
    program = str(trinity.program(daemon.name))
    if subprocess.run([*as_user, "test", "-x", program], check=False).returncode != 0:
        pytest.skip("an ordinary user cannot reach the build directory")
    with open(daemon.log_path, "wb") as log:
        daemon.process = subprocess.Popen([*as_user, program, "-c", str(daemon.conf_path)],
                                          stdout=log, stderr=log)
    eventually(daemon.is_ready)
    assert pathlib.Path(f"/proc/{daemon.process.pid}/mem").stat().st_uid == 0
    written = [key, daemon.directory / "data", *(daemon.directory / "data").rglob("*")]
    assert [str(path) for path in written if path.stat().st_mode & 0o077] == []
    assert {path.stat().st_uid for path in written} == {12345}


def test_a_data_directory_that_everybody_may_write_is_refused(daemon):
    data = pathlib.Path(daemon.configuration["data_directory"])
    data.mkdir()
    data.chmod(0o777)
    assert daemon.launch().wait() == 1
    daemon.process = None
    assert "use mode 0700" in daemon.log()


# ---- backup and restore


def test_a_backup_is_restored_by_the_same_kind_of_daemon_only(story, daemon):
    daemon.start()
    key = pathlib.Path(daemon.configuration["keys"]["signing_file"])
    to, secret = story.directory / "backup", key.read_bytes()
    done = daemon.command("backup", to)
    assert done.returncode == 0, done.stderr
    assert all(path.stat().st_mode & 0o077 == 0 for path in to.rglob("*"))
    daemon.stop()
    key.unlink()
    shutil.rmtree(daemon.configuration["data_directory"])
    other = add(story, next(name for name in NAMES if name != daemon.name))
    refused = other.command("restore", to)
    assert refused.returncode == 1 and daemon.name in refused.stderr
    done = daemon.command("restore", to)
    assert done.returncode == 0 and f"{key} is restored" in done.stdout, done.stderr
    assert key.read_bytes() == secret and key.stat().st_mode & 0o777 == 0o600
    assert answers(daemon.start())
