"""Clients that sync, and put together what they are told.

    phone = Syncing(ann)
    phone.sync()
    say(bob, room, "hello")
    assert phone.sync().messages(room) == ["hello"]
"""

import concurrent.futures
import json
import urllib.parse

from rooms import done


class Answer(dict):
    """What one /sync said."""

    def room(self, room, kind="join"):
        return self.get("rooms", {}).get(kind, {}).get(room)

    def kinds(self, room):
        """In which parts of the answer the room is."""
        return [kind for kind, rooms in self.get("rooms", {}).items() if room in rooms]

    def timeline(self, room, kind="join"):
        return (self.room(room, kind) or {}).get("timeline", {"events": []})["events"]

    def limited(self, room):
        return self.room(room)["timeline"]["limited"]

    def messages(self, room, kind="join"):
        return [event["content"]["body"] for event in self.timeline(room, kind)
                if event["type"] == "m.room.message" and "body" in event["content"]]

    def state(self, room, kind="join", name="state"):
        """Type and key to content."""
        events = self.room(room, kind)[name]["events"]
        return {(event["type"], event["state_key"]): event["content"] for event in events}

    def members(self, room, kind="join"):
        """Whose member events stand in the state."""
        return sorted(key for event_type, key in self.state(room, kind)
                      if event_type == "m.room.member")

    def ephemeral(self, room, event_type):
        """The contents of the events of that type."""
        events = (self.room(room) or {}).get("ephemeral", {"events": []})["events"]
        return [event["content"] for event in events if event["type"] == event_type]

    def data(self, room=None):
        """Account data: type to content."""
        part = self.room(room) if room else self
        return {event["type"]: event["content"]
                for event in (part or {}).get("account_data", {"events": []})["events"]}

    def presence(self):
        """User to state."""
        return {event["sender"]: event["content"]["presence"]
                for event in self.get("presence", {"events": []})["events"]}

    def says_nothing(self):
        return not set(self) & {"rooms", "account_data", "presence", "to_device"}


def sync_path(since=None, filter=None, **query):
    if since:
        query["since"] = since
    if filter:
        query["filter"] = filter if isinstance(filter, str) else json.dumps(filter)
    query.setdefault("set_presence", "offline")
    return "/sync?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)


class Syncing:
    """A device that goes on from where it is."""

    def __init__(self, user, filter=None, **query):
        self.user, self.since = user, None
        self.query = {"filter": filter, **query}
        self.pool = concurrent.futures.ThreadPoolExecutor(1)

    def ask(self, **query):
        """The answer, whatever it is."""
        return self.user.get(sync_path(self.since, **{**self.query, **query}))

    def sync(self, timeout=0, **query):
        answer = Answer(done(self.ask(timeout=timeout, **query)))
        self.since = answer["next_batch"]
        return answer

    def waiting(self, timeout=20000, **query):
        """A long poll that is under way: its result() is the answer."""
        return self.pool.submit(self.sync, timeout, **query)


def first_sync(user, **query):
    return Syncing(user, **query).sync()
