"""Words that have no place in a project that speaks of itself alone."""

import re

from test_sources import complain, lines_that_match, tracked

# In pieces, so that this file does not hold them.
MACHINE_PATHS = ["/wo" + "rk/", "/ro" + "ot/", r"/ho" + r"me/\w", "/Us" + "ers/"]
TEXT_SUFFIXES = {".c", ".h", ".py", ".sh", ".cmake", ".md", ".yaml", ".json", ".def", ".txt", ""}


def text_files():
    return [
        path for path in tracked()
        if path.suffix in TEXT_SUFFIXES and b"\0" not in path.read_bytes()
    ]


def test_no_path_of_somebodys_machine_is_left():
    complain(lines_that_match(text_files(), "|".join(MACHINE_PATHS)))


def test_nothing_tells_of_how_it_was_written():
    words = ["iss" + "ues show", r"issue #?\d+\b", "this ses" + "sion", "my br" + "ief"]
    files = [path for path in text_files() if path.suffix != ".json"]
    complain(lines_that_match(files, re.compile("|".join(words), re.I).pattern))
