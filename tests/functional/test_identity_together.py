"""The parts of the identity service together."""

import base64
import hashlib

from identity_world import V1


def test_a_stranger_is_not_found_in_any_way(people):
    ann = people.sign_in("@ann:hs.test")
    details = ann.get("/hash_details").json
    assert details["algorithms"] == ["sha256", "none"]
    text = f"bob@example.org email {details['lookup_pepper']}"
    hashed = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    for algorithm, address in (("sha256", hashed), ("none", "bob@example.org email")):
        reply = ann.post("/lookup", {"algorithm": algorithm, "pepper": details["lookup_pepper"],
                                     "addresses": [address]})
        assert reply.status == 200 and reply.json == {"mappings": {}}, reply
    reply = people.anybody.get(f"{V1}/lookup?medium=email&address=bob@example.org")
    assert reply.status == 200 and reply.json == {}


def test_the_pepper_and_the_token_may_be_asked_for_in_a_query(people):
    ann = people.sign_in("@pepper:hs.test")
    reply = people.anybody.get(f"/hash_details?access_token={ann.token}")
    assert reply.status == 200 and reply.json["lookup_pepper"]


def test_what_was_never_proved_is_not_bound(people):
    ann = people.sign_in("@binds:hs.test")
    reply = ann.post("/3pid/bind", {"sid": "x", "client_secret": "y", "mxid": "@binds:hs.test"})
    assert (reply.status, reply.errcode) == (404, "M_NO_VALID_SESSION")
