"""A service over HTTP that knows who is who, in every mood."""

import base64
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import source_service
from asker import Asker
from source_service import SourceService


@pytest.fixture
def asker(make_people):
    def made(*sources):
        return Asker(make_people({"sources": list(sources)}).start())

    return made


@pytest.fixture
def service():
    made = SourceService({("email", "ann@example.com"): "Ann",
                          ("email", "ben@example.com"): "@ben:other.org"})
    yield made
    made.close()


def test_a_service_is_asked_for_whom_we_do_not_know(asker, service):
    one = asker(service.source())
    assert one.in_every_way("ann@example.com") == "@ann:example.org"
    assert one.in_every_way("ben@example.com") == "@ben:other.org"
    assert one.in_every_way("zoe@example.com") is None
    assert one.by_hash("ann@example.com") is None
    assert all(item.keys() == {"medium", "address"} for asked in service.requests for item in asked)


def test_a_service_may_want_a_password(asker, service, tmp_path):
    (tmp_path / "secret").write_text("pass:word\n")
    one = asker(service.source(user="id", password_file=str(tmp_path / "secret")))
    assert one.by_v1("ann@example.com")
    assert base64.b64decode(service.authorization.split()[1]) == b"id:pass:word"


def test_private_addresses_need_to_be_allowed(asker, service):
    one = asker(service.source(allow=[]))
    assert one.by_v1("ann@example.com") is None
    assert service.requests == [] and one.why_warned()


@pytest.mark.parametrize("mood", source_service.MOODS, ids=lambda mood: mood.__name__)
def test_answers_are_given_whatever_the_mood(asker, service, mood):
    service.mood = mood
    one = asker(service.source())
    began = time.monotonic()
    assert one.by("none", "ann@example.com", "zoe@example.com") == {}
    assert time.monotonic() - began < 5
    assert bool(one.why_warned()) == (mood in source_service.FAILURES)
    assert one.by_invite("ann@example.com") is None


def test_a_hanging_service_holds_nobody_else_up(asker, service):
    service.mood = source_service.hang
    one = asker(service.source(timeout_ms=6000, connections=1))
    with ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(one.by_v1, f"p{i}@example.com") for i in range(50)]
        began = time.monotonic()
        assert one.client.get("/account").status == 200
        one.world.sign_in("@eve:hs.test")  # in the lane of those who wait for others
        assert time.monotonic() - began < 5
        assert [one.result() for one in asked] == [None] * 50
    assert len(service.requests) <= 2


def test_the_first_source_that_knows_somebody_wins(asker, service):
    other = SourceService({("email", "ann@example.com"): "@wrong:other.org",
                           ("email", "zoe@example.com"): "@zoe:other.org"})
    try:
        one = asker(service.source(), other.source(name="other"))
        assert one.by("none", "ann@example.com", "zoe@example.com") == {
            "ann@example.com": "@ann:example.org", "zoe@example.com": "@zoe:other.org"}
    finally:
        other.close()
