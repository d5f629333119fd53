"""Text messages over the wire: every transport against a gateway in every mood."""

import json
import subprocess

import pytest

import sms_gateway
import trinity

TIMEOUT_MS = 1500
RESULTS = {
    sms_gateway.ok: ("sent", 1),
    sms_gateway.refuse: ("refused", 0),
    sms_gateway.forbid: ("refused", 0),
    sms_gateway.fail: ("unsure", 0),
    sms_gateway.be_busy: ("again", 0),
    sms_gateway.throttle: ("again", 0),
    sms_gateway.hang: ("unsure", 1),
    sms_gateway.hang_up: ("unsure", 1),
    sms_gateway.talk_garbage: ("unsure", 1),
    sms_gateway.redirect: ("refused", 0),
    sms_gateway.talk_much: ("unsure", 1),
}


def send(gateway, dialect, directory):
    """What our side makes of one attempt."""
    url = gateway.url + ("/hook" if dialect == "webhook" else "")
    secret_file = gateway.conf(dialect, directory)["secret_file"]
    ran = subprocess.run(
        [str(trinity.program("identity_sms_send")), dialect, url, secret_file, str(TIMEOUT_MS)],
        capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert ran.returncode == 0, ran.stderr
    assert not trinity.SANITIZER.search(ran.stderr), ran.stderr
    return json.loads(ran.stdout)


def test_every_mood_of_the_gateway_is_known():
    assert set(RESULTS) == set(sms_gateway.MOODS)


@pytest.mark.parametrize("dialect", sms_gateway.DIALECTS)
def test_a_message_arrives_as_it_was_written(gateway, dialect, tmp_path):
    assert send(gateway, dialect, tmp_path)["result"] == "sent"
    message = gateway.messages[0]
    assert (message.dialect, message.to, message.sender) == (dialect, "447700900001", "Trinity")
    assert message.text == 'Code "1" & ü\n'


@pytest.mark.parametrize("mood", sms_gateway.MOODS, ids=lambda mood: mood.__name__)
@pytest.mark.parametrize("dialect", ["twilio", "infobip"])
def test_a_gateway_gets_one_request_whatever_its_mood(gateway, dialect, mood, tmp_path):
    gateway.mood = mood
    answer = send(gateway, dialect, tmp_path)
    result, taken = RESULTS[mood]
    assert answer["result"] == result, answer["why"]
    assert (gateway.requests, len(gateway.messages)) == (1, taken)
    assert "447700900001" not in answer["why"] and sms_gateway.SECRET not in answer["why"]


def test_a_busy_gateway_is_left_alone_as_long_as_it_wants(gateway, tmp_path):
    gateway.mood = sms_gateway.be_busy
    assert send(gateway, "vonage", tmp_path)["retry_after_ms"] == 1000


def test_a_gateway_that_is_away_is_asked_again(gateway, tmp_path):
    gateway.close()
    assert send(gateway, "vonage", tmp_path)["result"] == "again"
