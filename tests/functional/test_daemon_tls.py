"""Certificates of a running daemon."""

import json
import os
import pathlib
import signal
import ssl
import threading

from mini import make_certificate, serial, with_tls
from trinity import eventually

SWAPS = int(os.environ.get("TRINITY_TLS_SWAPS", "8"))


def test_certificates_are_swapped_under_load_without_a_failed_handshake(story):
    mini = with_tls(story).start()
    certificate, key = (pathlib.Path(mini.configuration["tls"][k]) for k in ("certificate", "key"))
    failures, done = [], threading.Event()
    handshakes = [0] * 2

    def shake(number):
        while not done.is_set():
            try:
                serial(mini.secure)
                handshakes[number] += 1
            except (OSError, ssl.SSLError) as why:
                failures.append(why)

    threads = [threading.Thread(target=shake, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    pairs = [make_certificate(story.directory / f"tls{i}") for i in range(2)]
    seen = {serial(mini.secure)}
    for swap in range(SWAPS):
        before = serial(mini.secure)
        for target, source in zip((certificate, key), pairs[swap % 2]):
            target.with_suffix(".new").write_bytes(source.read_bytes())
            target.with_suffix(".new").rename(target)
        mini.process.send_signal(signal.SIGHUP)
        eventually(lambda: serial(mini.secure) != before)
        seen.add(serial(mini.secure))
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(seen) == 3
    assert min(handshakes) > SWAPS


def test_a_connection_survives_the_swap_of_certificates(story):
    mini = with_tls(story).start()
    kept = mini.secure.connection()
    before = serial(mini.secure)
    for greeting in ("one", "two"):
        kept.request("GET", "/hello")
        assert kept.getresponse().read()
        wire = kept.sock
        make_certificate(story.directory / "tls")
        mini.reload(greeting=greeting)
        eventually(lambda: serial(mini.secure) != before)
        before = serial(mini.secure)
    kept.request("GET", "/hello")
    assert json.loads(kept.getresponse().read()) == {"hello": "two"}
    assert kept.sock is wire
    kept.close()


def test_a_bad_certificate_leaves_the_old_one_in_use(story):
    mini = with_tls(story).start()
    certificate = pathlib.Path(mini.configuration["tls"]["certificate"])
    before, text = serial(mini.secure), certificate.read_bytes()
    other, _ = make_certificate(story.directory / "other")
    for bad in (b"", b"garbage\n", text[:-200], other.read_bytes()):
        certificate.write_bytes(bad)
        done = mini.command("reload")
        assert done.returncode == 1, bad
        assert serial(mini.secure) == before
    certificate.write_bytes(text)
    assert mini.command("reload").returncode == 0


def test_a_certificate_that_changes_is_taken_without_being_told(story):
    mini = with_tls(story).start()
    before = serial(mini.secure)
    make_certificate(story.directory / "tls")
    eventually(lambda: serial(mini.secure) != before, every=0.5)
    assert "a new certificate is in use" in mini.log()


def test_a_certificate_about_to_expire_is_a_warning(story):
    mini = with_tls(story, days=1)
    assert "expires within a day" in mini.check().stderr
    mini.start()
    ready = mini.ready()
    assert ready.status == 200
    (reason,) = ready.json["reasons"]
    assert reason["name"] == "tls" and reason["warning"] and "24 hours" in reason["why"]
