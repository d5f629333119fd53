"""What an operator does for people, and about them: who is who, sessions, invites, accounts, whom
nobody writes to, everything about a person, and the log of all that."""

import base64
import hashlib
import itertools
import json
import urllib.parse

import pytest

import fakenet
import smtp_sink
from identity_world import V2, Homeserver
from mail_world import MailWorld
from smtp_sink import SmtpSink
from trinity import eventually

ONBIND = "/_matrix/federation/v1/3pid/onbind"
TERMS = {"documents": [{"id": "privacy", "version": "1", "languages": [
    {"language": "en", "name": "Privacy", "url": "https://id.test/privacy"}]}]}
NUMBERS = itertools.count(1)
BOB = "@bob:hs.test"


class Told(Homeserver):
    """A homeserver that is told of invites; `answers` is the status that it has for them."""

    def __init__(self, name, **more):
        super().__init__(name, **more)
        self.answers, self.told = 200, []

    async def respond(self, exchange):
        if exchange.target != ONBIND:
            return await super().respond(exchange)
        self.told.append(exchange)
        return fakenet.answer({}, self.answers)


class Desk(MailWorld):
    """The service with its operator."""

    def __init__(self, directory):
        super().__init__(directory, {"terms": TERMS, "invites": {
            "web_client": "https://app.test"}}, sink=SmtpSink())
        self.homeservers.kind = Told

    def sign_in(self, user_id):
        client = super().sign_in(user_id)
        assert client.post("/terms", {"user_accepts": ["https://id.test/privacy"]}).status == 200
        return client

    def told(self, *arguments, **more):
        """What a command says in JSON."""
        return json.loads(self.command(*arguments, "--json", **more))

    def audit(self, *arguments):
        return self.told("audit", *arguments)["audit"]

    def look_up(self, client, address, medium="email"):
        details = client.get("/hash_details").json
        text = f"{address} {medium} {details['lookup_pepper']}".encode()
        hashed = base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()
        found = client.post("/lookup", {"algorithm": "sha256", "addresses": [hashed],
                                        "pepper": details["lookup_pepper"]}).json["mappings"]
        return hashed, found.get(hashed)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    made = Desk(tmp_path_factory.mktemp("desk")).start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def bob(desk):
    return desk.sign_in(BOB)


@pytest.fixture
def address():
    """One that no other test has."""
    return f"person{next(NUMBERS)}@example.org"


def refused(reply, status, errcode):
    assert (reply.status, reply.errcode) == (status, errcode), reply
    return reply


def invite(client, address, **more):
    reply = client.post("/store-invite", {"medium": "email", "address": address, "sender": BOB,
                                          "room_id": "!room:hs.test", **more})
    assert reply.status == 200, reply
    return reply.json["token"]


def bind(desk, address, user_id=BOB):
    desk.command("bind", "email", address, user_id, "--reason", "they asked")


# ---- people


def test_a_binding_by_the_operator_is_one_like_any_other(desk, bob, address):
    bind(desk, address)
    shown = desk.told("who", "address", "email", address.upper())
    assert (shown["user_id"], shown["ours"]) == (BOB, True)
    assert shown["association"]["mxid"] == BOB and shown["association"]["signatures"]["id.test"]
    hashed, found = desk.look_up(bob, address)
    assert found == BOB
    assert desk.told("who", "hash", hashed)["address"] == address
    assert {"medium": "email", "address": address} in desk.told("who", "user", BOB)["addresses"]
    assert BOB in desk.sink.only_mail_to(address).text, "the owner is told"


def test_what_the_operator_takes_back_is_found_no_more(desk, bob, address):
    bind(desk, address)
    desk.command("unbind", "email", address, "--reason", "it was a mistake")
    assert desk.look_up(bob, address)[1] is None
    assert "bound to nobody" in desk.command("who", "address", "email", address)
    assert desk.sink.wait_for(2, address)
    assert "bound to nobody" in desk.command(
        "unbind", "email", address, "--reason", "again", status=1)


def test_a_second_binding_wins(desk, bob, address):
    bind(desk, address)
    bind(desk, address, "@eve:hs.test")
    assert desk.look_up(bob, address)[1] == "@eve:hs.test"
    assert desk.told("who", "user", "@eve:hs.test")["addresses"] == [
        {"medium": "email", "address": address}]


def test_who_is_asked_in_words(desk, address):
    assert "Nobody ever bound" in desk.command("who", "address", "email", address, status=1)
    bind(desk, address)
    assert f"email {address}: {BOB}" in desk.command("who", "address", "email", address)
    assert f"email {address}" in desk.command("who", "user", BOB)
    assert "usage:" in desk.command("who", "address", address, status=2)
    assert "usage:" in desk.command("bind", "email", address, BOB, status=2), "a reason is needed"
    assert "not a valid" in desk.command("who", "user", "bob", status=1).lower()


def test_addresses_of_a_user_come_page_by_page(desk):
    for number in range(5):
        bind(desk, f"page{number}@example.org", "@many:hs.test")
    pages, after = [], []
    while True:
        shown = desk.told("who", "user", "@many:hs.test", "--limit", "2", *after)
        pages.append([entry["address"] for entry in shown["addresses"]])
        if "next" not in shown:
            break
        after = ["--after", shown["next"]]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sum(pages, []) == [f"page{number}@example.org" for number in range(5)]


# ---- sessions


def test_an_ended_session_proves_nothing(desk, bob, address):
    mine = desk.validation(bob, address).asked()
    assert mine.submit().json == {"success": True}
    [session] = desk.told("sessions", "list", "email", address)["sessions"]
    assert (session["id"], session["state"]) == (mine.sid, "validated")
    assert mine.token not in json.dumps(session) and mine.secret not in json.dumps(session)
    desk.command("sessions", "end", mine.sid, "--reason", "stolen phone")
    refused(mine.validated(), 400, "M_SESSION_EXPIRED")
    refused(mine.bind(BOB), 400, "M_SESSION_EXPIRED")
    assert "over" in desk.command("sessions", "list", "email", address)
    assert "is over" in desk.command("sessions", "end", mine.sid, "--reason", "x", status=1)
    assert mine.asked(2).sid != session["id"], "a new one may begin"


# ---- invites


def test_invites_are_listed_by_address_and_by_room(desk, bob, address):
    token = invite(bob, address)
    other = invite(bob, address, room_id="!other:hs.test")
    assert {entry["token"] for entry in desk.told("invites", "list", "--address", address)[
        "invites"]} == {token, other}
    [entry] = desk.told("invites", "list", "--room", "!other:hs.test")["invites"]
    assert (entry["token"], entry["address"], entry["state"]) == (other, address, "pending")
    listed = desk.told("invites", "list", "--pending", "--limit", "1000")["invites"]
    assert [entry["token"] for entry in listed][-2:] == [token, other], "the oldest first"
    assert desk.told("invites", "show", token)["sender"] == BOB


def test_a_withdrawn_invite_is_none(desk, bob, address):
    reply = bob.post("/store-invite", {"medium": "email", "address": address, "sender": BOB,
                                       "room_id": "!room:hs.test"}).json
    key = urllib.parse.quote(reply["public_keys"][1]["public_key"], safe="")
    check = f"{V2}/pubkey/ephemeral/isvalid?public_key={key}"
    assert desk.anybody.get(check).json == {"valid": True}
    assert "usage:" in desk.command("invites", "withdraw", reply["token"], status=2)
    desk.command("invites", "withdraw", reply["token"], "--reason", "wrong person")
    assert desk.anybody.get(check).json == {"valid": False}
    assert desk.told("invites", "show", reply["token"])["state"] == "withdrawn"
    bind(desk, address)
    assert desk.told("invites", "show", reply["token"])["state"] == "withdrawn"
    assert "not pending" in desk.command("invites", "resend", reply["token"], status=1)


def test_the_mail_of_an_invite_is_sent_once_more(desk, bob, address):
    token = invite(bob, address, room_name="The Garden", sender_display_name="Bob B.")
    first = desk.sink.only_mail_to(address)
    desk.command("invites", "resend", token)
    again = desk.sink.wait_for(2, address)[1]
    assert again.subject == first.subject and "The Garden" in again.text
    assert "https://app.test/#/room/" in again.text
    assert "signurl" in first.text and "signurl" not in again.text, "its key is not kept"


def test_a_homeserver_that_failed_is_told_again(desk, bob, address):
    homeserver = desk.homeserver("hs.test")
    homeserver.answers = 500
    token = invite(bob, address)
    bind(desk, address)
    failed = eventually(lambda: [
        item for item in desk.told("outbox", "list", "--kind", "onbind")["items"]
        if item.get("why")])
    assert "500" in failed[0]["why"] and failed[0]["lane"] == "hs.test"
    assert "500" in desk.command("invites", "show", token)
    homeserver.answers = 200
    desk.command("invites", "redrive", token)
    eventually(lambda: desk.told("invites", "show", token)["state"] == "delivered")
    told = len(homeserver.told)
    desk.command("invites", "redrive", token, "--reason", "they lost it")
    eventually(lambda: len(homeserver.told) == told + 1)
    eventually(lambda: desk.told("invites", "show", token)["state"] == "delivered")


# ---- accounts


def test_an_account_is_shown_signed_out_and_erased(desk):
    zoe = desk.sign_in("@zoe:hs.test")
    desk.sign_in("@zoe:hs.test")
    shown = desk.told("accounts", "show", "@zoe:hs.test")
    assert shown["tokens"] == 2 and shown["seen_ts"] >= shown["created_ts"] > 0
    [consent] = shown["terms"]
    assert (consent["document"], consent["client"]) == ("privacy", "127.0.0.1")
    assert zoe.token not in json.dumps(shown)
    desk.command("accounts", "sign-out", "@zoe:hs.test", "--reason", "lost laptop")
    refused(zoe.get("/account"), 401, "M_UNAUTHORIZED")
    assert desk.told("accounts", "show", "@zoe:hs.test")["tokens"] == 0
    assert any(entry["user_id"] == "@zoe:hs.test"
               for entry in desk.told("accounts", "list", "--limit", "1000")["accounts"])
    desk.command("accounts", "erase", "@zoe:hs.test", "--reason", "they left")
    assert "no account" in desk.command("accounts", "show", "@zoe:hs.test", status=1)


# ---- whom nobody writes to


def test_a_suppressed_address_answers_like_one_that_the_relay_refuses(desk, bob, address):
    desk.sink.moods["refused@example.org"] = smtp_sink.refuse
    like = desk.validation(bob, "refused@example.org").ask()
    desk.command("suppressions", "add", "email", address.title(), "--reason", "asked for it")
    answer = desk.validation(bob, address).ask()
    assert (answer.status, answer.json) == (like.status, like.json)
    assert answer.errcode == "M_EMAIL_SEND_ERROR"
    refused(bob.post("/store-invite", {"medium": "email", "address": address, "sender": BOB,
                                       "room_id": "!room:hs.test"}), 400, "M_EMAIL_SEND_ERROR")
    assert desk.told("invites", "list", "--address", address)["invites"] == []
    desk.command("suppressions", "remove", "email", address, "--reason", "they came back")
    assert desk.validation(bob, address).ask().status == 200
    assert len(desk.sink.wait_for(1, address)) == 1


def test_a_suppressed_address_is_bound_without_a_mail(desk, address):
    desk.command("suppressions", "add", "email", address, "--reason", "asked for it")
    bind(desk, address)
    assert "nothing is written to" in desk.command("who", "address", "email", address)
    assert desk.sink.mails_to(address) == []


def test_whole_domains_and_beginnings_of_numbers_are_suppressed(desk, bob):
    desk.command("suppressions", "add", "email", "@München.example", "--reason", "bounces")
    desk.command("suppressions", "add", "msisdn", "+4477*", "--reason", "premium")
    listed = desk.told("suppressions", "list")["suppressions"]
    assert {("email", "@xn--mnchen-3ya.example"), ("msisdn", "4477*")} <= {
        (entry["medium"], entry["what"]) for entry in listed}
    for name in ("a@münchen.example", "b@mail.xn--mnchen-3ya.example"):
        refused(desk.validation(bob, name).ask(), 400, "M_EMAIL_SEND_ERROR")
    assert desk.validation(bob, "c@nichtmünchen.example").ask().status == 200
    assert "bounces" in desk.command("suppressions", "list")
    assert "not suppressed" in desk.command(
        "suppressions", "remove", "email", "@other.example", "--reason", "x", status=1)
    assert "digits" in desk.command("suppressions", "add", "msisdn", "x*", "--reason", "x", status=1)


# ---- everything about a person


@pytest.fixture
def person(desk, bob):
    """(user, address) of somebody about whom everything is stored that can be."""
    number = next(NUMBERS)
    user, address = f"@whole{number}:hs.test", f"whole{number}@example.org"
    client = desk.sign_in(user)
    mine = desk.validation(client, address).asked()
    mine.submit()
    assert mine.bind(user).status == 200
    client.post("/store-invite", {"medium": "email", "address": f"friend{number}@example.org",
                                  "sender": user, "room_id": "!room:hs.test"})
    desk.sink.wait_for(2, address)  # the token, and the news of the binding
    desk.sink.moods[address] = smtp_sink.defer
    bind(desk, address, user)  # nobody new, so no mail…
    desk.validation(client, address, secret="another").ask()  # …but this one waits
    return user, address


def test_an_export_has_everything_but_secrets(desk, person):
    user, address = person
    exported = json.loads(desk.command("export", "user", user))
    assert exported["user_id"] == user
    assert exported["account"]["tokens"] == 1 and exported["account"]["terms"]
    [there] = exported["addresses"]
    assert there["address"] == address and there["binding"]["user_id"] == user
    assert len(there["sessions"]) == 2 and there["invites"] == []
    [sent] = exported["invites_sent"]
    assert sent["room_id"] == "!room:hs.test" and "friend" not in json.dumps(sent)
    assert [item["kind"] for item in exported["outbox"]] == ["mail"]
    assert {entry["what"] for entry in exported["audit"]} == {"bind"}
    assert len(exported["audit"]) == 2, "by the owner, and by the operator"
    alone = json.loads(desk.command("export", "address", "email", address))
    assert alone["addresses"] == exported["addresses"] and "account" not in alone


def test_an_erased_person_is_gone(desk, bob, person):
    user, address = person
    erased = desk.told("erase", "user", user, "--reason", "their right")
    assert erased == {"account": True, "bindings": 1, "sessions": 2, "invites": 1, "outbox": 1}
    assert desk.look_up(bob, address)[1] is None
    again = json.loads(desk.command("export", "user", user))
    assert again["addresses"] == again["invites_sent"] == again["outbox"] == []
    assert "account" not in again
    alone = json.loads(desk.command("export", "address", "email", address))
    assert alone["addresses"][0]["sessions"] == [] and alone["outbox"] == []
    assert alone["addresses"][0]["binding"]["user_id"] is None
    assert user not in json.dumps(alone)
    [entry] = [entry for entry in alone["audit"] if entry["what"] == "person.erase"]
    assert entry["reason"] == "their right"
    assert address not in json.dumps(entry) and user not in json.dumps(entry)
    desk.sink.moods.clear()


def test_an_address_is_erased_with_its_invites(desk, bob, address):
    token = invite(bob, address)
    erased = desk.told("erase", "address", "email", address, "--reason", "they asked")
    assert erased["invites"] == 1 and erased["account"] is False
    assert "no invite" in desk.command("invites", "show", token, status=1)
    assert desk.told("invites", "list", "--address", address)["invites"] == []
    assert desk.told("accounts", "show", BOB)["tokens"] >= 1, "others stay"


# ---- the log


def test_whatever_the_operator_does_is_in_the_log(desk, bob, address):
    bind(desk, address)
    desk.command("unbind", "email", address, "--reason", "secret agent")
    entries = desk.audit("--of-address", f"email:{address}")
    assert [(entry["what"], entry["reason"]) for entry in entries] == [
        ("unbind", "secret agent"), ("bind", "they asked")]
    assert all(entry["who"].endswith("(unix)") for entry in entries)
    assert address not in json.dumps(desk.audit("--limit", "1000"))
    assert entries[0]["user_hash"] in {entry.get("user_hash") for entry in desk.audit("--of", BOB)}
    assert "secret agent" in desk.command("audit", "--since", "1h")
    assert desk.audit("--since", "2999-01-01") == []
    assert "usage:" in desk.command("audit", "--since", "yesterday", status=2)


def test_what_owners_do_is_in_the_log(desk, bob, address):
    mine = desk.validation(bob, address).asked()
    mine.submit()
    assert mine.bind(BOB).status == 200
    unbound = bob.post("/3pid/unbind", {
        "mxid": BOB, "sid": mine.sid, "client_secret": mine.secret,
        "threepid": {"medium": "email", "address": address}})
    assert unbound.status == 200
    assert [(entry["who"], entry["what"])
            for entry in desk.audit("--of-address", f"email:{address}")] == [
                ("owner", "unbind"), ("owner", "bind")]


def test_the_log_comes_page_by_page(desk, address):
    bind(desk, address)
    bind(desk, address, "@eve:hs.test")
    first = desk.told("audit", "--limit", "1")
    second = desk.told("audit", "--limit", "1", "--after", first["next"])
    assert first["audit"][0]["at_ts"] >= second["audit"][0]["at_ts"]
    assert first["audit"] != second["audit"]
    assert "after" in desk.command("audit", "--after", "???", status=1)


def test_what_was_decided_outlives_a_restart(desk, bob, address):
    desk.command("suppressions", "add", "email", address, "--reason", "asked for it")
    before = desk.audit("--of-address", f"email:{address}")
    assert before
    desk.identity.restart()
    assert desk.audit("--of-address", f"email:{address}") == before
    refused(desk.validation(bob, address).ask(), 400, "M_EMAIL_SEND_ERROR")


# ---- the outbox


def test_a_mail_that_waits_is_seen_dropped_or_tried(desk, bob, address):
    desk.sink.moods[address] = smtp_sink.defer
    desk.validation(bob, address).ask()
    desk.validation(bob, address, secret="other").ask()
    items = [item for item in desk.told("outbox", "list", "--kind", "mail")["items"]
             if item["lane"] == "example.org" and "busy" in item.get("why", "")]
    first, second = items[-2:]
    assert "Mailbox busy" in desk.command("outbox", "list")
    desk.command("outbox", "drop", first["id"], "--reason", "not needed")
    desk.sink.moods.clear()
    desk.command("outbox", "try", second["id"])
    assert len(desk.sink.wait_for(1, address)) == 1
    assert "no such item" in desk.command("outbox", "try", first["id"], status=1)
    assert {"outbox.drop", "outbox.try"} <= {entry["what"] for entry in desk.audit()}


# ---- the pepper


def test_a_pepper_is_changed_by_hand(desk, bob, address):
    bind(desk, address)
    former = bob.get("/hash_details").json["lookup_pepper"]
    by_former, _ = desk.look_up(bob, address)
    desk.command("pepper", "rotate", "--reason", "somebody collects hashes")
    assert eventually(lambda: bob.get("/hash_details").json["lookup_pepper"] != former)
    assert desk.look_up(bob, address)[1]
    assert bob.post("/lookup", {"algorithm": "sha256", "addresses": [by_former],
                                "pepper": former}).json["mappings"], "it counts for a day more"
    [entry] = [entry for entry in desk.audit() if entry["what"] == "pepper.rotate"]
    assert entry["reason"] == "somebody collects hashes"
