"""What every story has: its daemons, stopped and checked at its end, their logs when it fails."""

import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support" / "python"))

import fakenet  # noqa: E402  (found by the line above)
import trinity  # noqa: E402


@pytest.fixture
def story(request):
    # Not tmp_path: a unix socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="trinity-") as directory:
        made = trinity.Story(directory)
        request.node.trinity_story = made
        yield made
        try:
            made.end()
        finally:
            request.node.trinity_logs = made.logs()


@pytest.fixture
def net(tmp_path):
    """Names, certificates and addresses that exist only for one test: see fakenet.py."""
    with fakenet.FakeNet(tmp_path / "net") as made:
        yield made


@pytest.fixture
def origins(net):
    """Matrix servers that publish keys: see origins.py."""
    import origins as module  # needs Python packages that not every story does

    return module.Origins(net)


@pytest.fixture
def gateway():
    """A gateway for text messages: see sms_gateway.py."""
    import sms_gateway

    made = sms_gateway.SmsGateway()
    yield made
    made.close()


@pytest.fixture(scope="module")
def browser():
    """A real one: see browser.py."""
    import browser as module

    with tempfile.TemporaryDirectory(prefix="trinity-", ignore_cleanup_errors=True) as directory:
        with module.Browser(directory) as made:
            yield made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    logs = getattr(item, "trinity_logs", None)
    if logs is None and hasattr(item, "trinity_story"):
        logs = item.trinity_story.logs()
    for name, text in logs or []:
        report.sections.append((f"log of {name}", text))
