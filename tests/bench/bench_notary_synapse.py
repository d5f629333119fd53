"""The notary beside Synapse as a notary: the same servers, the same questions, one after the
other on the same processor. Synapse answers from its table of server keys in SQLite."""

import json
import sqlite3
import sys

import fakenet
import known_servers
import measure
import synapse
from known_servers import QUERY

SERVERS = 50 if measure.SHORT else 1000
AT_ONCE = 50


def start_synapse(bench, objects):
    server = synapse.Quiet(bench.path / "synapse", fakenet.Authority(bench.path / "authority"))
    bench.story.daemons.append(server)
    server.start()
    server.stop()
    with sqlite3.connect(server.database_path) as database:
        known_servers.store_in_synapse(database, objects)
    return server.start(seconds=120)


def check_same(notary, server, target, name):
    """Both answer with the keys of the server, each with its own signature too."""
    for one in (notary, server):
        (entry,) = one.get(target).json["server_keys"]
        assert entry["server_name"] == name and len(entry["signatures"]) == 2, entry


def post_script(bench, names):
    """wrk's way to send a body."""
    path = bench.path / "post.lua"
    body = json.dumps(known_servers.question(names))
    path.write_text(f'wrk.method = "POST"\nwrk.body = [[{body}]]\n'
                    'wrk.headers["Content-Type"] = "application/json"\n')
    return path


def compare(notary, server, target, script=None):
    sides = [measure.Side(one.plain.url + target, one.process.pid, script)
             for one in (notary, server)]
    measure.compare(*sides, ("notary", "Synapse"), 50)


def compare_memory(notary, server):
    ours, theirs = (measure.memory_mb(one.process.pid) for one in (notary, server))
    for name, (resident, private) in (("notary", ours), ("Synapse", theirs)):
        measure.figure(f"resident after that, {name}", resident, unit=" MiB")
        measure.figure(f"private after that, {name}", private, unit=" MiB")
    measure.figure("resident, as a part of Synapse's", ours[0] / theirs[0], 0.1)
    measure.figure("private, as a part of Synapse's", ours[1] / theirs[1], 0.1)


def main():
    if not synapse.python():
        print("skipped: Synapse cannot be had here")
        sys.exit(0)
    with measure.Bench() as bench:
        notary = bench.notary({"http": {"io_threads": 1}}).start()
        names = known_servers.import_into(notary, SERVERS)
        exported = known_servers.objects_of(notary)
        server = start_synapse(bench, exported)
        known_servers.ask_all(notary, names)
        target = f"{QUERY}/{names[0]}"
        check_same(notary, server, target, names[0])
        for one in (notary, server):
            measure.pin(one.process.pid)
        kept = f"{measure.CONNECTIONS} connections kept"
        measure.heading(f"GET {QUERY}/SERVER of {SERVERS} known, {kept}")
        compare(notary, server, target)
        measure.heading(f"POST {QUERY} for {AT_ONCE} of them, {kept}")
        compare(notary, server, QUERY, post_script(bench, names[:AT_ONCE]))
        compare_memory(notary, server)


main()
