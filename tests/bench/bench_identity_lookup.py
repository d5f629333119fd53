"""Look-ups of 100 hashes, beside Sydent with the same people: the same requests byte for byte, one
service after the other on the same processor. Sydent answers from its table in SQLite, all of whose
hashes it goes through for each request."""

import json

import known_people
import measure
import sydent

PEOPLE = 2000 if measure.SHORT else 100000
RATE = 5000
TIMES_SYDENT = 50
CONNECTIONS = 4  # Sydent answers none before it has worked on all that came
SYDENT_SECONDS = 1 if measure.SHORT else 20


def start_sydent(bench, made):
    server = sydent.Sydent(bench.path / "sydent").create()
    known_people.seed_sydent(server, made.count)
    for i, token in enumerate(made.tokens):
        server.add_account(f"@asker{i}:hs.test", token)
    bench.story.daemons.append(server)
    return server.start(seconds=120)


def check_same(made, server):
    """Both find the same people."""
    body = known_people.lookup(made.tokens[0], known_people.numbers(made.count)).partition(
        b"\r\n\r\n")[2]
    answers = [one.plain.request("POST", known_people.LOOKUP, body, {
        "Authorization": f"Bearer {made.tokens[0]}", "Content-Type": "application/json"})
        for one in (made.identity, server) if one]
    for answer in answers:
        assert answer.status == 200 and len(answer.json["mappings"]) == 10, answer
        assert answer.json == answers[0].json, json.dumps(answer.json)


def alone(ours):
    for _ in range(measure.ROUNDS):
        ours.run()
    measure.told(ours.command)
    measure.figure("requests a second, identity", ours.rate)
    measure.figure("processor time of a request, identity", ours.cost_us, unit=" µs")


def main():
    with measure.Bench() as bench, known_people.service(bench, PEOPLE, {
            "http": {"io_threads": 1}}) as made:
        script = known_people.wrk_script(bench.path / "lookups", known_people.lookups(made))
        server = start_sydent(bench, made) if sydent.python() else None
        check_same(made, server)
        sides = [measure.Side(made.identity.plain.url, made.pid, script, CONNECTIONS)]
        if server:
            sides.append(measure.Side(server.plain.url, server.process.pid, script, CONNECTIONS,
                                      SYDENT_SECONDS))
        for side in sides:
            measure.pin(side.pid)
        measure.heading(f"POST {known_people.LOOKUP}, {known_people.HASHES} hashes of which every "
                        f"{known_people.HIT_EVERY}th is one of {PEOPLE} people's, "
                        f"{CONNECTIONS} connections kept, 1 I/O thread, 1 processor")
        if server:
            measure.compare(*sides, ("identity", "Sydent"), TIMES_SYDENT)
        else:
            print("skipped: Sydent cannot be had here")
            alone(sides[0])
        measure.figure("requests a second and core, by rate", sides[0].rate, RATE, at_least=True)
        measure.figure("requests a second and core, by processor time", 1e6 / sides[0].cost_us,
                       RATE, at_least=True)


main()
