"""The way from a mail to a validated address in a real browser, on a phone: the mail, the page with
the button, and where it leads."""


import pytest

from browser import chromium
from little_server import LittleServer
from mail_world import MailWorld

PHONE, SMALL = (390, 844), (320, 568)
LANGUAGES = ("en", "de", "fr", "es")
LONG = "a.very.long.name.that.nobody.would.choose.but.somebody@has.some.example.org"
TOO_WIDE = """[...document.querySelectorAll("body *")]
    .filter(element => element.getBoundingClientRect().right > window.innerWidth + 0.5)
    .map(element => element.outerHTML.slice(0, 80))"""
HEADING = "document.querySelector('h1').textContent"
SMALLEST = """Math.min(...[...document.querySelectorAll('p, h1, a, button, span, strong')]
    .map(element => parseFloat(getComputedStyle(element).fontSize)))"""
CONTRAST = """(() => {
    const bright = text => {
        const parts = text.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255)
            .map(part => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    const ground = element => {
        const own = getComputedStyle(element).backgroundColor;
        return own === "rgba(0, 0, 0, 0)" ? ground(element.parentElement) : own;
    };
    return Math.min(...[...document.querySelectorAll('p, h1, a, button, span, strong, svg')].map(
        element => {
            const two = [getComputedStyle(element).color, ground(element)].map(bright).sort();
            return (Math.max(...two) + 0.05) / (Math.min(...two) + 0.05);
        }));
})()"""

pytestmark = pytest.mark.skipif(chromium() is None, reason="Chromium is not here")


@pytest.fixture(scope="module")
def elsewhere():
    """Where people are led on to."""
    server = LittleServer(
        lambda exchange: exchange.answer_bytes(200, b"<title>Elsewhere</title>", "text/html"))
    yield server.url + "/app"
    server.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = MailWorld(tmp_path_factory.mktemp("landing"), {
        "validation": {"next_link_hosts": ["127.0.0.1"], "next_link_http": True},
        "invites": {"web_client": "https://app.example.org"}})
    made.identity.configuration["public_base_url"] = made.identity.plain.url
    made.identity.write_configuration()
    yield made.start()
    made.end()


@pytest.fixture
def mine(world, request):
    """A validation that this test asks for."""
    ann = world.sign_in("@ann:hs.test")
    yield world.validation(ann, LONG, secret=f"{abs(hash(request.node.name))}")
    world.clock.jump(0)


def mailed(mine, **more):
    """The last mail, which the test has just asked for."""
    before = len(mine.mails())
    mine.asked(**more)
    return mine.mail(before + 1)


def is_validated(mine):
    return mine.validated().status == 200


# ---- the way


def test_a_person_opens_the_mail_and_presses_two_buttons(world, browser, mine, tmp_path):
    letter = tmp_path / "mail.html"
    letter.write_text(mailed(mine).html)
    page = browser.open(f"file://{letter}", *PHONE)
    assert page.evaluate(HEADING) == "Confirm your e‑mail address"
    page.press("a.button")
    assert page.evaluate("location.href").startswith(f"{world.identity.plain.url}/verify/email?")
    assert page.evaluate(HEADING) == "Confirm your address" and not is_validated(mine)
    page.press("button")
    assert page.evaluate(HEADING) == "Address confirmed" and is_validated(mine)
    assert page.evaluate("location.search") == "", "the token is not in the address any more"
    assert page.complaints() == []


def test_who_opens_the_link_again_learns_that_it_is_done(browser, mine):
    mail = mailed(mine)
    browser.open(mail.link, *PHONE).press("button")
    again = browser.open(mail.link, *PHONE)
    assert again.evaluate(HEADING) == "Address confirmed"
    assert again.evaluate("document.querySelector('button')") is None


def test_the_button_leads_on_to_the_app(browser, mine, elsewhere):
    page = browser.open(mailed(mine, next_link=elsewhere).link, *PHONE).press("button")
    assert page.evaluate("document.title") == "Elsewhere" and is_validated(mine)
    assert page.evaluate("location.href") == f"{elsewhere}?sid={mine.sid}"
    assert page.evaluate("document.referrer") == "", "nobody else learns of the token"


def test_a_scanner_that_opens_everything_validates_nothing(world, browser, mine):
    mail = mailed(mine)
    for method in ("HEAD", "GET", "GET", "OPTIONS"):
        world.identity.plain.request(method, mail.target, headers={"User-Agent": "Scanner/1.0"})
    browser.open(mail.link, *PHONE)
    assert not is_validated(mine)


# ---- every page, to look at and to listen to


def open_page(world, browser, mine, state, size=PHONE, **more):
    """The page of this name, however one gets there."""
    mail = mailed(mine, headers={"Accept-Language": more.get("language", "en")})
    link = mail.link
    if state == "confirmed":
        mine.submit(mail.query["token"])
    if state == "wrong":
        link = link.replace("/verify/email", "/_matrix/identity/v2/validate/email/submitToken")
        link = link.replace("token=", "token=x")
    if state == "unknown":
        link = link.replace("sid=", "sid=x")
    if state == "expired":
        world.clock.jump(25 * 3600)
    return browser.open(link, *size, **more)


STATES = ("button", "confirmed", "wrong", "unknown", "expired")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", STATES)
def test_every_page_is_easy_to_read_on_a_small_phone(world, browser, mine, state, language):
    for dark in (False, True):
        page = open_page(world, browser, mine, state, SMALL, language=language, dark=dark)
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL[0]
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate(SMALLEST) >= 14
        assert page.evaluate(CONTRAST) >= 4.5
        world.clock.jump(0)
        mine.secret += "x"
    complaints = [entry for entry in page.complaints() if "status of 400" not in str(entry)]
    assert complaints == []


@pytest.mark.parametrize("state, heading, spoken", [
    ("button", "Confirm your address", ("button", "Yes, confirm")),
    ("confirmed", "Address confirmed", ("StaticText", LONG)),
    ("wrong", "This did not work", ("alert", "")),
])
def test_a_screen_reader_meets_one_heading_and_what_to_do(
        world, browser, mine, state, heading, spoken):
    met = open_page(world, browser, mine, state).accessible()
    assert [name for role, name in met if role == "heading"] == [heading]
    assert [role for role, _ in met].count("main") == 1 and spoken in met


def test_the_button_is_large_enough_for_a_thumb(world, browser, mine):
    page = open_page(world, browser, mine, "button")
    height = page.evaluate("document.querySelector('button').getBoundingClientRect().height")
    assert height >= 44


@pytest.mark.parametrize("language", LANGUAGES)
def test_mails_are_easy_to_read_on_a_small_phone(world, browser, mine, language, tmp_path):
    wanted = {"Accept-Language": language}
    address = f"{mine.secret}@example.org"
    invite = {"medium": "email", "address": address, "room_id": "!r:hs.test",
              "sender": "@ann:hs.test", "sender_display_name": "Ann", "room_name": "Book club"}
    assert mine.client.post("/store-invite", invite, headers=wanted).status == 200
    letter = tmp_path / "mail.html"
    for mail in (mailed(mine, headers=wanted), world.sink.only_mail_to(address)):
        letter.write_text(mail.html)
        for dark in (False, True):
            page = browser.open(f"file://{letter}", *SMALL, dark=dark)
            assert page.evaluate("document.documentElement.scrollWidth") <= SMALL[0]
            assert page.evaluate(TOO_WIDE) == [] and page.evaluate(SMALLEST) >= 14
            assert page.evaluate(CONTRAST) >= 4.5
            assert page.complaints() == []
