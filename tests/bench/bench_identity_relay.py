"""What a mail relay that hangs does to those who want no mail: the same questions and the same
requests for mails, in rounds with a relay that takes them and one that takes the connection and
says nothing more for a minute."""

import itertools
import os
import random
import select
import statistics
import threading
import time

import known_people
import measure
import smtp_sink
from identity_world import V2

PEOPLE = 2000 if measure.SHORT else 100000
PACE, SECONDS = (200, 1) if measure.SHORT else (500, 15)
ROUNDS = 1 if measure.SHORT else 6
MAILS_A_SECOND = 5
AHEAD = 0.2 if measure.SHORT else 5  # seconds of mails before anything is measured
LIMITS = known_people.LIMITS | {name: known_people.A_MILLION for name in (
    "mail_asker", "mail_address", "mail_address_day", "mail_network")}
ASK = V2 + "/validate/email/requestToken"


class Askers(threading.Thread):
    """Somebody new asks for a mail again and again. Nobody waits for an answer before the next one
    asks, and each gets one in the end."""

    numbers = itertools.count()

    def __init__(self, made):
        super().__init__()
        self.made, self.ending, self.open, self.answers = made, threading.Event(), [], 0
        self.start()

    def run(self):
        os.setpriority(os.PRIO_PROCESS, 0, 19)  # of this thread: they are other machines
        due = time.monotonic()
        while not self.ending.wait(max(0, due - time.monotonic())):
            self.ask()
            self.take_answers(0)
            due += 1 / MAILS_A_SECOND
        while self.open:
            self.take_answers(60)

    def ask(self):
        number = next(self.numbers)
        wire = self.made.identity.plain.socket()
        wire.sendall(known_people.post(random.choice(self.made.tokens), ASK, {
            "client_secret": f"secret{number}", "email": f"new{number}@d{number % 50}.example",
            "send_attempt": 1}))
        self.open.append(wire)

    def take_answers(self, seconds):
        for wire in select.select(self.open, [], [], seconds)[0]:
            assert wire.recv(65536).startswith(b"HTTP/1.1 200 "), "a mail was refused"
            wire.close()
            self.open.remove(wire)
            self.answers += 1

    def end(self):
        self.ending.set()
        self.join()


def questions(made):
    """What has nothing to do with mails, each a third."""
    for token in made.tokens:
        yield known_people.get(token, V2 + "/hash_details")
        yield known_people.get(token, V2 + "/account")
        yield known_people.lookup(token, known_people.numbers(made.count))


def one_round(made, sink, mood, requests):
    """(median, p99, mails asked for) of the questions."""
    sink.mood = mood
    askers = Askers(made)
    time.sleep(AHEAD)
    p50, p99 = measure.probe(made.identity.plain.port, f"@{requests}", PACE, SECONDS)
    sink.mood = smtp_sink.take
    sink.release()
    askers.end()
    return p50, p99, askers.answers


def print_rounds(rounds):
    for i, state in enumerate(("relay that takes", "relay that hangs")):
        for j, (what, unit) in enumerate((("median", " µs"), ("p99", " µs"), ("mails", ""))):
            figures = [one[i][j] for one in rounds]
            measure.figure(f"{what}, {state}", statistics.median(figures), unit=unit)
    ratios = [hanging[1] / well[1] for well, hanging in rounds]
    measure.figure("smallest ratio of the p99", min(ratios), unit=" ×")
    measure.figure("largest ratio of the p99", max(ratios), unit=" ×")
    measure.figure("ratio of the p99", statistics.median(ratios), 1.1, " ×")


def main():
    with measure.Bench() as bench, smtp_sink.SmtpSink() as sink:
        sink.loop.call_soon_threadsafe(os.setpriority, os.PRIO_PROCESS, 0, 19)
        mail = sink.conf(bench.path)
        with known_people.service(bench, PEOPLE, {"mail": mail, "limits": LIMITS}) as made:
            requests = known_people.write_requests(bench.path / "questions", questions(made))
            rounds = [(one_round(made, sink, smtp_sink.take, requests),
                       one_round(made, sink, smtp_sink.hang_at_data, requests))
                      for _ in range(ROUNDS)]
        measure.heading(f"hash_details, account and look-ups, {PACE} a second in all, while "
                        f"{MAILS_A_SECOND} mails a second are asked for")
        print_rounds(rounds)


main()
