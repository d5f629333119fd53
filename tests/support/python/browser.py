"""A headless Chromium, driven over its debugging pipe.

    with Browser(directory) as browser:
        page = browser.open(url, width=390, height=844)
        assert page.evaluate("document.title") == "…"
"""

import fcntl
import json
import os
import select
import shutil
import subprocess
import time

# Without these it looks for Google's hosts at its start.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--no-first-run", "--disable-quic"]
SECONDS = 60


def chromium():
    """The program, or None."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    def __init__(self, directory):
        """directory: an empty one, for its profile."""
        self.directory = directory
        self.waiting = b""
        self.messages = []  # events that nobody has taken yet
        self.number = 0

    def __enter__(self):
        its_input, self.output = os.pipe()
        self.input, its_output = os.pipe()
        # It reads from 3 and writes to 4, which these numbers must not be yet.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (its_input, its_output)]

        def connect():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            [chromium(), "--headless", "--no-sandbox", "--disable-gpu", *QUIET,
             f"--user-data-dir={self.directory}", "--remote-debugging-pipe"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=connect, pass_fds=(3, 4))
        for end in (its_input, its_output, *ends):
            os.close(end)
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(20)
        except (OSError, RuntimeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.input)
        os.close(self.output)

    def receive(self):
        """The next message."""
        end = time.monotonic() + SECONDS
        while b"\0" not in self.waiting:
            if not select.select([self.input], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError("Chromium is silent")
            more = os.read(self.input, 1 << 20)
            if not more:
                raise RuntimeError("Chromium has ended")
            self.waiting += more
        message, _, self.waiting = self.waiting.partition(b"\0")
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        """The result of one command; events that come meanwhile are kept."""
        self.number += 1
        asked = {"id": self.number, "method": method, "params": parameters}
        if session:
            asked["sessionId"] = session
        os.write(self.output, json.dumps(asked).encode() + b"\0")
        while True:
            message = self.receive()
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(message["error"]["message"])
                return message["result"]
            self.messages.append(message)

    def wait_for(self, event, session):
        """Until the event has come."""
        while True:
            for message in self.messages:
                if message["method"] == event and message.get("sessionId") == session:
                    return message["params"]
            self.messages.append(self.receive())

    def open(self, url, width, height, dark=False, language=None):
        """language: what the reader's browser asks for, as in "de"."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, session).load(url, width, height, dark, language)


class Page:
    def __init__(self, browser, session):
        self.browser, self.session = browser, session

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def load(self, url, width, height, dark, language):
        for domain in ("Page", "Runtime", "Log", "Accessibility", "Network"):
            self.call(f"{domain}.enable")
        if language:
            self.call("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=url)
        self.browser.wait_for("Page.loadEventFired", self.session)
        return self

    def press(self, selector):
        """Clicks in the middle of what is there, as a finger does, and waits for the next page."""
        x, y = self.evaluate(f"""(box => [box.x + box.width / 2, box.y + box.height / 2])(
            document.querySelector({json.dumps(selector)}).getBoundingClientRect())""")
        self.browser.messages = [message for message in self.browser.messages
                                 if message["method"] != "Page.loadEventFired"]
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.browser.wait_for("Page.loadEventFired", self.session)
        return self

    def evaluate(self, expression):
        """The value of a JavaScript expression."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"]["text"])
        return got["result"].get("value")

    def promised(self, expression):
        """What the promise, which the expression makes, comes to."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                        awaitPromise=True)
        if "exceptionDetails" in got:
            thrown = got["exceptionDetails"].get("exception", {})
            raise RuntimeError(thrown.get("description", got["exceptionDetails"]["text"]))
        return got["result"].get("value")

    def complaints(self):
        """What was written to the console, thrown, or refused by a policy."""
        self.evaluate("1")  # what came before the answer is here now
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [message["params"] for message in self.browser.messages
                if message["method"] in kinds and message.get("sessionId") == self.session]

    def accessible(self):
        """(role, name) of everything that a screen reader meets, in its order."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in nodes if not node["ignored"]]
