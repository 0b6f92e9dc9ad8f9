"""What two runs of the same commands may differ in; a comparison names the rules that it used.

Left alone on purpose: GUIDs, MAC addresses, device paths and EFI_STATUS values. Reports are about
those. Nothing at all (`0 bytes`, `0x0`) is not a size or an address like any other.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """One kind of text that differs from run to run.

    :param pattern: has no groups that capture.
    :param sign: stands in its place in a normalised line.
    :param like: a pattern that people can read, for anything in its place in another run.
    """

    name: str
    pattern: str
    sign: str
    like: str
    says: str


# In this order: the first rule that fits a place takes it
RULES = (
    Rule(
        "kernel time",
        r"\[ *\d+\.\d{3,6}\](?: ?[<>#](?= ))?",
        "[time]",
        r"\[ *[\d.]+\](?: [<>#])?",
        "times in front of lines of a kernel or of a console's log",
    ),
    Rule(
        "date",
        r"\(?\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
        r"[a-z]{0,6},? \d{1,2},? (?:\d{4}|\w{3} \d{4})(?: -)? \d{2}:\d{2}:\d{2}"
        r"(?: [+-]\d{4}| [A-Z]{3,4})?\)?",
        "(date)",
        r"\(?\w{3} [\w :,+-]+\)?",
        "dates of builds and clocks",
    ),
    Rule(
        "version",
        r"\bU-Boot (?:SPL |TPL )?v?\d{4}\.\d{2}[\w.+-]*|\bLinux version \d+\.\d+[\w.+-]*",
        "VERSION",
        r"(?:U-Boot|Linux)[\w ]{0,20} v?\d[\w.+-]*",
        "the versions that U-Boot and Linux name",
    ),
    # EFI_STATUS is an address to nobody: UEFI 2.10, appendix D
    Rule(
        "address",
        r"(?<![\w-])(?:0x(?!8000000000000)[0-9a-fA-F]{5,16}"
        r"|(?=[0-9a-fA-F]*\d)(?!8000000000000)[0-9a-fA-F]{8,16})(?![\w-])",
        "ADDRESS",
        r"[0-9a-fx]+",
        "numbers of 5 and more digits in hexadecimal; not EFI_STATUS, not GUIDs",
    ),
    Rule(
        "time",
        r"(?<![\w.])\d+(?:\.\d+)? ?(?:ns|us|ms|s|secs?|seconds?|minutes?)\b",
        "TIME",
        r"[\d.]+ ?\w+",
        "how long something took",
    ),
    Rule(
        "size",
        r"(?<![\w.])(?!0+(?:\.0+)? )\d+(?:\.\d+)? ?(?:[KMGT]i?B|[Bb]ytes?|blocks|sectors)(?:/s)?\b",
        "SIZE",
        r"[1-9][\d.]* ?[\w/]+",
        "sizes and rates that are not 0",
    ),
    Rule("space", r"[ \t]{2,}", " ", r"\s+", "how many blanks stand between words"),
)
_PLACES = re.compile("|".join(f"(?P<r{index}>{rule.pattern})" for index, rule in enumerate(RULES)))
LONGEST = 1000  # characters of a line that are looked at: one that is longer was made to be slow


@dataclass(frozen=True)
class Line:
    """A line as it is compared.

    :param rules: names of the rules that changed it.
    """

    text: str
    rules: frozenset[str] = frozenset()


def normalise(line: str) -> Line:
    """A line without what may differ from run to run."""
    used = set[str]()

    def sign(found: re.Match[str]) -> str:
        rule = _rule(found)
        used.add(rule.name)
        return rule.sign

    return Line(_PLACES.sub(sign, line[:LONGEST].strip()), frozenset(used))


def evidence(line: str) -> str:
    """A regular expression that finds a line of a report in another run's output."""
    text, end, pieces = line[:LONGEST].strip(), 0, list[str]()
    for found in _PLACES.finditer(text):
        rule = _rule(found)
        pieces += [re.escape(text[end : found.start()]), rule.like]
        end = found.end()
    pieces.append(re.escape(text[end:]))
    # re.escape makes blanks unreadable, and no pattern here is verbose
    return "".join(pieces).replace("\\ ", " ").replace("\\-", "-").replace("\\#", "#")


def legend(names: Iterable[str]) -> tuple[str, ...]:
    """What the rules of these names leave out, one line each, in the table's order."""
    wanted = frozenset(names)
    return tuple(
        f"{rule.sign.strip() or 'one blank'}: {rule.says}" for rule in RULES if rule.name in wanted
    )


def _rule(found: re.Match[str]) -> Rule:
    return RULES[int(str(found.lastgroup)[1:])]
