"""The outbound client of shared/net, driven through its command line tool."""

import json
import queue
import subprocess
import threading

import trinity

LOOPBACK = "127.0.0.0/8"
ANSWER_SECONDS = 60


class NetClient:
    """A running client: requests go in at any time, answers are waited for."""

    def __init__(self, net, allow=(LOOPBACK,), ca=None, **options):
        """options: transfers=3 becomes --transfers 3; a list repeats the option."""
        command = [str(trinity.program("net_fetch")), "--stdin", "--dns", net.dns.address,
                   "--ca", str(ca or net.ca_file)]
        for name, values in {"allow": list(allow), **options}.items():
            for value in values if isinstance(values, list) else [values]:
                command += ["--" + name.replace("_", "-"), str(value)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
        self._waiting = {}
        self._number = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            reply = json.loads(line)
            self._waiting[reply["id"]].put(reply)

    def start(self, **request):
        """Sends a request; what it returns gives the answer when called."""
        self._number += 1
        number = self._number
        self._waiting[number] = queue.Queue()
        self._process.stdin.write(json.dumps({"id": number, **request}) + "\n")
        self._process.stdin.flush()
        return lambda: self._waiting[number].get(timeout=ANSWER_SECONDS)

    def ask(self, **request):
        return self.start(**request)()

    def url(self, url, **more):
        return self.ask(url=url, **more)

    def server(self, name, target="/", **more):
        return self.ask(server=name, target=target, **more)

    def trace(self, name):
        return self.ask(trace=name)

    def close(self):
        """Ends the tool, which must leave no sanitizer report."""
        self._process.stdin.close()
        errors = self._process.stderr.read()
        status = self._process.wait(ANSWER_SECONDS)
        self._reader.join()
        assert status == 0 and not trinity.SANITIZER.search(errors), errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
