"""What Prometheus reads from a notary: names that dashboards rely on, and right values."""

import re

import origins as faults
from origins import DAY_MS
from trinity import eventually

ANSWERS = ("warm", "known", "fetched", "stale", "missing", "denied", "over_budget")
REFUSALS = ("not_json", "wrong_server", "bad_shape", "bad_key", "unsigned", "bad_signature",
            "compromised")


def answers(metrics):
    """{how: count} without zeros."""
    counted = {how: metrics[f'notary_answers_total{{how="{how}"}}'] for how in ANSWERS}
    return {how: count for how, count in counted.items() if count}


def test_every_answer_is_counted_by_how_it_came_about(make_world):
    world = make_world({"fetch": {"cold_burst": 4, "cold_per_minute": 1}}).start()
    for name in ("a.test", "old.test", "denied.test"):
        world.origins.add(name)
    world.origins["old.test"].expire()
    world.ask("a.test")
    assert answers(world.metrics()) == {"fetched": 1}
    world.ask("a.test")
    assert answers(world.metrics()) == {"fetched": 1, "known": 1}
    world.get("a.test")
    world.get("a.test")
    known_and_warm = answers(world.metrics())
    assert known_and_warm["warm"] >= 1 and sum(known_and_warm.values()) == 4
    world.command("deny", "denied.test", "why")
    world.ask("denied.test")
    world.ask("old.test")
    world.ask(world.origins.dead("dead.test"))
    counted = answers(world.metrics())
    assert (counted["denied"], counted["stale"], counted["missing"]) == (1, 1, 1)
    for number in range(4):
        world.notary.get(f"/_matrix/key/v2/query/over{number}.test")
    assert answers(world.metrics())["over_budget"] >= 1
    assert world.metrics()["notary_cold_budget_askers"] == 1
    assert world.metrics()["notary_decisions"] == 1


def test_fetches_and_objects_are_counted_by_result(make_world):
    world = make_world().start()
    a = world.origins.add("a.test")
    before = world.metrics()
    world.ask("a.test")
    for name, fault, reason in (("bad.test", faults.bad_signature, "bad_signature"),
                                ("text.test", faults.not_json, "not_json"),
                                ("liar.test", faults.other_server_name("a.test"), "wrong_server")):
        world.origins.add(name).fault = fault
        world.ask(name)
        assert world.metrics()[f'notary_key_objects_refused_total{{reason="{reason}"}}'] == 1
    a.replace("ed25519:a")
    world.refetch("a.test")
    metrics = world.metrics()
    assert metrics["notary_key_servers"] == 2, "the notary itself is one"
    assert metrics["notary_key_conflicts"] == 1
    assert metrics["notary_key_versions"] == 2
    assert metrics["notary_key_servers_backed_off"] >= 3
    assert metrics["notary_key_fetches_in_flight"] == 0
    assert metrics["notary_key_fetch_seconds_count"] == 5
    assert metrics["notary_key_fetch_seconds_sum"] > 0
    assert metrics["notary_key_seals_total"] == metrics["notary_key_seal_seconds_count"]
    assert metrics["notary_key_seals_total"] > before["notary_key_seals_total"]


def test_key_changes_are_counted(make_world):
    world = make_world().start()
    a = world.origins.add("a.test")
    recorded = 'notary_key_objects_recorded_total{result="%s"}'
    world.ask("a.test")
    start = world.metrics()
    a.valid_until_ts = a.published()["valid_until_ts"] + DAY_MS
    world.refetch("a.test")
    a.rotate("ed25519:b")
    world.refetch("a.test")
    now = world.metrics()
    assert now[recorded % "renewed"] - start[recorded % "renewed"] == 1
    assert now[recorded % "new"] - start[recorded % "new"] == 1


def test_a_fetch_under_way_is_seen(make_world):
    world = make_world({"query": {"deadline_ms": 300}}).start()
    world.origins.add("slow.test").delay = 1.5
    world.ask("slow.test")
    assert world.metrics()["notary_key_fetches_in_flight"] == 1
    assert world.metrics()["notary_deadline_total"] == 1
    eventually(lambda: world.metrics()["notary_key_fetches_in_flight"] == 0)


def test_the_notarys_own_state_is_shown(make_world, tmp_path):
    keys = {"signing_file": str(tmp_path / "sign.key"), "validity_hours": 6}
    world = make_world({"keys": keys}).start()
    metrics = world.metrics()
    assert 0 <= metrics["notary_uptime_seconds"] < 60
    assert 6 * 3600 - 60 < metrics["notary_own_keys_valid_seconds"] <= 6 * 3600
    assert metrics["notary_cold_budget_left"] > 1000
    assert metrics["notary_kept_fresh"] == 0
    assert all(f'notary_key_objects_refused_total{{reason="{reason}"}}' in metrics
               for reason in REFUSALS)
    assert any(name.startswith("trinity_build_info") for name in metrics)


def test_the_page_is_what_prometheus_reads(make_world):
    reply = make_world().start().admin("GET", "/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples, kinds = [], {}
    for line in reply.body.decode().splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert name not in kinds, "one family a name"
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            samples.append(re.fullmatch(r"(\w+)(\{.*\})? \S+", line).groups())
    assert len(samples) == len(set(samples)), "no sample twice"
    for name, _ in samples:
        family = re.sub("_(bucket|sum|count)$", "", name)
        assert name in kinds or kinds.get(family) == "histogram"
