"""A homeserver vouches for its users before our own identity service."""

import pathlib

import fakenet
import pytest

from homeserver_world import World
from identity_world import UNLIMITED, Client


@pytest.fixture
def world(tmp_path_factory, request):
    """A homeserver and an identity service that finds it by its name."""
    directory = tmp_path_factory.mktemp("o")
    with fakenet.FakeNet(pathlib.Path(directory) / "net") as net:
        certificate, key = net.authority.certificate(["hs.test"])
        made = World(directory, tls=(certificate, key, net.ca_file, "hs.test"))
        request.node.trinity_story = made.story
        made.identity = made.story.identity({"limits": UNLIMITED, "outbound": {
            "allow": ["127.0.0.0/8"], "dns_servers": net.dns.address, "ca_file": str(net.ca_file)}})
        net.dns.set("hs.test", "A", "127.0.0.1")
        net.dns.set("_matrix-fed._tcp.hs.test", "SRV", (10, 5, made.homeserver.secure.port,
                                                        "hs.test"))
        made.start()
        made.identity.start()
        yield made
        made.end()


def openid(user):
    return user.post(f"/user/{user.id}/openid/request_token").json


def sign_in(world, issued):
    return Client(world.identity).post("/account/register", issued)


def test_a_user_signs_in_at_the_identity_service(world):
    ann = world.user("ann")
    reply = sign_in(world, openid(ann))
    assert reply.status == 200, reply
    me = Client(world.identity, reply.json["token"])
    assert me.get("/account").json == {"user_id": "@ann:hs.test"}


def test_nobody_vouches_for_a_token_that_is_none_or_whose_user_is_locked(world):
    ann = world.user("ann")
    issued = openid(ann)
    assert sign_in(world, {**issued, "access_token": "nonsense"}).status == 401
    world.command("user", "lock", "ann")
    assert sign_in(world, issued).status == 401
