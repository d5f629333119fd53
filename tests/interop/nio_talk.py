"""What two people do with matrix-nio, which runs on a Python of its own: one JSON object a line tells
how it went. Run as `nio_talk.py URL STEP STATE`: the steps share a file."""

import asyncio
import io
import json
import pathlib
import sys

import nio

PASSWORD = "correct horse"
PICTURE = bytes.fromhex("89504e470d0a1a0a") + b"not much of a picture" * 400


def good(reply):
    """The reply, unless it is an error."""
    if isinstance(reply, nio.ErrorResponse):
        sys.exit(f"{type(reply).__name__}: {reply}")
    return reply


def told(**what):
    print(json.dumps(what), flush=True)


class Person:
    def __init__(self, url, name, state):
        self.client = nio.AsyncClient(url, f"@{name}:hs.test", config=nio.AsyncClientConfig(
            encryption_enabled=False, store_sync_tokens=False))
        self.name, self.kept = name, state.setdefault(name, {})

    async def sign_in(self):
        if "token" in self.kept:
            self.client.restore_login(f"@{self.name}:hs.test", self.kept["device"],
                                      self.kept["token"])
            return self
        made = good(await self.client.register(self.name, PASSWORD, device_name="nio"))
        self.kept.update(token=made.access_token, device=made.device_id)
        return self

    async def sync(self, full=False):
        return good(await self.client.sync(timeout=3000, full_state=full,
                                           since=self.kept.get("since") if not full else None))

    async def say(self, room, body, **more):
        content = {"msgtype": "m.text", "body": body, **more}
        return good(await self.client.room_send(room, "m.room.message", content)).event_id

    async def bodies(self, room):
        page = good(await self.client.room_messages(
            room, start="", direction=nio.MessageDirection.back, limit=50))
        return [event.body for event in page.chunk if isinstance(event, nio.RoomMessageText)]


# ---- steps


async def meet(ann, bea, state):
    await ann.sign_in()
    await bea.sign_in()
    good(await ann.client.set_displayname("Ann"))
    room = good(await ann.client.room_create(
        name="Tea", topic="What to drink", invite=[bea.client.user_id])).room_id
    state["room"] = room
    reply = await bea.sync()
    told(invited=list(reply.rooms.invite) == [room])
    good(await bea.client.join(room))
    reply = await bea.sync(full=True)
    seen = bea.client.rooms[room]
    told(name=seen.display_name, topic=seen.topic, members=sorted(seen.users),
         ann=seen.user_name(ann.client.user_id))


async def talk(ann, bea, state):
    await ann.sign_in()
    await bea.sign_in()
    room = state["room"]
    await ann.sync(full=True)
    since = (await bea.sync(full=True)).next_batch
    first = await ann.say(room, "green or black?")
    answer = await bea.say(room, "blak")
    await bea.say(room, "* black", **{
        "m.new_content": {"msgtype": "m.text", "body": "black"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": answer}})
    good(await ann.client.room_send(room, "m.reaction", {
        "m.relates_to": {"rel_type": "m.annotation", "event_id": answer, "key": "👍"}}))
    reply = good(await bea.client.sync(timeout=3000, since=since))
    timeline = reply.rooms.join[room].timeline.events
    told(bodies=[event.body for event in timeline if isinstance(event, nio.RoomMessageText)],
         reactions=[event.key for event in timeline if isinstance(event, nio.ReactionEvent)])
    good(await bea.client.room_read_markers(room, first, first))
    good(await bea.client.room_typing(room, True, timeout=20000))
    reply = await ann.sync()
    ephemeral = reply.rooms.join[room].ephemeral
    told(typing=[event.users for event in ephemeral if isinstance(event, nio.TypingNoticeEvent)],
         read=[receipt.user_id for event in ephemeral if isinstance(event, nio.ReceiptEvent)
               for receipt in event.receipts if receipt.receipt_type == "m.read"])
    found = good(await ann.client.room_get_event(room, answer))
    told(event=found.event.body, context=len(good(await ann.client.room_context(
        room, answer, limit=4)).events_before) > 0)
    good(await ann.client.room_redact(room, first, reason="never mind"))
    gone = good(await bea.client.room_get_event(room, first)).event
    told(redacted=type(gone).__name__)
    state["said"] = await bea.bodies(room)


async def pictures(ann, bea, state):
    await ann.sign_in()
    await bea.sign_in()
    sent, _ = await ann.client.upload(io.BytesIO(PICTURE), content_type="image/png",
                                      filename="tea.png", filesize=len(PICTURE))
    uri = good(sent).content_uri
    got = good(await bea.client.download(uri))
    told(same=got.body == PICTURE, type=got.content_type, name=got.filename)
    good(await ann.client.set_avatar(uri))
    profile = good(await bea.client.get_profile(ann.client.user_id))
    told(avatar=profile.avatar_url == uri, displayname=profile.displayname)


async def again(ann, bea, state):
    """After the server was away."""
    await ann.sign_in()
    await bea.sign_in()
    room = state["room"]
    told(same=await bea.bodies(room) == state["said"],
         rooms=good(await ann.client.joined_rooms()).rooms == [room])
    await ann.say(room, "still here")
    told(last=(await bea.bodies(room))[0])


async def leave(ann, bea, state):
    await ann.sign_in()
    await bea.sign_in()
    room = state["room"]
    devices = good(await bea.client.devices()).devices
    told(devices=[device.display_name for device in devices])
    good(await bea.client.room_leave(room))
    good(await bea.client.room_forget(room))
    told(rooms=good(await bea.client.joined_rooms()).rooms)
    members = good(await ann.client.joined_members(room)).members
    told(members=[member.user_id for member in members])
    good(await bea.client.logout())
    told(out=isinstance(await bea.client.whoami(), nio.WhoamiError))


async def main(url, step, path):
    file = pathlib.Path(path)
    state = json.loads(file.read_text()) if file.exists() else {}
    people = [Person(url, name, state) for name in ("ann", "bea")]
    try:
        await globals()[step](*people, state)
    finally:
        for person in people:
            await person.client.close()
    file.write_text(json.dumps(state))


asyncio.run(main(*sys.argv[1:]))
