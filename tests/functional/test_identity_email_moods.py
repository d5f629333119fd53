"""A relay in every mood: at most one mail, nothing lost, and whoever asks learns of it only if the
mail will never come."""

import concurrent.futures
import time

import pytest

import smtp_sink
from mail_world import MailWorld

# mood: (status of the answer, mails at first, mails once the relay is well)
OUTCOMES = {
    smtp_sink.take: (200, 1, 1),
    smtp_sink.greet_slowly: (200, 1, 1),
    smtp_sink.refuse: (400, 0, 0),
    smtp_sink.refuse_mail: (400, 0, 0),
    smtp_sink.defer: (200, 0, 1),
    smtp_sink.greylist: (200, 0, 1),
    smtp_sink.defer_mail: (200, 0, 1),
    smtp_sink.hang_at_data: (200, 0, 1),
    smtp_sink.drop_at_data: (200, 0, 1),
    smtp_sink.drop_in_body: (200, 0, 0),  # all of it was sent: nobody knows who has it
    smtp_sink.hang_after_dot: (200, 1, 1),
    smtp_sink.drop_after_dot: (200, 1, 1),
}
every_mood = pytest.mark.parametrize("mood", OUTCOMES, ids=lambda mood: mood.name)


class Course:
    """One world in which every mood is met: first(), then later(), when the relay is well."""

    def __init__(self, directory):
        self.world = MailWorld(directory).start()
        self.sink = self.world.sink
        self.ann = self.world.sign_in("@ann:hs.test")
        self.all = {mood: self.world.validation(self.ann, f"ann@{mood.name.replace('_', '-')}.example")
                    for mood in OUTCOMES}
        self.replies, self.mails = {}, {}

    def count(self):
        return {mood: len(mine.mails()) for mood, mine in self.all.items()}

    def first(self):
        self.sink.moods = {mine.address: mood for mood, mine in self.all.items()}
        with concurrent.futures.ThreadPoolExecutor(len(self.all)) as pool:
            asked = {mood: pool.submit(mine.ask) for mood, mine in self.all.items()}
        self.replies = {mood: future.result() for mood, future in asked.items()}
        self.mails = self.count()
        return self

    def later(self):
        self.sink.moods = {}
        self.sink.release()
        wanted = [mood for mood, (_, _, last) in OUTCOMES.items() if last]
        self.world.pass_time(lambda: all(self.count()[mood] for mood in wanted))
        return self


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    made = Course(tmp_path_factory.mktemp("moods")).first()
    yield made
    made.world.end()


@pytest.fixture(scope="module")
def later(course):
    return course.later()


@every_mood
def test_only_a_refusal_is_told(course, mood):
    status, mails, _ = OUTCOMES[mood]
    reply = course.replies[mood]
    assert reply.status == status, reply
    assert reply.errcode == ("M_EMAIL_SEND_ERROR" if status == 400 else None)
    assert "550" not in str(reply) and course.all[mood].address not in str(reply)
    assert course.mails[mood] == mails


@every_mood
def test_what_was_not_taken_comes_later_and_nothing_comes_twice(later, mood):
    status, _, mails = OUTCOMES[mood]
    assert len(later.all[mood].mails()) == mails
    later.all[mood].asked(1)
    assert len(later.all[mood].mails()) == mails + (status == 400), "what was refused is repeated"
    later.all[mood].asked(2)
    assert later.all[mood].submit().json == {"success": True}


def test_logs_hold_no_addresses(later):
    log = later.world.identity.log()
    assert "550 5.1.1 ... Recipient address rejected" in log
    for mine in later.all.values():
        assert mine.address not in log


@pytest.mark.parametrize(
    "mood", [smtp_sink.be_closed, smtp_sink.be_shut, smtp_sink.be_silent, smtp_sink.defer_sender],
    ids=lambda mood: mood.name)
def test_a_relay_that_takes_nobody_holds_up_mails_only(course, mood):
    world, ann = course.world, course.ann
    world.sink.mood = mood
    all_of_us = [world.validation(ann, f"{n}@{mood.name.replace('_', '-')}.example")
                 for n in range(10)]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(one.ask) for one in all_of_us]
        for _ in range(50):
            began = time.monotonic()
            assert ann.get("/account").status == 200
            assert time.monotonic() - began < 5
    assert [future.result().status for future in asked] == [200] * 10
    world.sink.mood = smtp_sink.take
    world.sink.release()
    world.pass_time(lambda: all(one.mails() for one in all_of_us))
    assert [one.submit().status for one in all_of_us] == [200] * 10
    assert [len(one.mails()) for one in all_of_us] == [1] * 10
