"""A command that goes on in the next line, as a shell lets one."""

import re

LONGEST = 4000  # characters; a shell script in a report is no command
_CONTINUED = re.compile(r"(?<!\\)\\$")
_PROMPT = re.compile(r"(?:> )?\s*")


def is_continued(command: str) -> bool:
    return len(command) < LONGEST and bool(_CONTINUED.search(command))


def continued(command: str, following: str) -> str:
    """The command with the next line in the place of its last backslash."""
    return f"{command[:-1].rstrip()} {_PROMPT.sub('', following, count=1)}"
