"""Random rooms, far more than there is time for in every run: tests/run campaign [graphs|rooms].

    graphs    state resolution against its slow reference; TRINITY_GRAPHS of each version (100,000)
    rooms     whole rooms that fork, on their way in; TRINITY_ROOMS of each version (1,000)

Each share of a version is a process; there are as many at once as there are cores. What was tried is
said version by version, so that a campaign that is ended early says how far it came. TRINITY_FIRST is
the number of the first room, to go on from there. A share that failed names the room.
"""

import concurrent.futures
import os
import subprocess
import time

VERSIONS = [str(number) for number in range(1, 13)]
# name -> (program, setting, how many by default, how many in one process)
CAMPAIGNS = {
    "graphs": ("unit_homeserver_state_resolve", "TRINITY_GRAPHS", 100000, 5000),
    "rooms": ("unit_homeserver_ingest_ingest", "TRINITY_ROOMS", 1000, 100),
}


class Share:
    """Some rooms of one version."""

    def __init__(self, program, setting, version, first, count):
        self.program, self.version, self.count = program, version, count
        self.environment = {**os.environ, "TRINITY_VERSION": version, "TRINITY_FIRST": str(first),
                            setting: str(count)}

    def run(self):
        """What it said, if it failed."""
        done = subprocess.run([str(self.program)], env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return f"{done.stdout}\nexit status {done.returncode}" if done.returncode else None


def shares(tests, program, setting, many, most):
    first = int(os.environ.get("TRINITY_FIRST", "1"))
    for version in VERSIONS:
        for begin in range(0, many, most):
            yield Share(tests / program, setting, version, first + begin,
                        min(most, many - begin))


def run(tests, name, say):
    """Whether all rooms were as they should be."""
    program, setting, many, most = CAMPAIGNS[name]
    many = int(os.environ.get(setting, many))
    good, begin, done = True, time.monotonic(), {version: 0 for version in VERSIONS}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        all_shares = list(shares(tests, program, setting, many, most))
        for share, wrong in zip(all_shares, pool.map(Share.run, all_shares)):
            if wrong:
                good = False
                say(f"--- {name}, version {share.version}\n{wrong[-4000:]}\n---")
                continue
            done[share.version] += share.count
            say(f"{name}, version {share.version}: {done[share.version]} of {many} in"
                f" {time.monotonic() - begin:.0f} s")
    return good
