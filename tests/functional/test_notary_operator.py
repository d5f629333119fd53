"""What an operator asks of a running notary, and what the commands answer."""

import re

import pytest

import origins as faults
from notary_world import NAME
from origins import DAY_MS, now_ms
from trinity import eventually

UNKNOWN_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def keys_of(entries):
    return sorted(key_id for entry in entries for key_id in entry["verify_keys"])


# ---- inspect


def test_inspect_tells_the_history_of_a_server(world):
    a = world.origins.add("history.test")
    before = now_ms()
    world.ask("history.test")
    old = a.public_key("ed25519:a")
    a.rotate("ed25519:b")
    world.refetch("history.test")
    told = world.inspect("history.test")
    first, second = sorted(told["versions"], key=lambda version: version["number"])
    assert [key["id"] for key in first["keys"]] == ["ed25519:a"]
    assert first["keys"][0]["public_key"] == old
    assert {key["id"]: "expired_ts" in key for key in second["keys"]} == {
        "ed25519:a": True, "ed25519:b": False}
    for version in (first, second):
        assert before <= version["first_seen_ts"] <= version["last_seen_ts"] <= now_ms()
        assert version["source"] == "origin" and version["address"] == a.host.address
        assert re.fullmatch("[0-9a-f]{64}", version["certificate_sha256"])
        assert version["served"]
    assert told["allowed"] and told["decision"] is None and told["conflicts"] == []
    assert told["fetch"]["failures"] == 0 and told["fetch"]["last_success_ts"] >= before


def test_inspect_speaks_in_words(world):
    a = world.origins.add("words.test")
    world.ask("words.test")
    shown = world.command("inspect", "words.test")
    assert f"from origin {a.host.address}" in shown
    assert a.public_key("ed25519:a") in shown
    assert re.search(r"valid until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shown)
    assert re.search(r"first seen \d{4}-.* UTC, last seen \d{4}-.* UTC", shown)
    assert "failures in a row 0" in shown


def test_inspect_says_why_a_server_has_no_keys(world):
    world.origins.add("broken.test").fault = faults.answers(500)
    world.ask("broken.test")
    shown = world.command("inspect", "broken.test")
    assert "no keys known" in shown and "answered never" in shown
    assert re.search(r"last failure: REMOTE_FAILED .+; left alone until \d{4}-", shown)


def test_inspect_says_that_a_server_was_never_heard_of(world):
    assert world.command("inspect", "never.test") == "no keys known\n"


def test_a_stranger_cannot_steer_the_operators_terminal(world):
    world.origins.add("terminal.test", port=443).well_known = "\x1b[2J\x9b31m.test"
    shown = world.command("verify", "terminal.test", status=1)
    assert "well-known" in shown and "\x1b" not in shown and "\x9b" not in shown


# ---- asking again


def test_refetch_asks_a_server_that_is_being_left_alone(world):
    a = world.origins.add("again.test")
    a.fault = faults.answers(500)
    world.ask("again.test")
    asked = a.fetches
    world.ask("again.test")
    assert a.fetches == asked
    a.fault = None
    assert world.refetch("again.test")["result"] == "OK"
    assert keys_of(world.ask("again.test")) == ["ed25519:a"]


def test_refetch_fails_when_the_server_does(world):
    world.origins.add("refetch.test")
    world.ask("refetch.test")
    world.origins["refetch.test"].fault = faults.bad_signature
    shown = world.command("refetch", "refetch.test", status=1)
    assert "asked for its keys: BAD_SIGNATURE" in shown
    assert "ed25519:a" in shown, "what is known stays"


def test_verify_shows_how_a_server_is_found_and_what_it_answers(world):
    a = world.origins.add("found.test")
    shown = world.command("verify", "found.test")
    assert re.search(r"1\. well-known: ", shown)
    assert f"at {a.host.address}" in shown
    assert "port 8448, with a certificate for found.test" in shown
    assert "asked for its keys: OK" in shown and a.public_key("ed25519:a") in shown


def test_verify_follows_a_delegation(world):
    b = world.origins.add("elsewhere.test", port=9001)
    asked = world.origins.add("delegating.test", port=443)
    asked.well_known = "elsewhere.test:9001"
    b.name = "delegating.test"
    shown = world.command("verify", "delegating.test")
    assert "asked as elsewhere.test:9001, port 9001, with a certificate for elsewhere.test" in shown
    assert "asked for its keys: OK" in shown


def test_verify_says_where_it_fails(world):
    shown = world.command("verify", "nowhere.test", status=1)
    assert "not found: " in shown and "asked for its keys: " in shown
    bad = world.origins.add("badly.test")
    bad.fault = faults.not_json
    shown = world.command("verify", "badly.test", status=1)
    assert f"at {bad.host.address}" in shown and "last failure: " in shown


# ---- conflicts


def test_empty_lists_say_so_to_people_and_nothing_to_scripts(make_world):
    world = make_world().start()
    for command in ("conflicts", "audit"):
        done = world.notary.command(command)
        assert (done.stdout, done.stderr) == ("", "There is nothing to show.\n")


def test_conflicts_are_listed_and_settled_by_a_purge(world):
    a = world.origins.add("conflict.test")
    kept = a.public_key("ed25519:a")
    world.ask("conflict.test")
    a.replace("ed25519:a")
    refused = a.public_key("ed25519:a")
    world.command("refetch", "conflict.test", status=1)
    [line] = [line for line in world.command("conflicts").splitlines() if "conflict.test" in line]
    assert f"CONFLICT ed25519:a of conflict.test: kept {kept}, refused {refused}, 1 times" in line
    assert line in world.command("inspect", "conflict.test")
    assert world.command("purge", "conflict.test", "they lost their key") == \
        "removed 1 sets of keys\n"
    world.command("refetch", "conflict.test")
    [entry] = world.ask("conflict.test")
    assert entry["verify_keys"]["ed25519:a"]["key"] == refused


# ---- decisions


def test_a_denied_server_is_neither_asked_nor_served(world):
    a = world.origins.add("denied.test")
    world.ask("denied.test")
    asked = a.fetches
    assert world.command("deny", "denied.test", "phishing") == "done\n"
    assert world.ask("denied.test") == [] and world.get("denied.test") == []
    assert a.fetches == asked
    shown = world.command("inspect", "denied.test")
    assert "DENIED" in shown and ": phishing" in shown
    world.notary.restart()
    assert world.ask("denied.test") == []
    world.command("undeny", "denied.test")
    assert keys_of(world.ask("denied.test")) == ["ed25519:a"]


def test_a_pin_serves_only_key_sets_with_that_key(world):
    a = world.origins.add("pinned.test")
    world.ask("pinned.test")
    pinned = a.public_key("ed25519:a")
    a.rotate("ed25519:b")
    world.refetch("pinned.test")
    assert keys_of(world.ask("pinned.test")) == ["ed25519:a", "ed25519:b"]
    world.command("pin", "pinned.test", "ed25519:a", pinned, "b was stolen")
    assert keys_of(world.ask("pinned.test")) == ["ed25519:a"]
    shown = world.command("inspect", "pinned.test")
    assert f"pinned to ed25519:a {pinned}" in shown and "not served: pinned to others" in shown
    world.command("unpin", "pinned.test")
    assert keys_of(world.ask("pinned.test")) == ["ed25519:a", "ed25519:b"]


def test_a_purge_removes_one_set_of_keys_or_all(world):
    a = world.origins.add("purged.test")
    world.ask("purged.test")
    a.rotate("ed25519:b")
    a.forget_old_keys()
    world.refetch("purged.test")
    numbers = {version["keys"][0]["id"]: version["number"]
               for version in world.inspect("purged.test")["versions"]}
    world.command("purge", "purged.test", "made by a test", numbers["ed25519:b"])
    assert [version["number"] for version in world.inspect("purged.test")["versions"]] == \
        [numbers["ed25519:a"]]
    world.command("purge", "purged.test", "the rest too")
    assert world.inspect("purged.test")["versions"] == []
    assert "No such keys" in world.command("purge", "purged.test", "again", status=1)


def test_the_audit_trail_keeps_decisions_and_their_reasons(world):
    a = world.origins.add("audit.test")
    world.ask("audit.test")
    world.command("deny", "audit.test", "first reason")
    world.command("undeny", "audit.test")
    world.command("pin", "audit.test", "ed25519:a", a.public_key("ed25519:a"), "second reason")
    world.command("unpin", "audit.test")
    world.command("purge", "audit.test", "third reason")
    trail = [line for line in world.command("audit").splitlines() if " audit.test: " in line]
    told = [re.fullmatch(r"\d{4}-\d\d-\d\d \S+ UTC (\S+) audit\.test: (.*)", line).groups()
            for line in trail]
    assert told == [("purge", "third reason"), ("unpin", ""), ("pin", "second reason"),
                    ("undeny", ""), ("deny", "first reason")]


# ---- prefetch


def test_prefetched_servers_are_fetched_unasked(world, tmp_path):
    names = [origin.name for origin in world.origins.add_many("prefetch.test", 3, listeners=1)]
    listed = tmp_path / "list"
    listed.write_text(f"# those that we talk to\n{names[0]}\n\n  {names[1]}  # twice\r\n{names[2]}")
    assert world.command("prefetch", "--file", listed) == "3 servers are kept fresh from now on\n"
    eventually(lambda: all(world.inspect(name)["versions"] for name in names))
    assert world.command("prefetch", "--stop", names[0]) == "1 servers are no longer prefetched\n"
    assert "is not prefetched" in world.command("prefetch", "--stop", names[0], status=1)


def test_a_bad_name_in_a_prefetch_list_is_named_and_costs_the_others_nothing(world, tmp_path):
    world.origins.add("listed.test")
    listed = tmp_path / "list"
    listed.write_text("not a name\nlisted.test\n")
    shown = world.command("prefetch", "--file", listed, status=1)
    assert "not taken: not a name" in shown and "1 servers are kept fresh" in shown
    assert "No such file" in world.command("prefetch", "--file", tmp_path / "none", status=1)


def test_a_server_that_was_asked_for_once_is_kept_fresh(make_world):
    world = make_world().start()
    world.origins.add("once.test")
    world.ask("once.test")
    assert world.metrics()["notary_kept_fresh"] == 1
    assert world.admin("GET", "/admin/v1/overview").json["counts"]["kept_fresh"] == 1


# ---- overview


def test_overview_counts_and_names_slow_and_failing_servers(world):
    slow = world.origins.add("slow.test")
    slow.delay = 0.3
    world.origins.add("failing.test").fault = faults.answers(500)
    world.ask("slow.test")
    world.ask("failing.test")
    seen = world.admin("GET", "/admin/v1/overview").json
    assert seen["server_name"] == NAME and seen["uptime_s"] >= 0
    assert seen["counts"]["servers"] >= 1 and seen["counts"]["versions"] >= 1
    assert seen["budget"]["left"] > 0
    assert now_ms() < seen["keys_valid_until_ts"] <= now_ms() + DAY_MS
    assert [key["role"] for key in seen["keys"]] == ["signing"]
    assert any(row["server"] == "slow.test" and row["took_ms"] >= 300 for row in seen["slow"])
    assert any(row["server"] == "failing.test" and row["failures"] for row in seen["failing"])
    assert '"failing"' in world.command("overview")


# ---- what is refused

BAD_REQUESTS = [
    ("GET", "/admin/v1/servers/not%20a%20name", None, 400, "M_INVALID_PARAM"),
    ("POST", "/admin/v1/servers/a..b/refetch", None, 400, "M_INVALID_PARAM"),
    ("PUT", "/admin/v1/servers/bad.test/deny", {}, 400, "M_MISSING_PARAM"),
    ("PUT", "/admin/v1/servers/bad.test/deny", {"reason": ""}, 400, "M_INVALID_PARAM"),
    ("PUT", "/admin/v1/servers/bad.test/deny", {"reason": 5}, 400, "M_BAD_JSON"),
    ("PUT", "/admin/v1/servers/bad.test/deny", b"{", 400, "M_NOT_JSON"),
    ("DELETE", "/admin/v1/servers/bad.test/deny", None, 404, "M_NOT_FOUND"),
    ("PUT", "/admin/v1/servers/bad.test/pin", {"reason": "x"}, 400, "M_MISSING_PARAM"),
    ("PUT", "/admin/v1/servers/bad.test/pin",
     {"reason": "x", "key_id": "no colon", "public_key": UNKNOWN_KEY}, 400, "M_INVALID_PARAM"),
    ("PUT", "/admin/v1/servers/bad.test/pin",
     {"reason": "x", "key_id": "ed25519:a", "public_key": "AAAA"}, 400, "M_INVALID_PARAM"),
    ("DELETE", "/admin/v1/servers/bad.test/pin", None, 404, "M_NOT_FOUND"),
    ("POST", "/admin/v1/servers/bad.test/purge", {}, 400, "M_MISSING_PARAM"),
    ("POST", "/admin/v1/servers/bad.test/purge", {"reason": "x"}, 404, "M_NOT_FOUND"),
    ("POST", "/admin/v1/servers/bad.test/purge", {"reason": "x", "number": 0}, 400, "M_INVALID_PARAM"),
    ("POST", "/admin/v1/servers/bad.test/purge", {"reason": "x", "number": 7}, 404, "M_NOT_FOUND"),
    ("DELETE", "/admin/v1/servers/bad.test/prefetch", None, 404, "M_NOT_FOUND"),
    ("POST", "/admin/v1/import", {}, 400, "M_MISSING_PARAM"),
    ("POST", "/admin/v1/import", {"objects": [{"server": "a.test"}]}, 400, "M_MISSING_PARAM"),
    ("POST", "/admin/v1/import", {"objects": {}}, 400, "M_BAD_JSON"),
    ("POST", "/admin/v1/overview", {}, 405, "M_UNRECOGNIZED"),
    ("GET", "/admin/v1/nothing", None, 404, "M_UNRECOGNIZED"),
]


@pytest.mark.parametrize("method, target, body, status, errcode", BAD_REQUESTS,
                         ids=[f"{case[0]}-{case[1]}-{case[2]}" for case in BAD_REQUESTS])
def test_bad_requests_of_an_operator_are_refused(world, method, target, body, status, errcode):
    reply = world.admin(method, target, body)
    assert (reply.status, reply.errcode) == (status, errcode)
    assert len(reply.json["error"]) > 8


@pytest.mark.parametrize("target", ["/admin/v1/overview", "/admin/v1/audit", "/metrics",
                                    "/admin/v1/servers/a.test", "/admin/v1/export"])
def test_the_public_listener_has_no_admin_endpoint(world, target):
    reply = world.notary.get(target)
    assert (reply.status, reply.errcode) == (404, "M_UNRECOGNIZED")
