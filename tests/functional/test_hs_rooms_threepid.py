"""Inviting people who have no account yet, by their address."""

import pytest

from homeserver_world import merged, refused
from homeserver_world import World as HomeserverWorld
from invite_identity import NAME, TOKEN, InviteIdentity
from rooms import change, create, done, invite, join, member, membership, path, set_state, state

ADDRESS = "bob@example.org"


class WORLD(HomeserverWorld):
    """A homeserver that trusts one identity server."""

    def __init__(self, directory, configuration=None, **more):
        self.identity = InviteIdentity()
        ours = {"identity": {"servers": [{"name": NAME, "url": self.identity.url}]},
                "outbound": {"allow": ["127.0.0.0/8"]}}
        super().__init__(directory, merged(ours, configuration or {}), **more)

    def end(self):
        self.identity.stop()
        super().end()


@pytest.fixture
def identity(home):
    home.identity.stored.clear()
    home.identity.bound.clear()
    home.identity.is_key_known, home.identity.refusal = True, None
    return home.identity


@pytest.fixture
def ann(home):
    return home.user(None)


def by_address(**more):
    return {"id_server": NAME, "id_access_token": TOKEN, "medium": "email", "address": ADDRESS,
            **more}


def invite_address(user, room, **more):
    """The answer, whatever it is."""
    return user.post(path(room, "invite"), by_address(**more))


# ---- inviting


def test_who_is_known_is_invited_as_everybody_is(home, identity, ann):
    bob, room = home.user(None), create(ann)
    identity.bound[ADDRESS] = bob.id
    done(invite_address(ann, room))
    assert membership(ann, room, bob) == "invite"
    assert identity.stored == []


def test_who_is_not_known_gets_an_offer(identity, ann):
    done(ann.put(f"/profile/{ann.id}/displayname", {"displayname": "Ann"}))
    room = create(ann, name="Cats", room_alias_name=ann.name)
    done(invite_address(ann, room))
    assert identity.stored == [{
        "medium": "email", "address": ADDRESS, "room_id": room, "sender": ann.id,
        "room_name": "Cats", "room_alias": f"#{ann.name}:hs.test", "room_join_rules": "invite",
        "sender_display_name": "Ann"}]
    offer = state(ann, room, "m.room.third_party_invite", "token1")
    assert offer == {
        "display_name": "b...@e...", "public_key": identity.public_key,
        "key_validity_url": f"{identity.url}/isvalid",
        "public_keys": [{"public_key": identity.public_key,
                         "key_validity_url": f"{identity.url}/isvalid"}]}


def test_a_room_begins_with_offers(identity, ann):
    room = create(ann, invite_3pid=[by_address()], is_direct=True)
    assert state(ann, room, "m.room.third_party_invite", "token1")


def test_no_room_begins_when_the_identity_server_is_of_no_use(identity, ann):
    identity.refusal = 500, {}
    refused(ann.post("/createRoom", {"invite_3pid": [by_address()]}), 502, "M_UNKNOWN")
    assert done(ann.get("/joined_rooms")) == {"joined_rooms": []}


def test_nobody_is_written_to_for_who_may_not_invite(home, identity, ann):
    bob, room = home.user(None), create(ann, preset="public_chat")
    refused(invite_address(bob, room), 403, "M_FORBIDDEN")
    join(bob, room)
    refused(invite_address(bob, room), 403, "M_FORBIDDEN")
    refused(invite_address(ann, "!nowhere:hs.test"), 403, "M_FORBIDDEN")
    assert identity.stored == []


@pytest.mark.parametrize("more,status,errcode", [
    ({"id_access_token": "wrong"}, 403, "M_FORBIDDEN"),
    ({"id_access_token": "a\r\nb: c"}, 400, "M_INVALID_PARAM"),
    ({"id_access_token": ""}, 400, "M_INVALID_PARAM"),
    ({"id_server": "other.test"}, 400, "M_SERVER_NOT_TRUSTED"),
    ({"id_server": None}, 400, "M_BAD_JSON"),
    ({"address": ""}, 400, "M_MISSING_PARAM"),
    ({"address": "x" * 501}, 400, "M_INVALID_PARAM"),
    ({"medium": 3}, 400, "M_BAD_JSON")])
def test_an_address_is_asked_for_as_it_must_be(identity, ann, more, status, errcode):
    refused(invite_address(ann, create(ann), **more), status, errcode)
    assert identity.stored == []


@pytest.mark.parametrize("refusal,status,errcode", [
    ((403, {"errcode": "M_TERMS_NOT_SIGNED", "error": "x"}), 403, "M_TERMS_NOT_SIGNED"),
    ((401, {"errcode": "M_UNKNOWN_TOKEN", "error": "x"}), 403, "M_FORBIDDEN"),
    ((500, {}), 502, "M_UNKNOWN"), ((200, []), 502, "M_UNKNOWN"), ((200, {}), 502, "M_UNKNOWN")])
def test_what_the_identity_server_says_is_never_about_our_tokens(identity, ann, refusal, status,
                                                                 errcode):
    room = create(ann)
    identity.refusal = refusal
    refused(invite_address(ann, room), status, errcode)


# ---- coming


@pytest.fixture
def offered(home, identity, ann):
    """Bob, whom Ann meant, and the room."""
    room = create(ann)
    done(invite_address(ann, room))
    return home.user(None), room


def test_who_proves_to_be_meant_comes_in(identity, ann, offered):
    bob, room = offered
    proof = identity.signed(bob.id, "token1", ann.id)
    refused(change(bob, room, "join"), 403, "M_FORBIDDEN")
    join(bob, room, third_party_signed=proof)
    assert membership(ann, room, bob) == "join"


def test_an_invite_by_proof_says_so(home, identity, ann, offered):
    bob, room = offered
    proof = identity.signed(bob.id, "token1", ann.id)
    join(bob, room, third_party_signed=proof)
    invited = done(ann.get(path(room, "messages") + "?dir=b&limit=50"))["chunk"]
    content = next(told["content"] for told in invited
                   if told["content"].get("membership") == "invite")
    assert content["third_party_invite"] == {"display_name": "b...@e...", "signed": proof}


def test_a_proof_is_of_one_user_one_token_and_one_sender(home, identity, ann, offered):
    bob, room = offered
    eve = home.user(None)
    for proof in (identity.signed(bob.id, "token1", ann.id),):
        refused(change(eve, room, "join", third_party_signed=proof), 403, "M_FORBIDDEN")
    for proof in (identity.signed(eve.id, "token2", ann.id),
                  identity.signed(eve.id, "token1", eve.id),
                  {**identity.signed(bob.id, "token1", ann.id), "mxid": eve.id}):
        refused(change(eve, room, "join", third_party_signed=proof), 403, "M_FORBIDDEN")
    assert member(ann, room, eve) is None


def test_a_key_that_is_given_up_proves_nothing(identity, ann, offered):
    bob, room = offered
    identity.is_key_known = False
    proof = identity.signed(bob.id, "token1", ann.id)
    refused(change(bob, room, "join", third_party_signed=proof), 403, "M_FORBIDDEN")


def test_an_offer_that_is_taken_back_is_none(identity, ann, offered):
    bob, room = offered
    set_state(ann, room, "m.room.third_party_invite", {}, "token1")
    proof = identity.signed(bob.id, "token1", ann.id)
    refused(change(bob, room, "join", third_party_signed=proof), 403, "M_FORBIDDEN")


def test_who_is_invited_already_needs_no_proof(identity, ann, offered):
    bob, room = offered
    invite(ann, room, bob)
    join(bob, room, third_party_signed=identity.signed(bob.id, "token1", ann.id))


def test_a_proof_has_its_shape(ann, offered):
    bob, room = offered
    refused(change(bob, room, "join", third_party_signed={"token": "x"}), 400, "M_MISSING_PARAM")
    refused(change(bob, room, "join", third_party_signed=[]), 400, "M_BAD_JSON")
