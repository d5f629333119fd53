"""Backup and restore, told with the smallest daemon."""

import json
import pathlib
import shutil
import threading

from mini import add, mini  # noqa: F401  (a fixture)
from trinity import eventually


# ---- backup and restore


def write_notes(mini, names):
    for name in names:
        assert mini.plain.request("PUT", f"/note/{name}", f"text of {name}".encode()).status == 200


def has_note(mini, name):
    reply = mini.get(f"/note/{name}")
    return reply.status == 200 and reply.json["note"] == f"text of {name}"


def left_in_data(mini):
    return sorted(p.name for p in pathlib.Path(mini.configuration["data_directory"]).iterdir())


def with_key(story):
    key = story.directory / "secret.key"
    key.write_text("ed25519 a_1 secret\n")
    key.chmod(0o600)
    return add(story, {"key_file": str(key)}), key


def test_a_backup_brings_everything_back(story):
    mini, key = with_key(story)
    mini.start()
    write_notes(mini, "abc")
    to = story.directory / "backup"
    assert mini.command("backup", to).returncode == 0
    write_notes(mini, "d")
    assert left_in_data(mini) == ["lock", "store"]
    assert f'to="{to}"' in mini.log()
    mini.stop()
    assert sorted(p.name for p in to.iterdir()) == ["files", "manifest.json", "store"]
    assert all(p.stat().st_mode & 0o077 == 0 for p in to.rglob("*"))

    text = key.read_text()
    key.unlink()
    shutil.rmtree(mini.configuration["data_directory"])
    done = mini.command("restore", to)
    assert done.returncode == 0, done.stderr
    assert f"{key} is restored" in done.stdout
    assert f"{mini.conf_path} is there already" in done.stdout
    assert key.read_text() == text and key.stat().st_mode & 0o777 == 0o600
    mini.start()
    assert all(has_note(mini, name) for name in "abc")
    assert mini.get("/note/d").status == 404


def test_a_backup_under_load_holds_all_that_was_acknowledged_before(mini, story):
    mini.start()
    written, done = [], threading.Event()

    def write():
        while not done.is_set():
            name = f"n{len(written)}"
            write_notes(mini, [name])
            written.append(name)

    writer = threading.Thread(target=write)
    writer.start()
    eventually(lambda: len(written) > 20)
    before = len(written)
    assert mini.command("backup", story.directory / "backup").returncode == 0
    done.set()
    writer.join()
    mini.stop()
    shutil.rmtree(mini.configuration["data_directory"])
    assert mini.command("restore", story.directory / "backup").returncode == 0
    mini.start()
    assert all(has_note(mini, name) for name in written[:before])


def test_a_backup_does_not_go_where_something_is(mini, story):
    mini.start()
    taken = story.directory / "taken"
    taken.mkdir()
    (taken / "x").write_text("x")
    done = mini.command("backup", taken)
    assert done.returncode == 1 and "not empty" in done.stderr
    assert [p.name for p in taken.iterdir()] == ["x"]


def test_a_backup_needs_the_running_daemon(mini, story):
    done = mini.command("backup", story.directory / "backup")
    assert done.returncode == 1 and "is the daemon running" in done.stderr
    assert not (story.directory / "backup").exists()


def test_a_restore_replaces_nothing(story):
    mini, key = with_key(story)
    mini.start()
    to = story.directory / "backup"
    assert mini.command("backup", to).returncode == 0
    running = mini.command("restore", to)
    assert running.returncode == 1 and "running daemon" in running.stderr
    mini.stop()
    there = mini.command("restore", to)
    assert there.returncode == 1, there.stdout
    shutil.rmtree(mini.configuration["data_directory"])
    key.write_text("another key\n")
    done = mini.command("restore", to)
    assert done.returncode == 0, done.stderr
    assert f"{key} differs and is kept" in done.stdout
    assert key.read_text() == "another key\n"


def test_a_backup_of_another_daemon_is_refused(mini, story):
    mini.start()
    to = story.directory / "backup"
    assert mini.command("backup", to).returncode == 0
    mini.stop()
    manifest = json.loads((to / "manifest.json").read_text())
    for change in ({"daemon": "other"}, {"format": 9}):
        (to / "manifest.json").write_text(json.dumps({**manifest, **change}))
        done = mini.command("restore", to)
        assert done.returncode == 1, change
    for text in ("", "{", "[]"):
        (to / "manifest.json").write_text(text)
        assert mini.command("restore", to).returncode == 1
