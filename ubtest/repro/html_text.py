"""The text of an HTML mail, laid out so that transcripts in it are lines again."""

import re
from collections.abc import Iterator
from html import unescape

_TAG = re.compile(r"""<(/?[A-Za-z][A-Za-z0-9]*)(?:"[^"<]*+"|'[^'<]*+'|[^<>"'])*+>""")
_BLOCKS = frozenset(
    {"address", "article", "blockquote", "body", "dd", "div", "dl", "dt", "fieldset", "footer"}
    | {"form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre"}
    | {"section", "table", "td", "th", "tr", "ul"}
)
_SPACED = frozenset({"p", "pre", "h1", "h2", "h3", "blockquote", "ul", "ol", "table"})
_HIDDEN = frozenset({"head", "script", "style", "template", "title"})
_SPACE = re.compile(r"[ \t\r\n\f]+")
_DEEPEST = 20


def text_of_html(html: str) -> str:
    """Lines of text; what stands in <blockquote> is quoted with `> `.

    Not `html.parser`, which takes time that grows with the square of an unclosed comment or tag
    (90 s for 256 KiB): here each character is looked at once.
    """
    reader = _Reader()
    for tag, text in _tokens(html):
        if tag.startswith("/"):
            reader.end(tag[1:])
        elif tag:
            reader.start(tag)
        else:
            reader.data(_unescaped(text))
    return "\n".join(reader.lines()).strip("\n") + "\n"


def _tokens(html: str) -> Iterator[tuple[str, str]]:
    """Tags as ("p", "") or ("/p", ""), text as ("", TEXT).

    A comment without an end hides the rest.
    """
    place = 0
    while place < len(html):
        if html.startswith(("<!", "<?"), place):
            end = "-->" if html.startswith("<!--", place) else ">"
            found = html.find(end, place)
            if found < 0:
                return
            place = found + len(end)
        elif tag := _TAG.match(html, place):
            yield tag[1].lower(), ""
            place = tag.end()
        else:
            found = html.find("<", place + 1)
            found = len(html) if found < 0 else found
            yield "", html[place:found]
            place = found


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a number of more digits than Python reads
        return text


class _Reader:
    """Collects lines; whitespace counts only in <pre>."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._hidden = ""  # the element that is not shown, and all in it
        self._pre = 0
        self._quotes = 0

    def lines(self) -> list[str]:
        self._end_line()
        return self._lines

    def start(self, tag: str) -> None:
        if self._hidden:
            return
        if tag in _HIDDEN:
            self._hidden = tag
        elif tag == "br":
            self._end_line(even_empty=True)
        elif tag in _BLOCKS:
            self._end_line()
            self._space(tag)
        if tag == "pre":
            self._pre += 1
        elif tag == "blockquote":
            self._quotes += 1

    def end(self, tag: str) -> None:
        if self._hidden:
            self._hidden = "" if tag == self._hidden else self._hidden
            return
        if tag in _BLOCKS:
            self._end_line()
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        if tag in _BLOCKS:
            self._space(tag)

    def data(self, data: str) -> None:
        if self._hidden:
            return
        if not self._pre:
            self._line.append(_SPACE.sub(" ", data))
            return
        first, *others = data.replace("\r\n", "\n").split("\n")
        self._line.append(first)
        for line in others:
            self._end_line(even_empty=True)
            self._line.append(line)

    def _end_line(self, *, even_empty: bool = False) -> None:
        text = "".join(self._line)
        text = text.rstrip() if self._pre else _SPACE.sub(" ", text).strip(" ")
        self._line.clear()
        if text or even_empty:
            self._lines.append("> " * min(self._quotes, _DEEPEST) + text)

    def _space(self, tag: str) -> None:
        """An empty line around what a browser sets apart."""
        marks = "> " * min(self._quotes, _DEEPEST)
        if tag in _SPACED and self._lines and self._lines[-1] != marks:
            self._lines.append(marks)
