"""Telling what a person wrote from what a machine printed."""

import re

_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a an and are as at be but by can could do does for from have here i if in is it its my not
        now of on or same should so that the then there this to was we when which with without
        would you
        aber auch auf bei das dass dem den der die dort ein eine er es habe haben hier ich im ist
        kann mit nach nicht nichts noch obwohl sie sollte und wenn wir wird wurde zu
        """,
    )
)
_WORD = re.compile(r"[^\W\d_][\w'`\u2019-]*")
_PLAIN_WORD = re.compile(
    r"""["'(`*]*[^\W\d_][^\W_'\u2019-]*(?:['\u2019-][^\W\d_]+)*["')`*]*[.,:;?!]*"""
)
_GREETING = re.compile(
    r"(?:hi|hello|dear|thanks|thank you|regards|best|kind regards|cheers|hallo|danke|gru(?:ß|ss)"
    r"|viele gr(?:ü|ue)(?:ß|ss)e|mit freundlichen|moin)\b.{0,40}",
    re.IGNORECASE,
)
_HIRAGANA = re.compile(r"[\u3041-\u3096]")
_MACHINE = re.compile(r"^\[ *\d|0x[0-9a-f]{4}|\S {3,}\S|[{}<>|=]{2}|^[#$%] |^\S+: \S+=|\\$")


def is_prose(text: str) -> bool:
    """Whether a line is a sentence, or a part of one."""
    text = text.strip()
    if _GREETING.fullmatch(text) or len(_HIRAGANA.findall(text)) >= 2:
        return True
    words = text.split()
    if len(words) < 2 or _MACHINE.search(text):
        return False
    plain = sum(bool(_PLAIN_WORD.fullmatch(word)) for word in words)
    function = sum(word.lower() in _FUNCTION_WORDS for word in _WORD.findall(text))
    return plain * 3 >= len(words) * 2 and function >= 1
