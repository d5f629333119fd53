"""Synapse and our rules: random rooms of every version, in which both allow the same events and
resolve forks to the same state."""

import json
import os
import pathlib
import subprocess

import pytest

import synapse
import trinity

pytestmark = pytest.mark.skipif(synapse.python() is None, reason="Synapse cannot be had from PyPI")

SCRIPT = pathlib.Path(__file__).with_name("synapse_rules.py")
SEED, COUNT = 1, 20  # questions for each version


def ask_synapse(kind):
    command = [str(synapse.python()), str(SCRIPT), kind, str(SEED), str(COUNT)]
    # Our own modules' path would show it a file of ours instead of its package.
    done = subprocess.run(command, capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": ""})
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask_us(questions):
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run([str(trinity.program("homeserver_rules"))], input=lines,
                          capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def both(kind):
    """(question, Synapse's answer, ours) of all versions."""
    asked = ask_synapse(kind)
    answers = ask_us([one["question"] for one in asked])
    assert len(answers) == len(asked) == 12 * COUNT
    return [(one["question"], one["answer"], ours) for one, ours in zip(asked, answers)]


def test_both_allow_the_same_events():
    allowed = 0
    for question, theirs, ours in both("judge"):
        assert (ours is True) == theirs, (question["version"], question["event"], ours)
        allowed += theirs
    assert allowed > COUNT  # the rooms are not so wild that nothing is ever allowed


def test_both_resolve_forks_to_the_same_state():
    changed = 0
    for question, theirs, ours in both("resolve"):
        assert ours == theirs, (question["version"], question["states"])
        changed += theirs not in question["states"]
    assert changed > COUNT  # mostly none of the forks as it was
