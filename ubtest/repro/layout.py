"""The lines of a mail's text: quotes by depth, wrapped lines joined, signatures and patches apart.

A line is joined to the one before only where something proves that it is the rest of it: an open
quote, a missing timestamp, a lost mark of quoting. Everything else stays as it came.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from ubtest.repro.message import Kind, Line
from ubtest.repro.text import LONGEST_LINE, physical_lines, shown, stamp_of

_DEEPEST = 20
_MARKS = re.compile(rf"(?:> ?){{1,{_DEEPEST}}}")
_PROMPT_ONLY = re.compile(r"(?:[\w.-]*[=>]>|[\w.-]+>|[$#]) ?")
_WRAPS_AT = 60  # mailers wrap at 72 to 80; a line that is much shorter was not wrapped by one
_QEMU = re.compile(r"\bqemu-system-\w+ (?=.{0,200}-)")
_QEMU_OPTION = re.compile(
    r" -(?:M|machine|cpu|m|smp|device|drive|netdev|blockdev|bios|kernel|append) ?$"
)
_KERNEL_STAMP = re.compile(r"\[ {0,6}\d{1,6}\.\d{6}\]")
_ATTRIBUTION = re.compile(
    r"On\b.{6,200}\bwrote:|Am\b.{6,200}\bschrieb\b.{0,100}:|.{0,200}(?:さんは書きました|のメール)[::]"
)
_ORIGINAL = re.compile(
    r"-{2,}\s?(?:Original Message|Forwarded [Mm]essage|Ursprüngliche Nachricht)\s?-{2,}|_{30,}"
)
_OLD_HEADER = re.compile(r"\*?(?:From|Sent|Date|To|Cc|Subject|Von|Gesendet|An|Betreff):\*? .*")
_SIGNATURE = re.compile(r"--|_{30,}")  # the second is how lists begin their footer
_LONGEST_SIGNATURE = 12  # lines; `grep -A` prints "--", too
_PATCH_START = re.compile(r"diff --git a/|--- (?:a/|/dev/null)|Index: \S+$")
_PATCH_LINE = re.compile(
    r"$|[ +@\\-]|diff |index [0-9a-f]|(?:new|deleted|old) (?:file )?mode|similarity|rename |copy "
    r"|Binary files|GIT binary patch|={60,}"
)
_DIFFSTAT = re.compile(
    r" \S.{0,120} \|\s+(?:\d+ ?[+-]*|Bin .*)| \d+ files? changed,.*| (?:create|delete) mode \d+ .*"
)


def lines_of_text(text: str, *, flowed: bool = False, first: int = 1) -> tuple[Line, ...]:
    """A part's text as lines.

    :param flowed: the mail says format=flowed (RFC 3676): a line with a space at its end goes on.
    :param first: the number of the first line.
    """
    lines = list(_quoted(text, first))
    lines = _joined(lines, flowed)
    return tuple(_with_kinds(_without_stamps(lines)))


def _quoted(text: str, first: int) -> Iterator[Line]:
    """Each line with its depth. The spaces at its end are kept: they say whether it goes on."""
    for number, raw in enumerate(physical_lines(text), first):
        found = _MARKS.match(raw)
        marks = found[0] if found else ""
        rest = raw[len(marks) :]
        kept = shown(rest)
        if rest.endswith(" ") and kept:
            kept += " "
        yield Line(number, kept, marks.count(">"))


def _joined(lines: list[Line], flowed: bool) -> list[Line]:
    result: list[Line] = []
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else None
        if result and _is_rest(result[-1], line, following, flowed):
            last = result[-1]
            space = "" if last.text.endswith(" ") else " "
            result[-1] = replace(last, text=last.text + space + line.text.lstrip())
        else:
            result.append(line)
    return [replace(line, text=line.text.rstrip()) for line in result]


def _is_rest(last: Line, line: Line, following: Line | None, flowed: bool) -> bool:
    """Whether a line can only be the end of the one before it."""
    if not line.text.strip():
        return False
    if last.depth == line.depth and _goes_on_for_qemu(last.text, line.text):
        return True
    if not _would_not_fit(last, line):
        return False
    if len(last.text) > 10 * _WRAPS_AT:
        return False
    if last.depth == line.depth:
        return (
            (flowed and last.text.endswith(" ") and not last.text.startswith("-- "))
            or _is_open(last.text)
            or _lost_its_stamp(last, line, following)
        )
    lost_marks = last.depth == line.depth + 1
    return lost_marks and following is not None and following.depth == last.depth


def _goes_on_for_qemu(last: str, text: str) -> bool:
    """Whether an option of QEMU stands on a line of its own, or its value does."""
    if len(last) > LONGEST_LINE or last.rstrip().endswith("\\") or not _QEMU.search(last):
        return False
    return bool(re.match(r"\s*-[a-zA-Z]", text) or _QEMU_OPTION.search(last))


def _would_not_fit(last: Line, line: Line) -> bool:
    """Whether the line before is so long that its next word had to go to another line."""
    words = line.text.split(maxsplit=1)
    marks = 2 * last.depth
    return bool(words) and marks + len(last.text.rstrip()) + 1 + len(words[0]) > _WRAPS_AT


def _is_open(text: str) -> bool:
    """Whether a command at a prompt has a quote or a brace that is not closed."""
    if not re.match(r"\s*(?:\S{1,40}[>#$]|[=#$]>?) \S", text):
        return False
    without = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    return "'" in without or '"' in without or without.count("${") > without.count("}")


def _lost_its_stamp(last: Line, line: Line, following: Line | None) -> bool:
    """Whether the lines around have a timestamp and this one has none."""
    if following is None or following.depth != line.depth:
        return False
    return bool(
        (stamp_of(last.text) and stamp_of(following.text) and not stamp_of(line.text))
        or (
            _KERNEL_STAMP.match(last.text)
            and _KERNEL_STAMP.match(following.text)
            and not _KERNEL_STAMP.match(line.text)
            and not re.match(r"\S{0,40}[#$>] ", line.text)
        )
    )


def _without_stamps(lines: list[Line]) -> Iterator[Line]:
    for line in lines:
        stamp = stamp_of(line.text.lstrip())
        yield replace(line, text=line.text.lstrip()[len(stamp) :]) if stamp else line


def _with_kinds(lines: Iterator[Line]) -> Iterator[Line]:
    """Tell signatures, patches and attributions; what follows "Original Message" is quoted."""
    kind, depth, below, in_header = Kind.TEXT, 0, 0, False
    waiting = list(lines)
    to_end = _lines_to_end(waiting)
    for place, line in enumerate(waiting):
        if line.depth != depth:
            kind, depth = Kind.TEXT, line.depth
        text = line.text
        following = waiting[place + 1].text if place + 1 < len(waiting) else ""
        if _starts_old_message(text, following):
            below, in_header, kind = below + 1, True, Kind.TEXT
            yield replace(line, depth=line.depth + below, kind=Kind.ATTRIBUTION)
            continue
        in_header = in_header and bool(_OLD_HEADER.fullmatch(text))
        if in_header:
            kind = Kind.ATTRIBUTION
        elif _SIGNATURE.fullmatch(text) and to_end[place] <= _LONGEST_SIGNATURE:
            kind = Kind.SIGNATURE
        elif kind is not Kind.SIGNATURE:
            kind = _kind(kind, text, following)
        yield replace(line, depth=line.depth + below, kind=kind)


def _lines_to_end(lines: list[Line]) -> list[int]:
    """For each line, how many lines with text follow it until the depth changes."""
    counts = [0] * len(lines)
    for place in range(len(lines) - 2, -1, -1):
        following = lines[place + 1]
        if following.depth == lines[place].depth:
            counts[place] = counts[place + 1] + bool(following.text)
    return counts


def _starts_old_message(text: str, following: str) -> bool:
    return bool(_ORIGINAL.fullmatch(text) and _OLD_HEADER.fullmatch(following))


def _kind(kind: Kind, text: str, following: str) -> Kind:
    """What a line is, from what the line before it was."""
    if _PATCH_START.match(text) or (kind is Kind.PATCH and _PATCH_LINE.match(text)):
        return Kind.PATCH
    if _DIFFSTAT.fullmatch(text):
        return Kind.PATCH
    if _ATTRIBUTION.fullmatch(text) or _ATTRIBUTION.fullmatch(f"{text} {following}"):
        return Kind.ATTRIBUTION
    if kind is Kind.ATTRIBUTION and text.endswith(("wrote:", "schrieb:")):
        return Kind.ATTRIBUTION
    return Kind.TEXT
