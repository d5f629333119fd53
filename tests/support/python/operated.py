"""What a world has in common with others: one daemon, and what its operator does with it."""

import re

METRIC = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", re.M)


class Operated:
    """A world whose `daemon` is the one that the operator looks after."""

    daemon = None

    def start(self):
        self.daemon.start()
        return self

    def admin(self, method, target, body=None):
        return self.daemon.admin.request(method, target, body)

    def command(self, *arguments, status=0, **more):
        """What a subcommand printed; it must end with the status."""
        done = self.daemon.command(*arguments, **more)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stdout if status == 0 else done.stdout + done.stderr

    def metrics(self):
        """{name{labels}: value}."""
        text = self.admin("GET", "/metrics").body.decode()
        return {f"{name}{{{labels}}}" if labels else name: float(value)
                for name, labels, value in METRIC.findall(text)}
