"""What `mail test` and `sms test` print."""

import re

STEP = re.compile(r"^ *\d+\. (\S+) +(ok|FAILED) +(.*)$", re.M)


def steps(printed):
    """{step: words}, and the ones that failed."""
    found = STEP.findall(printed)
    return ({name: words for name, _, words in found},
            [name for name, how, _ in found if how == "FAILED"])
