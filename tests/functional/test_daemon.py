"""Life, reload, health and the service manager of all daemons, told with the smallest one."""

import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import trinity
from metrics import parse_metrics
from mini import HELLO, add, mini  # noqa: F401  (a fixture)
from trinity import eventually

SLOW_SECONDS = 2  # of GET /slow


# ---- start and stop


def test_it_answers_and_stops(mini):
    mini.start()
    assert mini.get("/hello").json == HELLO
    pid = mini.process.pid
    mini.stop()
    assert not pathlib.Path(f"/proc/{pid}").exists()
    assert mini.log().rstrip().endswith("stopped")


def test_a_second_daemon_on_the_same_data_is_refused(mini, story):
    mini.start()
    other = add(story, {"data_directory": mini.configuration["data_directory"]}).launch()
    assert other.wait() == 1
    assert "in use by a running daemon" in other.log()
    other.process = None
    assert mini.get("/hello").json == HELLO


def test_an_address_that_is_taken_is_said(mini, story):
    mini.start()
    other = add(story, {"listen": mini.configuration["listen"]}).launch()
    assert other.wait() == 1
    assert f"port {mini.plain.port}" in other.log()
    other.process = None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be in the wrong place")
def test_root_does_not_write_into_somebody_elses_data(mini):
    (mini.directory / "data").mkdir()
    os.chown(mini.directory / "data", 12345, 12345)
    mini.launch()
    assert mini.wait() == 1
    assert "belongs to user 12345" in mini.log()
    mini.process = None


def test_a_request_under_way_is_answered_before_the_end(mini):
    mini.start()
    replies = []
    thread = threading.Thread(target=lambda: replies.append(mini.get("/slow")))
    thread.start()
    time.sleep(SLOW_SECONDS / 4)
    begin = time.monotonic()
    mini.stop()
    thread.join()
    assert replies[0].json == {"slow": True}
    assert time.monotonic() - begin < 10


class Writer(threading.Thread):
    """Puts notes on one kept-alive connection until the daemon closes it."""

    def __init__(self, mini, number):
        super().__init__()
        self.mini, self.number = mini, number
        self.acknowledged, self.broken = [], None
        self.start()

    def run(self):
        connection = self.mini.plain.connection()
        try:
            while True:
                name = f"w{self.number}n{len(self.acknowledged)}"
                connection.request("PUT", f"/note/{name}", name.encode())
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    return
                self.acknowledged.append(name)
        except (http.client.RemoteDisconnected, ConnectionError):
            pass  # nothing of an answer had come
        except (OSError, http.client.HTTPException) as why:
            self.broken = why


def test_a_stop_under_load_cuts_no_answer_and_loses_no_write(mini):
    mini.start()
    slow = []
    waiting = [threading.Thread(target=lambda: slow.append(mini.get("/slow"))) for _ in range(4)]
    writers = [Writer(mini, number) for number in range(4)]
    for thread in waiting:
        thread.start()
    eventually(lambda: min(len(writer.acknowledged) for writer in writers) > 20)
    time.sleep(SLOW_SECONDS / 4)
    mini.stop()
    for thread in (*waiting, *writers):
        thread.join()
    assert [reply.json for reply in slow] == [{"slow": True}] * 4
    assert [writer.broken for writer in writers] == [None] * 4
    mini.start()
    for writer in writers:
        for name in writer.acknowledged[-20:]:
            assert mini.get(f"/note/{name}").json == {"note": name}


def test_idle_connections_do_not_hold_up_the_end(mini):
    mini.start()
    idle = [mini.plain.socket() for _ in range(20)]
    half = mini.plain.socket()
    half.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n")
    begin = time.monotonic()
    mini.stop()
    assert time.monotonic() - begin < 10
    for one in [*idle, half]:
        one.close()


def test_a_signal_to_end_during_the_start_is_obeyed(mini):
    mini.launch()
    time.sleep(0.05)
    mini.process.send_signal(signal.SIGINT)
    assert mini.wait() in (0, -signal.SIGINT)
    mini.process = None


def test_a_broken_pipe_of_the_log_is_no_reason_to_die(mini):
    reader, writer = os.pipe()
    mini.directory.joinpath("data").mkdir()
    mini.process = subprocess.Popen(
        [str(trinity.program(mini.name)), "-c", str(mini.conf_path)], stderr=writer, stdout=writer
    )
    os.close(writer)
    eventually(mini.is_ready)
    os.close(reader)
    mini.reload(greeting="pipes")
    eventually(lambda: mini.get("/hello").json == {"hello": "pipes"})
    mini.stop()


# ---- reload


def test_a_good_file_is_taken_over(mini):
    mini.start()
    mini.reload(greeting="moon")
    eventually(lambda: mini.get("/hello").json == {"hello": "moon"})
    mini.configuration["greeting"] = "sun"
    mini.write_configuration()
    assert mini.command("reload").returncode == 0
    assert mini.get("/hello").json == {"hello": "sun"}


def test_a_bad_file_keeps_the_old_configuration_and_says_why(mini):
    mini.start()
    for bad in ({"greeting": "nobody"}, {"greetin": "x"}, {"greeting": ["x"]}):
        kept = dict(mini.configuration)
        mini.reload(**bad)
        eventually(lambda: "the old one stays" in mini.log())
        done = mini.command("reload")
        assert done.returncode == 1
        assert "greetin" in done.stderr
        mini.configuration = kept
    mini.conf_path.unlink()
    mini.process.send_signal(signal.SIGHUP)
    eventually(lambda: "No such file" in mini.log())
    assert mini.get("/hello").json == HELLO


def test_a_key_that_needs_a_restart_is_named(mini):
    mini.start()
    listen = [{"address": "127.0.0.1", "port": trinity.free_port()}]
    mini.reload(listen=listen, cache_mb=7, log={"level": "debug"}, greeting="mars")
    eventually(lambda: mini.get("/hello").json == {"hello": "mars"})
    eventually(lambda: "is reloaded" in mini.log())
    waiting = re.findall(r'waits for a restart key="(\w+)"', mini.log())
    assert sorted(waiting) == ["cache_mb", "listen"]


def test_the_log_changes_its_form_while_running(mini):
    mini.start()
    mini.reload(log={"format": "json", "level": "info"})
    eventually(lambda: '"text":"the configuration is reloaded"' in mini.log())


# ---- health, metrics, admin


def test_readiness_gives_its_reasons(mini):
    mini.start()
    assert mini.ready().json == {"ready": True, "reasons": []}
    mini.admin.request("POST", "/admin/v1/tired?is=true")
    ready = mini.ready()
    assert ready.status == 503
    assert not ready.json["ready"]
    assert ready.json["reasons"] == [
        {"name": "mood", "why": "tired of greeting", "warning": False}]
    assert mini.admin.request("GET", "/health/live").json == {"live": True}
    mini.admin.request("POST", "/admin/v1/tired?is=false")
    assert mini.ready().status == 200


def test_readiness_is_denied_while_stopping(mini):
    mini.start()
    slow = threading.Thread(target=lambda: mini.get("/slow"))
    slow.start()
    time.sleep(SLOW_SECONDS / 4)
    mini.process.send_signal(signal.SIGTERM)
    reasons = eventually(lambda: [r for r in mini.ready().json["reasons"] if r["name"] == "daemon"])
    assert reasons[0]["why"] == "stopping"
    slow.join()


def test_metrics_are_in_prometheus_text_format(mini):
    mini.start()
    mini.get("/hello")
    mini.plain.request("PUT", "/note/a", b"x")
    reply = mini.admin.request("GET", "/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    metrics = parse_metrics(reply.body.decode())
    assert metrics["process_open_fds"][None] > 5
    assert metrics["process_threads"][None] > 5
    assert metrics["process_resident_memory_bytes"][None] > 1e6
    assert abs(metrics["process_start_time_seconds"][None] - time.time()) < 120
    (labels,) = metrics["trinity_build_info"]
    assert 'daemon="mini_daemon"' in labels


def test_web_pages_may_not_use_the_admin_listener(story):
    port = trinity.free_port()
    mini = add(story, {"admin": f"127.0.0.1:{port}"}).start()
    for headers in ({"Origin": "https://evil.example"}, {"Host": f"evil.example:{port}"},
                    {"Host": "127.evil.example"}, {"Origin": "null"}):
        for method, target in (("POST", "/admin/v1/reload"), ("GET", "/admin/v1/pid"),
                               ("GET", "/admin/v1/status")):
            reply = mini.admin.request(method, target, headers=headers)
            assert reply.status == 403 and reply.errcode == "M_FORBIDDEN", headers
    assert mini.admin.request("GET", "/admin/v1/pid", headers={"Host": "localhost"}).status == 200


def test_admin_routes_are_not_public(mini):
    mini.start()
    for target in ("/health/live", "/health/ready", "/metrics", "/admin/v1/status", "/admin/v1/pid"):
        assert mini.get(target).status == 404


def test_the_admin_socket_is_for_its_owner_and_group(mini):
    mini.start()
    assert (mini.directory / "admin").stat().st_mode & 0o007 == 0


# ---- the service manager


class Manager:
    """The end of $NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path.replace("@", "\0", 1) if self.path[0] == "@" else self.path)
        self.socket.settimeout(30)

    def next(self):
        return self.socket.recv(4096).decode()


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_the_service_manager_is_told(story, kind):
    path = story.directory / "notify" if kind == "path" else f"@trinity-test-{os.getpid()}"
    manager = Manager(path)
    mini = add(story, environment={"NOTIFY_SOCKET": manager.path}).start()
    assert manager.next() == "READY=1"
    mini.process.send_signal(signal.SIGHUP)
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", manager.next())
    assert manager.next() == "READY=1"
    mini.stop()
    assert manager.next() == "STOPPING=1"
    manager.socket.close()


def test_the_watchdog_is_fed(story):
    manager = Manager(story.directory / "notify")
    add(story, environment={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "200000"}).start()
    assert manager.next() == "READY=1"
    begin = time.monotonic()
    for _ in range(3):
        assert manager.next() == "WATCHDOG=1"
    assert time.monotonic() - begin < 5
    manager.socket.close()


# ---- the log


def test_requests_of_two_starts_have_different_ids(mini):
    mini.start()
    for _ in range(2):
        assert mini.command("reload").returncode == 0
        mini.restart()
    ids = re.findall(r'the configuration is reloaded request="(\w{8})"', mini.log())
    assert len(ids) == 2 and ids[0] != ids[1]
