"""What Prometheus reads from an identity service: counts of everything, and nobody's address."""

import re

import pytest

import smtp_sink
from identity_world import V1, V2
from mail_world import MailWorld
from metrics import parse_metrics
from trinity import eventually

ADDRESS = "Metrics.Person@example.org"
INVITE = {"medium": "email", "address": "invited@example.org", "room_id": "!room:hs.test",
          "sender": "@ann:hs.test"}


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory):
    made = MailWorld(tmp_path_factory.mktemp("metrics"))
    yield made.start()
    made.end()


@pytest.fixture
def world(shared_world, request):
    request.node.trinity_story = shared_world.story
    return shared_world


@pytest.fixture(scope="module")
def ann(shared_world):
    return shared_world.sign_in("@ann:hs.test")


def grown(world, before, *names):
    now = world.metrics()
    return [now[name] - before[name] for name in names]


SESSIONS, VALIDATIONS = ('identity_sessions_total{medium="email"}',
                         'identity_validations_total{medium="email"}')
MAIL = 'outbox_items_total{kind="mail",result="%s"}'


def test_a_validation_is_counted_at_each_step(world, ann):
    before = world.metrics()
    mine = world.validation(ann, ADDRESS).asked()
    world.sink.wait_for(1, ADDRESS)
    assert grown(world, before, SESSIONS, VALIDATIONS, MAIL % "sent") == [1, 0, 1]
    wrong = mine.submit("wrong")
    assert wrong.status == 400 and grown(world, before, VALIDATIONS) == [0]
    assert mine.submit().status == 200 and grown(world, before, VALIDATIONS) == [1]
    assert mine.bind("@ann:hs.test").status == 200


def test_mails_are_counted_by_what_became_of_them(world, ann):
    before = world.metrics()
    world.sink.moods["no@example.org"] = smtp_sink.refuse
    assert world.validation(ann, "no@example.org").ask().status == 400
    world.sink.moods["later@example.org"] = smtp_sink.defer
    assert world.validation(ann, "later@example.org").ask().status == 200
    assert grown(world, before, MAIL % "refused") == [1]
    eventually(lambda: world.metrics()['outbox_waiting{kind="mail"}'] == 1)
    assert eventually(lambda: world.metrics()['outbox_oldest_seconds{kind="mail"}'] > 0)
    assert world.metrics()["identity_mail_ok"] == 1


def test_look_ups_are_counted_and_those_that_find_somebody(world, ann):
    before = world.metrics()
    pepper = ann.get("/hash_details").json["lookup_pepper"]
    addresses = [f"{ADDRESS.lower()} email", "nobody@example.org email", "other@example.org email"]
    found = ann.post("/lookup", {"algorithm": "none", "pepper": pepper, "addresses": addresses})
    assert len(found.json["mappings"]) == 1
    world.anybody.get(f"{V1}/lookup?medium=email&address={ADDRESS}")
    world.anybody.get(f"{V1}/lookup?medium=email&address=nobody@example.org")
    assert grown(world, before, "identity_lookup_addresses_total",
                 "identity_lookup_hits_total") == [5, 2]


def test_what_is_stored_is_counted(world, ann):
    assert ann.post("/store-invite", INVITE).status == 200
    world.identity.restart()  # otherwise it is counted every minute
    eventually(lambda: world.metrics()["identity_bindings"] == 1)
    metrics = eventually(lambda: world.metrics()["identity_invites_pending"] and world.metrics())
    assert metrics["identity_invites_pending"] == 1 and metrics["identity_accounts"] == 1
    assert metrics["identity_sessions"] >= 1


def test_requests_are_counted_by_endpoint(world, ann):
    ann.get("/account")
    assert any(re.match(r'identity_.*route="[^"]*/account"', name) for name in world.metrics())


def test_the_page_is_well_formed_and_names_nobody(world, ann):
    page = world.admin("GET", "/metrics").body.decode()
    parse_metrics(page)
    for secret in ("@", "example.org", "hs.test", "Person", ann.token):
        assert secret not in page


def test_money_is_shown(make_people, tmp_path):
    conf = {"gateway": "command", "command": ["/bin/true"], "countries": {"default": "allow"},
            "originators": [{"country": "default", "from": ["Trinity"]}],
            "prices": [{"country": "default", "price": "0.25"}], "spend": {"per_day": "10.00"}}
    people = make_people({"sms": conf}).start()
    people.command("sms", "test", "+447700900001")
    metrics = people.metrics()
    assert metrics['sms_spend{period="day"}'] == metrics['sms_spend{period="month"}'] == 0.25
    assert metrics['sms_spend_cap{period="day"}'] == 10 and metrics["identity_sms_ok"] == 1


def test_every_metric_of_ours_is_in_the_manual(world):
    """In identity/README.md; and what is there exists."""
    from trinity import ROOT

    text = (ROOT / "identity/README.md").read_text().partition("## Metrics")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+)(?:\{[^`]*)?`", text))
    page = world.admin("GET", "/metrics").body.decode()
    kinds = set(re.findall(r"^# TYPE (\S+) ", page, re.M))
    ours = {name for name in kinds if re.match("identity_|outbox_|sms_", name)}
    assert named <= kinds, named - kinds
    assert {name for name in ours if not re.match("identity_(admin_)?http_|identity_key_", name)} \
        <= named, ours - named
