"""A screen as a picture: SVG that needs no font, style or script from elsewhere."""

from collections.abc import Iterator
from html import escape
from itertools import groupby

from pyte.screens import Char
from wcwidth import wcwidth

from ubtest.console.screen import Page

WIDTH, HEIGHT = 8, 17  # of a cell, in pixels
BASELINE, MARGIN, TITLE = 13, 8, 24

# pyte's names; yellow is "brown" there. Each on a light ground and on a dark one.
_COLOURS = {
    "black": ("#000000", "#5c6370"),
    "red": ("#b3261e", "#ff7b72"),
    "green": ("#1a7f37", "#56d364"),
    "brown": ("#8a6100", "#e3b341"),
    "blue": ("#0550ae", "#79c0ff"),
    "magenta": ("#8250df", "#d2a8ff"),
    "cyan": ("#0b7285", "#56d4dd"),
    "white": ("#6e7781", "#e6edf3"),
}
_GROUND, _INK = ("#ffffff", "#0d1117"), ("#1f2328", "#e6edf3")


def _styled(mode: int) -> str:
    """The style sheet for a light (0) or dark (1) surrounding."""
    ground, ink = _GROUND[mode], _INK[mode]
    rules = [f".g{{fill:{ground}}}.f{{fill:{ink}}}.c{{fill:none;stroke:{ink}}}"]
    rules += [f".{name}{{fill:{pair[mode]}}}" for name, pair in _COLOURS.items()]
    return "".join(rules)


_STYLE = (
    "text{font:14px ui-monospace,monospace;white-space:pre}.b{font-weight:bold}"
    f"{_styled(0)}@media(prefers-color-scheme:dark){{{_styled(1)}}}"
)


def picture(page: Page, title: str) -> str:
    """One screen under its title."""
    return beside((page, title))


def beside(*shown: tuple[Page, str]) -> str:
    """Screens side by side, each with its title: what came and what was expected."""
    sizes = [_size(page, title) for page, title in shown]
    width, height = sum(w for w, _ in sizes), max(h for _, h in sizes)
    pieces = []
    left = 0
    for (page, title), (wide, _) in zip(shown, sizes, strict=True):
        pieces.append(f'<svg x="{left}">{"".join(_drawn(page, title))}</svg>\n')
        left += wide
    what = escape(" | ".join(title for _, title in shown))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">\n'
        f"<title>{what}</title>\n<style>{_STYLE}</style>\n"
        f'<rect class="g" width="{width}" height="{height}"/>\n{"".join(pieces)}</svg>\n'
    )


def _size(page: Page, title: str) -> tuple[int, int]:
    columns = max(len(title), *(len(row) for row in page.rows))
    return columns * WIDTH + 2 * MARGIN, len(page.rows) * HEIGHT + TITLE + MARGIN


def _drawn(page: Page, title: str) -> Iterator[str]:
    yield _text(MARGIN, MARGIN + BASELINE - 4, title, "f b")
    yield "\n"
    rows, columns = len(page.rows), max(len(row) for row in page.rows)
    yield _box(MARGIN - 2, TITLE - 2, columns * WIDTH + 4, rows * HEIGHT + 4, "c") + "\n"
    for number, row in enumerate(page.rows):
        top = TITLE + number * HEIGHT
        column = 0
        for look, cells in groupby(row, key=lambda cell: cell._replace(data="")):
            run = list(cells)
            yield from _run(MARGIN + column * WIDTH, top, run, look)
            column += len(run)
    if page.cursor is not None:
        line, column = page.cursor
        yield _box(MARGIN + column * WIDTH, TITLE + line * HEIGHT, WIDTH, HEIGHT, "c") + "\n"


def _run(left: int, top: int, cells: list[Char], look: Char) -> Iterator[str]:
    """Neighbours of one look: their ground, where it is not the page's, and their text."""
    ink, ground = _class(look.fg, "f"), _class(look.bg, "g")
    if look.reverse:
        ink, ground = ground, ink
    if ground != "g":
        yield _box(left, top, len(cells) * WIDTH, HEIGHT, ground) + "\n"
    text = "".join(cell.data for cell in cells)
    if text.strip():
        before = len(text) - len(text.lstrip())
        style = f"{ink} b" if look.bold else ink
        yield _text(left + before * WIDTH, top + BASELINE, text.strip(), style) + "\n"


def _class(colour: str, default: str) -> str:
    """Colours beyond the eight names are shown as the nearest thing that is readable: default."""
    name = colour.removeprefix("bright")
    return name if name in _COLOURS else default


def _box(x: int, y: int, width: int, height: int, style: str) -> str:
    return f'<rect class="{style}" x="{x}" y="{y}" width="{width}" height="{height}"/>'


def _text(x: int, y: int, text: str, style: str) -> str:
    """Text as wide as its cells, whatever font the viewer has."""
    width = sum(max(wcwidth(char), 0) for char in text) * WIDTH
    return (
        f'<text class="{style}" x="{x}" y="{y}" textLength="{width}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )
