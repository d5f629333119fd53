"""A store whose machine loses its power: what was synced is there, and of the rest anything or
nothing. It opens, and every acknowledged transaction is whole.

A journal of all that a writer does to its files (journal.c) is cut at random points. From each cut
a disk is made: of every file what was written before its last sync, and a random part of what came
after. Names of files are taken as changed at once, and a page of 4 KiB as written whole or not.
"""

import os
import random
import shutil
import struct
import subprocess

import preload
import store_writer

CYCLES = int(os.environ.get("TRINITY_CYCLES", "12"))
COMMITS = 400  # acknowledged before the recording ends
PAGE = 4096
HEAD = struct.Struct("<cIQI")


def record(tmp_path):
    """The journal of a writer: entries (kind, path, offset, bytes)."""
    store, journal = tmp_path / "recorded", tmp_path / "journal"
    more = preload.environment("journal", tmp_path, JOURNAL=str(journal), JOURNAL_OF=str(store))
    writer = subprocess.Popen(
        store_writer.command("write", store, 1), env={**os.environ, **more},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    for _ in range(COMMITS):
        assert writer.stdout.readline(), "the writer has ended"
    writer.kill()
    writer.communicate()
    return entries(journal.read_bytes(), str(store) + "/")


def entries(data, root):
    found, at = [], 0
    while at + HEAD.size <= len(data):
        kind, path_len, offset, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        path = data[at : at + path_len].decode().removeprefix(root)
        data_at = at + path_len
        at = data_at + length
        if at > len(data):
            break  # killed in the middle of an entry
        found.append((kind.decode(), path, offset, data[data_at:at]))
    return found


class Disk:
    """Files as bytes; what was not synced yet is kept apart."""

    def __init__(self, root):
        self.root, self.synced, self.pending = root, {}, {}

    def play(self, kind, path, offset, data):
        if kind in "wt":
            self.pending.setdefault(path, []).append((kind, offset, data))
        elif kind == "s":
            self.settle(path, lambda: True)
        elif kind == "u":
            self.synced.pop(path, None)
            self.pending.pop(path, None)
        elif kind == "r":
            to = data.decode().removeprefix(self.root)
            self.synced[to] = self.synced.pop(path, bytearray())
            self.pending[to] = self.pending.pop(path, [])

    def settle(self, path, reaches_the_disk):
        content = self.synced.setdefault(path, bytearray())
        for kind, offset, data in self.pending.pop(path, []):
            if kind == "t" and reaches_the_disk():
                del content[offset:]
                content.extend(bytes(offset - len(content)))
            for start in range(0, len(data), PAGE):
                if kind == "w" and reaches_the_disk():
                    put(content, offset + start, data[start : start + PAGE])

    def power_cut(self, directory):
        likely = random.choice([0.0, 0.2, 0.5, 0.8, 1.0])
        directory.mkdir(mode=0o700)
        for path in set(self.synced) | set(self.pending):
            if "/" in path or not path:
                continue  # the directory itself
            self.settle(path, lambda: random.random() < likely)
            (directory / path).write_bytes(self.synced[path])


def put(content, offset, data):
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def acknowledged(played):
    said = b"".join(data for kind, _, _, data in played if kind == "o")
    return said.partition(b"open\n")[2]


def test_a_power_cut_loses_nothing_acknowledged(tmp_path):
    played = record(tmp_path)
    opened = next(i for i, entry in enumerate(played) if entry[3] == b"open\n")
    most = 0
    for number in range(CYCLES):
        cut = random.randrange(opened, len(played))
        disk = Disk(str(tmp_path / "recorded") + "/")
        for entry in played[:cut]:
            disk.play(*entry)
        image = tmp_path / f"image-{number}"
        disk.power_cut(image)
        lines = acknowledged(played[:cut])
        store_writer.verify(image, lines)
        shutil.rmtree(image)
        most = max(most, lines.count(b"\n"))
    print(f"{CYCLES} power cuts, up to {most} acknowledged, all there")
    assert most > 0
