"""Checks every JSON reply of a story against the schema that its route declares."""

import subprocess
import threading

import trinity


class Checker:
    """One contract_check program of a daemon for a test run; started when first needed."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.process = None
        self.lock = threading.Lock()

    def complaint(self, method, target, reply):
        """What is wrong with the reply, or None."""
        if not reply.headers.get("Content-Type", "").startswith("application/json"):
            return None
        if method == "HEAD" or not reply.body or " " in target:
            return None
        program = trinity.program(f"contract_check_{self.daemon}")
        with self.lock:
            if self.process is None:
                if not program.exists():
                    raise RuntimeError(f"{program} is not built")
                self.process = subprocess.Popen(
                    [str(program)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                )
            head = f"{method} {target} {reply.status} {len(reply.body)}\n"
            self.process.stdin.write(head.encode() + reply.body)
            self.process.stdin.flush()
            answer = self.process.stdout.readline().decode().strip()
        return None if answer == "fine" else answer or "contract_check has ended"


_checkers = {name: Checker(name) for name in ("notary", "identity", "homeserver")}
FOR_BROWSERS = ("/_matrix/client/", "/_matrix/media/", "/_matrix/identity/v", "/.well-known/matrix/")


def check(daemon, method, target, reply):
    """Fails if the reply breaks the contract: its schema, and that clients in browsers may read it,
    whatever it says, unless it is a page itself. daemon: "trinity-notary"."""
    checker = _checkers.get(daemon.removeprefix("trinity-"))
    complaint = checker.complaint(method, target, reply) if checker else None
    assert complaint is None, f"{method} {target} answered {reply!r}: {complaint}"
    is_page = reply.headers.get("Content-Type", "").startswith("text/html")
    if checker and target.startswith(FOR_BROWSERS) and not is_page:
        allowed = reply.headers.get("Access-Control-Allow-Origin")
        assert allowed == "*", f"{method} {target} answered {reply!r}, which no browser lets read"
