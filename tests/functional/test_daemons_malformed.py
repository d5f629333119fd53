"""What is malformed before anybody asks what it wants, sent to every daemon of ours: test_http*.py
tell what a server over shared/http does with it in detail."""

import pytest

from malformed import MALFORMED, check_refused
from trinity import Story
from wire import ALL, talk

HELLO = {"notary": "/_matrix/key/v2/server", "identity": "/_matrix/identity/versions",
         "homeserver": "/_matrix/client/versions"}


@pytest.fixture(scope="module", params=HELLO)
def daemon(request, tmp_path_factory):
    story = Story(tmp_path_factory.mktemp(request.param))
    yield getattr(story, request.param)().start()
    story.end()


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_requests_are_refused_and_their_connection_ends(daemon, echo, case):
    data, expected = MALFORMED[case]
    with daemon.plain.socket() as sock:
        answers, closed = talk(sock, data, ALL)
    assert closed and len(answers) <= 1, "the request behind it was run"
    check_refused(echo.library, answers, expected)
    assert daemon.get(HELLO[daemon.name.removeprefix("trinity-")]).status == 200
