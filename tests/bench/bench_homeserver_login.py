"""Whether the time of a refused log-in tells if there is such an account: wrong passwords of
somebody, of nobody and of an account without a password, in turn."""

import statistics
import time

import homeserver_world
import measure

TIMES = 10 if measure.SHORT else 300
PEOPLE = ("somebody", "nobody", "@nobody:elsewhere.test", "gone")
# As people run it, but for what stops who guesses.
CONFIGURATION = {"password": {"memory_kib": 19456, "passes": 2},
                 "login": {"failures_burst": 1000000, "failures_per_minute": 1000000}}


def took(world, name):
    """Milliseconds of one refusal."""
    began = time.monotonic()
    assert world.log_in(name, "not the password").status == 403
    return (time.monotonic() - began) * 1000


def main():
    with measure.Bench() as bench:
        world = homeserver_world.World(bench.path, CONFIGURATION)
        world.homeserver.unchecked().start()
        try:
            world.user("somebody")
            world.user("gone").confirm("POST", "/account/deactivate")
            times = {name: [] for name in PEOPLE}
            for _ in range(TIMES):
                for name in PEOPLE:
                    times[name].append(took(world, name))
        finally:
            world.end()
    measure.heading(f"POST /login with a wrong password, {TIMES} times each in turn")
    known = statistics.median(times["somebody"])
    measure.figure("median of somebody", known, unit=" ms")
    for name in PEOPLE[1:]:
        median = statistics.median(times[name])
        measure.figure(f"median of {name}", median, unit=" ms")
        measure.figure("it differs by, in %", abs(median / known - 1) * 100, 10, " %")


main()
