"""The status page at /: what it says, and that it is HTML that everybody can read."""

import base64
import hashlib
import html.parser
import re

import pytest

import origins as faults
from notary_world import NAME

VOID = {"meta", "link", "br", "hr", "img", "input"}
ROLES = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
HEADERS = {"col": "columnheader", "row": "rowheader"}


class Page(html.parser.HTMLParser):
    """The elements with their attributes, their depth and the text inside them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.texts = [], [], {}
        self.feed(text)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "in": [parent["tag"] for parent in self.open], "text": "",
                   **dict(attributes)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open.pop()["tag"] == tag

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]


@pytest.fixture
def page(world):
    return Page(world.notary.get("/").body.decode())


def section(page, title):
    [found] = [element for element in page.all("section") if element["text"].strip()
               .startswith(title)]
    return found["text"]


def test_it_shows_uptime_and_counts(world):
    world.origins.add("counted.test")
    world.ask("counted.test")
    page = Page(world.notary.get("/").body.decode())
    pairs = dict(zip((element["text"] for element in page.all("dt")),
                     (element["text"] for element in page.all("dd"))))
    counts = world.admin("GET", "/admin/v1/overview").json["counts"]
    assert re.fullmatch(r"\d+ min", pairs["Up for"])
    assert pairs["Servers known"] == str(counts["servers"]) != "0"
    assert pairs["Sets of keys"] == str(counts["versions"])


def test_it_shows_the_keys_and_their_fingerprints(world, page):
    [(key_id, public_key)] = world.own_keys().items()
    digest = hashlib.sha256(base64.b64decode(public_key + "=")).hexdigest()[:32]
    fingerprint = " ".join(digest[i : i + 4] for i in range(0, 32, 4))
    text = section(page, "Keys of this notary")
    assert key_id in text and public_key in text and fingerprint in text
    usage = section(page, "Use it")
    assert f'"{key_id}": "{public_key}"' in usage and f'server_name: "{NAME}"' in usage


def test_it_shows_slow_and_failing_servers_without_details_of_the_network(world):
    world.origins.add("slow.test").delay = 0.2
    world.origins.add("bad.test").fault = faults.bad_signature
    world.net.dns.set("inside.test", "A", "10.1.2.3")
    for name in ("slow.test", "bad.test", "inside.test"):
        world.ask(name)
    page = Page(world.notary.get("/").body.decode())
    failing = section(page, "Servers that fail")
    assert re.search(r"bad\.test\s*its keys do not verify", failing)
    assert re.search(r"inside\.test\s*no answer", failing)
    assert "10.1.2.3" not in page.all("body")[0]["text"]
    assert re.search(r"slow\.test\s*2\d\d ms", section(page, "Slowest answers"))


def test_it_has_one_title_landmarks_and_named_sections(page):
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("title")[0]["text"] == f"Key notary {NAME}"
    assert [len(page.all(tag)) for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    ids = {element["id"]: element for element in page.elements if "id" in element}
    for part in page.all("section"):
        assert ids[part["aria-labelledby"]]["tag"] == "h2"
    levels = [int(element["tag"][1]) for element in page.elements
              if re.fullmatch("h[1-6]", element["tag"])]
    assert levels[0] == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:]))


def test_its_tables_are_tables_for_a_screen_reader(page):
    assert page.all("table")
    ids = {element.get("id") for element in page.elements}
    for element in page.elements:
        if element["tag"] in ROLES:
            assert element["role"] == ROLES[element["tag"]]
        if element["tag"] == "table":
            assert element["aria-labelledby"] in ids
        if element["tag"] == "th":
            assert element["role"] == HEADERS[element["scope"]]
        if element["tag"] == "td":
            assert element["data-label"] in {head["text"] for head in page.all("th")}


def test_it_loads_nothing_and_runs_nothing(world, page):
    reply = world.notary.get("/")
    assert not page.all("script") and not page.all("link") and not page.all("img")
    assert not [key for element in page.elements for key in element
                if key.startswith("on") or key in ("src", "href", "style")]
    [style] = page.all("style")
    digest = base64.b64encode(hashlib.sha256(style["text"].encode()).digest()).decode()
    assert reply.headers["Content-Security-Policy"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; "
        "base-uri 'none'; form-action 'none'")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "url(" not in style["text"] and "@import" not in style["text"]


def luminance(colour):
    def linear(value):
        return value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4

    digits = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    red, green, blue = (linear(int(digits[i : i + 2], 16) / 255) for i in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_its_colours_can_be_told_apart_by_day_and_by_night(page):
    schemes = re.findall(r":root\{([^}]+)\}", page.all("style")[0]["text"])
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+):#([0-9a-f]+)", scheme))
        for ink in ("ink", "soft", "good", "bad"):
            for ground in ("card", "ground"):
                low, high = sorted(luminance(colours[name]) for name in (ink, ground))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def test_it_can_be_switched_off(make_world):
    world = make_world({"status_page": False}).start()
    reply = world.notary.get("/")
    assert (reply.status, reply.errcode) == (404, "M_UNRECOGNIZED")
