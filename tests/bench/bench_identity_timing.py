"""Whether the time of a look-up tells if somebody was found: one hash over HTTP, of people and of
nobody in random order, and the distance between the two distributions of times. What two random
halves of the same requests differ by is the noise."""

import math
import random
import statistics

import known_people
import measure

PEOPLE = 2000 if measure.SHORT else 100000
PACE, SECONDS = (500, 1) if measure.SHORT else (1000, 20)
DIFFERENT = 4096
ONE_IN_A_HUNDRED = 1.63  # of Kolmogorov's distribution


def distance(left, right):
    """Kolmogorov and Smirnov's: the largest between the two distributions."""
    both = sorted([(took, 1 / len(left)) for took in left]
                  + [(took, -1 / len(right)) for took in right])
    largest = at = 0.0
    for i, (took, step) in enumerate(both):
        at += step
        if i + 1 == len(both) or both[i + 1][0] != took:
            largest = max(largest, abs(at))
    return largest


def limit(left, right):
    """Of the distance: two samples of the same distribution have more once in a hundred times."""
    return ONE_IN_A_HUNDRED * math.sqrt((len(left) + len(right)) / (len(left) * len(right)))


def chance(left, right):
    """Mann and Whitney's: that one of the left is greater than one of the right."""
    ranks, both = 0.0, sorted([(took, 1) for took in left] + [(took, 0) for took in right])
    i = 0
    while i < len(both):
        j = i
        while j < len(both) and both[j][0] == both[i][0]:
            j += 1
        ranks += (i + 1 + j) / 2 * sum(is_left for _, is_left in both[i:j])
        i = j
    return (ranks - len(left) * (len(left) + 1) / 2) / (len(left) * len(right))


def halves(times):
    mixed = random.sample(times, len(times))
    return mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]


def ask(bench, made):
    """(times of hits, times of misses) in µs."""
    hits = [random.random() < 0.5 for _ in range(DIFFERENT)]
    requests = [known_people.lookup(made.tokens[i % known_people.ACCOUNTS], [
        random.randrange(PEOPLE) + (0 if hit else PEOPLE)]) for i, hit in enumerate(hits)]
    path = known_people.write_requests(bench.path / "one-hash", requests)
    times = bench.path / "times"
    measure.probe(made.identity.plain.port, f"@{path}", PACE, 1)
    measure.probe(made.identity.plain.port, f"@{path}", PACE, SECONDS, times)
    took = [int(line) / 1000 for line in times.read_text().split()]
    return tuple([time for i, time in enumerate(took) if hits[i % DIFFERENT] == wanted]
                 for wanted in (True, False))


def main():
    with measure.Bench() as bench, known_people.service(bench, PEOPLE) as made:
        hits, misses = ask(bench, made)
        measure.heading(f"POST {known_people.LOOKUP}, one hash, {len(hits)} times one of {PEOPLE} "
                        f"people's and {len(misses)} times nobody's, in random order")
        for what, times in (("hits", hits), ("misses", misses)):
            measure.figure(f"median of the {what}", statistics.median(times), unit=" µs")
        measure.figure("chance that a hit takes longer than a miss, in %",
                       100 * chance(hits, misses), unit=" %")
        measure.figure("the same of two halves of all, in %",
                       100 * chance(*halves(hits + misses)), unit=" %")
        measure.figure("distance of the distributions, in %", 100 * distance(hits, misses),
                       round(100 * limit(hits, misses), 2), " %")
        measure.figure("the same of two halves of all, in %",
                       100 * distance(*halves(hits + misses)), unit=" %")


main()
