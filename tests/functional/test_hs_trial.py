"""`mail test` of the homeserver: one mail now, and how far it came."""

import json

import smtp_sink
from contact_world import World
from trial import steps

WORLD = World
ADDRESS = "ann@example.org"


def test_a_mail_is_sent_at_once_and_each_step_is_told(home):
    printed = home.command("mail", "test", ADDRESS)
    told, failed = steps(printed)
    assert list(told) == ["address", "name", "connection", "greeting", "EHLO", "sender",
                          "recipient", "message"] and failed == []
    assert told["address"] == "example.org" and printed.endswith("sent\n")
    mail = home.sink.only_mail_to(ADDRESS)
    assert "hs.test" in mail.subject and "hs.test" in mail.text and "hs.test" in mail.html


def test_the_words_of_the_relay_are_shown_where_it_ended(make_home):
    world = make_home().start()
    world.sink.mood = smtp_sink.refuse
    told = json.loads(world.command("mail", "test", "--json", ADDRESS, status=1))
    assert told["result"] == "refused" and told["steps"][-1]["step"] == "recipient"
    assert told["steps"][-1]["words"].startswith("550 5.1.1")
    assert world.sink.mails == []


def test_what_is_no_address_is_no_mail(home):
    before = len(home.sink.mails)
    home.command("mail", "test", "ann", status=1)
    home.command("mail", "tset", ADDRESS, status=2)
    assert len(home.sink.mails) == before
