"""What the notary keeps resident: with nothing to do, and knowing many servers."""

import statistics

import known_servers
import measure

SERVERS = 300 if measure.SHORT else 10000
BASE_MB, CACHE_MB = 15, 32  # cache_mb by default


def idle(bench):
    notary = bench.notary().start()
    bench.settle()
    found = measure.memory_mb(notary.process.pid)
    notary.stop()
    return found


def main():
    with measure.Bench() as bench:
        rounds = [idle(bench) for _ in range(measure.ROUNDS)]
        measure.heading("just started; from /proc/PID/smaps_rollup")
        measure.figure("resident, shared libraries included",
                       statistics.median(r for r, _ in rounds), BASE_MB, " MiB")
        measure.figure("private", statistics.median(p for _, p in rounds), unit=" MiB")
        notary = bench.notary().start()
        names = known_servers.import_into(notary, SERVERS)
        measure.heading(f"{SERVERS} servers imported, all asked for by POST and by GET")
        measure.told(f"trinity-notary -c {notary.conf_path} import trinity FILE")
        for what in ("at once", "after a restart"):
            known_servers.ask_all(notary, names)
            bench.settle()
            resident, private = measure.memory_mb(notary.process.pid)
            measure.figure(f"resident, {what}", resident, BASE_MB + CACHE_MB, " MiB")
            measure.figure(f"private, {what}", private, unit=" MiB")
            notary.restart()


main()
