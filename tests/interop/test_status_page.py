"""The notary's status page in a real browser: on a phone, on a desk, by night, read aloud."""

import tempfile

import pytest

import origins as faults
from browser import chromium
from fakenet import FakeNet
from origins import Origins
from trinity import Story

PHONE, DESK = (390, 844), (1280, 900)
LONG = "a-very-long-name-of-a-server-that-nobody-would-choose.but-somebody-has.example.test"
TOO_WIDE = """[...document.querySelectorAll("body *")]
    .filter(element => element.getBoundingClientRect().right > window.innerWidth + 0.5)
    .map(element => element.outerHTML.slice(0, 80))"""

pytestmark = pytest.mark.skipif(chromium() is None, reason="Chromium is not here")


@pytest.fixture(scope="module")
def url():
    """Where a notary's page is that has something to show."""
    with tempfile.TemporaryDirectory(prefix="trinity-") as directory, \
            FakeNet(f"{directory}/net") as net:
        origins, story = Origins(net), Story(directory)
        keys = {"signing_file": f"{directory}/sign.key",
                "countersign_file": f"{directory}/counter.key"}
        notary = story.notary({"outbound": origins.outbound, "keys": keys}).start()
        notary.command("key", "rotate")
        notary.command("reload")
        for origin in origins.add_many("many.test", 12, listeners=2):
            notary.get(f"/_matrix/key/v2/query/{origin.name}")
        origins.add(LONG).fault = faults.bad_signature
        notary.get(f"/_matrix/key/v2/query/{LONG}")
        yield notary.plain.url + "/"
        story.end()


@pytest.mark.parametrize("size", [PHONE, (320, 568), (768, 1024), DESK], ids=str)
def test_nothing_runs_out_of_the_window(browser, url, size):
    page = browser.open(url, *size)
    assert page.evaluate("window.innerWidth") == size[0]
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_console_stays_empty(browser, url, size):
    assert browser.open(url, *size).complaints() == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_screen_reader_meets_landmarks_headings_and_tables(browser, url, size):
    met = browser.open(url, *size).accessible()
    headings = [name for role, name in met if role == "heading"]
    assert headings[:3] == ["Key notary notary.test", "Right now", "Keys of this notary"]
    for landmark in ("banner", "main", "contentinfo"):
        assert [role for role, _ in met].count(landmark) == 1
    assert {"Keys of this notary", "Servers that fail"} <= {
        name for role, name in met if role == "region"}
    tables = [name for role, name in met if role == "table"]
    assert tables == ["Keys of this notary", "Servers that fail", "Slowest answers"]
    columns = [name for role, name in met if role == "columnheader"]
    assert columns[:4] == ["Key", "Public key", "Fingerprint", "Use"]
    assert ("rowheader", LONG) in met
    said = [name.strip() for role, name in met if role in ("cell", "StaticText")]
    assert "its keys do not verify" in said
    assert "What is wrong:" not in said, "the column's name is said once"


def test_it_is_dark_by_night(browser, url):
    ground = "getComputedStyle(document.body).backgroundColor"
    day = browser.open(url, *DESK).evaluate(ground)
    night = browser.open(url, *DESK, dark=True).evaluate(ground)
    assert (day, night) == ("rgb(243, 245, 248)", "rgb(18, 23, 29)")


def test_text_is_large_enough_to_read_on_a_phone(browser, url):
    sizes = browser.open(url, *PHONE).evaluate(
        "[...document.querySelectorAll('p, dd, th, td, code, pre')]"
        ".map(element => parseFloat(getComputedStyle(element).fontSize))")
    assert sizes and min(sizes) >= 13
