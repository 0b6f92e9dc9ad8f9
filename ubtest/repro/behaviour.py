"""What a report says should happen, and what happens instead: sentences of its prose."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from ubtest.repro.message import Evidence, Found, Kind, Line, Message, Part, evidence_of
from ubtest.repro.prompt import typed
from ubtest.repro.prose import is_prose

_HEADING = re.compile(
    r"[\s*#]*(?P<expected>Expected(?: behaviou?r| results?| output)?|Erwartet(?:es Verhalten)?"
    r"|期待.{0,6})[\s*]*[::][\s*]*(?P<rest>.*)"
    r"|[\s*#]*(?P<actual>(?:Actual|Observed|Current)(?: behaviou?r| results?| output)?|What happens"
    r"|Tatsächlich(?:es Verhalten)?|実際.{0,6})[\s*]*[::][\s*]*(?P<rest2>.*)",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    r"\b(?:you|we|should i|should have been|patch should|let me know)\b", re.IGNORECASE
)
_EXPECTED = re.compile(
    r"\bshould\b|\bexpect(?:ed|ing)?\b|\bsupposed to\b|\bought to\b|\bmust (?:not )?be\b"
    r"|\bsollten?\b|\berwarte[nt]?\b|\bmüss(?:te|en)\b|はず|べき|期待",
    re.IGNORECASE,
)
_ACTUAL = re.compile(
    r"\binstead\b|\bfail(?:s|ed|ure|ing)?\b|\b(?:does|do|did|is|are) ?n[o']t\b"
    r"|\bcan ?not\b|\bcan't\b"
    r"|\bhangs?\b|\bcrash\w*|\bno longer\b"
    r"|\bonly (?:one|the first)\b|\berrors?\b|\bignored\b"
    r"|\bmissing\b|\bwrong\b|\bnothing happens\b|\bresets?\b|\brefuse[sd]?\b|\bbroken\b"
    r"|\bstattdessen\b|\bschlägt\b|\bfehl\w*|\bgeht nicht\b|\bwird nicht\b|\bbleibt\b|\bkeine?n?\b"
    r"|失敗|できません|できない|なりません|ありません|エラー|見えません",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+(?=[A-ZÄÖÜ\"'(])|(?<=[。!?])\s*")


@dataclass(frozen=True)
class Behaviour:
    """The sentences that say what should be and what is."""

    expected: tuple[Found, ...]
    actual: tuple[Found, ...]


def behaviour_of(message: Message, within: frozenset[tuple[str, int]]) -> Behaviour:
    """Sentences of the report itself; of a mail that answers one, only what it quotes.

    :param within: part and number of lines that are no prose, as transcripts are none.
    """
    expected: list[Found] = []
    actual: list[Found] = []
    is_reply = any(line.kind is Kind.ATTRIBUTION for part in message.parts for line in part.lines)
    for part in message.parts:
        if part.name:
            continue
        for paragraph in _paragraphs(part, within):
            if is_reply and not paragraph[0].depth:
                continue
            _read(paragraph, message, part, expected, actual)
    return Behaviour(tuple(expected), tuple(actual))


def _paragraphs(part: Part, within: frozenset[tuple[str, int]]) -> Iterator[list[Line]]:
    """Lines of prose without an empty line or anything else between them."""

    def key(line: Line) -> tuple[bool, int]:
        prose = (
            line.kind is Kind.TEXT and bool(line.text) and (part.name, line.number) not in within
        )
        return prose and not typed(line.text), line.depth

    for (prose, _), run in groupby(part.lines, key=key):
        if prose:
            yield list(run)


def _read(
    paragraph: list[Line], message: Message, part: Part, expected: list[Found], actual: list[Found]
) -> None:
    under: list[Found] | None = None
    for text, line in _sentences(paragraph):
        where = evidence_of(message, part, line)
        if heading := _HEADING.fullmatch(text):
            under = expected if heading["expected"] else actual
            _add(under, heading["rest"] or heading["rest2"] or "", where)
        elif under is not None:
            _add(under, text, where)
        elif is_prose(text) and not _ADVICE.search(text) and not text.endswith("?"):
            if _EXPECTED.search(text):
                _add(expected, text, where)
            elif _ACTUAL.search(text):
                _add(actual, text, where)


def _add(found: list[Found], text: str, where: Evidence) -> None:
    if text.strip():
        found.append(Found(text.strip(), where))


def _sentences(paragraph: list[Line]) -> Iterator[tuple[str, Line]]:
    """Each sentence with the line in which it begins. A heading is a sentence."""
    pieces: list[str] = []
    first = paragraph[0]
    for line in paragraph:
        if _HEADING.fullmatch(line.text) and pieces:
            yield _put_together(pieces), first
            pieces.clear()
        for piece in _SENTENCE_END.split(line.text):
            if not piece.strip():
                continue
            if not pieces:
                first = line
            pieces.append(piece.strip())
            if piece.rstrip().endswith((".", "!", "?", ":", "。", "!", "?")) and not (
                line.text.endswith(piece) and piece.endswith(":") and len(pieces) == 1
            ):
                yield _put_together(pieces), first
                pieces.clear()
    if pieces:
        yield _put_together(pieces), first


def _put_together(pieces: list[str]) -> str:
    """One line of text; between Japanese letters no space is put."""
    text = " ".join(pieces)
    return re.sub(r"(?<=[\u3000-\u9fff\uff00-\uff9f]) (?=[\u3000-\u9fff\uff00-\uff9f])", "", text)
