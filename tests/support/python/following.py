"""What somebody's client is told by /sync, one answer after the other.

    eyes = Following(ann)            # what is there already is not news
    receipts = eyes.until(lambda news: news.ephemeral(room, "m.receipt"))
"""

import time

from trinity import PATIENCE_SECONDS

POLL_MS = 2000


class News:
    """One answer of /sync."""

    def __init__(self, json):
        self.json = json

    def room(self, room, membership="join"):
        return self.json.get("rooms", {}).get(membership, {}).get(room, {})

    def ephemeral(self, room, event_type):
        """The contents of these events."""
        return [told["content"] for told in self.room(room).get("ephemeral", {}).get("events", [])
                if told["type"] == event_type]

    def timeline(self, room):
        return self.room(room).get("timeline", {}).get("events", [])

    def account_data(self, room=None):
        """Type → content, global or of a room."""
        told = self.room(room) if room else self.json
        return {one["type"]: one["content"] for one in told.get("account_data", {}).get("events", [])}

    def presence(self, user):
        """The contents of the other's events."""
        return [told["content"] for told in self.json.get("presence", {}).get("events", [])
                if told["sender"] == user.id]


class Following:
    """Somebody's /sync from here on."""

    def __init__(self, user, **query):
        self.user, self.query, self.since = user, query, None
        self.first = self.next(timeout=0)

    def next(self, timeout=POLL_MS):
        query = {**self.query, "timeout": timeout}
        if self.since:
            query["since"] = self.since
        reply = self.user.get("/sync?" + "&".join(f"{key}={value}" for key, value in query.items()))
        assert reply.status == 200, reply
        self.since = reply.json["next_batch"]
        return News(reply.json)

    def until(self, wanted):
        """What `wanted` makes of the first answer where it finds something."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = wanted(self.next())
            if found:
                return found
        raise AssertionError("nothing of it in /sync")

    def has_nothing(self, wanted):
        """What is there now, without waiting, has none of it."""
        return not wanted(self.next(timeout=0))
