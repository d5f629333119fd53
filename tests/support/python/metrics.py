"""Prometheus' text format, read strictly."""

import re

LABEL = r'[a-zA-Z_]\w*="(?:[^"\\]|\\.)*"'
SAMPLE = re.compile(
    r"([a-zA-Z_:][\w:]*)(?:\{(" + LABEL + r"(?:," + LABEL + r")*)\})? (-?[\d.]+(?:e[+-]?\d+)?|NaN|[+-]Inf)"
)


def parse_metrics(text):
    """{name: {labels: value}}; fails on anything that is not Prometheus' text format."""
    assert text.endswith("\n")
    found, kind, closed, current = {}, {}, set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            continue
        if line.startswith("# TYPE "):
            _, _, name, what = line.split(" ")
            assert name not in kind, f"{name} is there twice"
            assert what in ("counter", "gauge", "histogram")
            kind[name] = what
            closed.add(current)
            current = name
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        family = re.sub(r"_(bucket|sum|count)$", "", sample[1])
        assert current in (sample[1], family), line
        values = found.setdefault(sample[1], {})
        assert sample[2] not in values, line
        values[sample[2]] = float(sample[3])
    return found
