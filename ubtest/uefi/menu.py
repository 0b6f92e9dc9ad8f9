"""A menu of U-Boot on a terminal: open it, press keys, wait until it has drawn what must be."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from itertools import takewhile
from types import TracebackType
from typing import Self

from pyte.screens import Char

from ubtest.console.reply import Reply
from ubtest.console.screen import Page, Screen
from ubtest.deadline import Deadline
from ubtest.errors import CaseError, FirmwareError, LabError
from ubtest.lab.uboot import UBootConsoleDriver

UP, DOWN = b"\x1b[A", b"\x1b[B"
ENTER, ESC, SPACE = b"\r", b"\x1b", b" "
CTRL_C, CTRL_S = b"\x03", b"\x13"
PLUS, MINUS = b"+", b"-"

FIRST_ROW, LEFT = 3, 6  # where the entries start: cmd/bootmenu.c and cmd/eficonfig.c agree
OTHER_ROWS = 8  # of the screen that eficonfig keeps for other than entries
LAST_TITLES = ("Exit", "Quit", "U-Boot console")  # one of them ends every menu
_COUNTDOWN = re.compile(r"Hit any key to stop autoboot: (\d+)")


class Menu:
    """One command that draws a menu, from the first screen to its return.

    Leave the menu by its keys and take the :meth:`reply`; ``with`` ends the drawing.

    :param line: the command.
    :param rows: of the terminal; the firmware asks for it once, when its EFI part starts.
    :param timeout: seconds that one screen may take.
    :ivar seen: every screen that was waited for, with what it was to show.
    :ivar wanted: what the last wait was for.
    """

    def __init__(
        self,
        uboot: UBootConsoleDriver,
        line: str,
        *,
        rows: int = 24,
        columns: int = 80,
        timeout: float = 5,
    ) -> None:
        self._session = uboot.session
        self._bytewise = uboot.bytewise
        self.line = line
        self._screen = Screen(rows, columns)
        self._timeout = timeout
        self._stack = ExitStack()
        self._open = False
        self.seen: list[tuple[Page, str]] = []
        self.wanted = ""

    def __enter__(self) -> Self:
        self._stack.enter_context(self._session.displayed(self._screen))
        self._session.start(self.line)
        self._open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()
        if self._open and error is None:
            raise CaseError(
                f"the test left `{self.line}` open",
                next_step="leave the menu by a key and take its reply()",
            )

    @property
    def page(self) -> Page:
        """What the terminal shows now, drawn or not."""
        return self._screen.page

    def press(self, *keys: bytes | float) -> None:
        """Press keys one after another; what they do is to be waited for.

        :param keys: a number is a pause, for keys that arrive torn: see :meth:`Session.press`.
        """
        self._session.press(*keys)

    def expect(self, condition: Callable[[Page], bool], wanted: str) -> Page:
        """Wait until the menu is drawn and its screen is as it must be.

        :param wanted: that, in words.
        :raises FirmwareError: it did not become so in time, or the menu ended.
        :raises LabError: it ended because the answer to its size query came too late, or because
            the line tore a key.
        """
        if not self._comes(condition, wanted):
            if self._session.answered_late():
                raise LabError(
                    f"`{self.line}` took the terminal's size for keys: the answer came too late",
                    next_step="run the test again when the machine has less to do",
                    tail=self.page.text,
                )
            if self._bytewise and self._session.tore_a_key():
                raise LabError(
                    f"`{self.line}` got an arrow key torn apart, by a line that is `bytewise`",
                    next_step="run the test again when the machine has less to do",
                    tail=self.page.text,
                )
            raise self._not_shown("the menu ended")
        return self.page

    def comes_to(self, title: str) -> bool:
        """Whether this entry is highlighted, or the menu ends: for keys that may do either."""
        return self._comes(lambda page: page.highlighted == title, f"`{title}` highlighted")

    def _comes(self, condition: Callable[[Page], bool], wanted: str) -> bool:
        self.wanted = wanted

        def shown() -> bool:
            page = self._screen.page
            return at_rest(page, self._screen.cursor) and condition(page)

        found = self._session.until(shown, Deadline(self._timeout))
        if not found and not self._session.ended:
            raise self._not_shown(f"not within {self._timeout:g} s")
        page = self.page
        if found and (not self.seen or self.seen[-1][0] != page):
            self.seen.append((page, wanted))
        return found

    def _not_shown(self, why: str) -> FirmwareError:
        return FirmwareError(
            f"`{self.line}` must show {self.wanted}: {why}, the screen is", tail=self.page.text
        )

    def highlights(self, title: str) -> Page:
        """Wait until this entry is the highlighted one."""
        return self.expect(lambda page: page.highlighted == title, f"`{title}` highlighted")

    def move_to(self, title: str) -> Page:
        """Move the highlighted line to an entry, with as many keys as it is away.

        :raises FirmwareError: there is no such entry, or it cannot be reached.
        """
        page = self.expect(lambda page: page.highlighted is not None, "a highlighted entry")
        titles, highlighted = entries(page), page.highlighted_row
        if title in titles and highlighted is not None:
            steps = titles.index(title) - (highlighted - FIRST_ROW)
            self.press(*[DOWN if steps > 0 else UP] * abs(steps))
        return self.highlights(title)

    def choose(self, title: str) -> None:
        """Move to an entry and press Enter."""
        self.move_to(title)
        self.press(ENTER)

    def shows(self, *texts: str) -> Page:
        """Wait until each of these texts is somewhere on the screen."""
        return self.expect(
            lambda page: all(any(text in line for line in page.lines) for text in texts),
            " and ".join(f"`{text}`" for text in texts),
        )

    def insist(self, key: bytes, shown: str) -> None:
        """Press a key again and again until it shows, at the end of the line with the cursor.

        For a place where the firmware throws away what was typed before it asked, and does so
        after it has drawn: lib/efi_loader/efi_console.c, efi_console_get_u16_string.

        :raises FirmwareError: no key shows.
        """

        def shows() -> bool:
            row, column = self._screen.cursor
            return self.page.lines[row][:column].endswith(shown)

        deadline = Deadline(self._timeout)
        self.wanted = f"the key `{shown}`"
        while not deadline.expired:
            self.press(key)
            if self._session.until(shows, Deadline(min(deadline.left, 0.5))):
                return
        raise self._not_shown(f"not within {self._timeout:g} s")

    def ends_within(self, seconds: float) -> bool:
        """Whether the menu ends by itself: for what must not happen when time passes."""
        self._session.until(lambda: False, Deadline(seconds))
        return self._session.ended

    def reply(self, *, timeout: float = 10, may_reset: bool = False) -> Reply:
        """Wait for the end of the command that drew the menu.

        :raises FirmwareError: it did not return.
        """
        reply = self._session.finish(timeout=timeout, may_reset=may_reset)
        self._open = False
        return reply


def entries(page: Page) -> tuple[str, ...]:
    """The titles from top to bottom."""
    lines = page.lines[FIRST_ROW:]
    return tuple(line[LEFT:] for line in takewhile(bool, lines))


def countdown(page: Page) -> int | None:
    """Seconds until the default is taken; None when nothing is counted."""
    found = _COUNTDOWN.search("\n".join(page.lines))
    return int(found[1]) if found else None


def at_rest(page: Page, cursor: tuple[int, int]) -> bool:
    """The firmware has drawn the whole screen and waits for a key.

    It draws from the top to the last entry, or to the countdown below, and leaves the cursor
    behind what it drew last: no time is involved. Where there are more entries than lines, the
    title in the last line may still grow.
    """
    row, column = cursor
    line = page.lines[row]
    if _COUNTDOWN.search(line) or not line:
        above = page.lines[row - 2] if row >= FIRST_ROW + 2 else ""
        behind = column > _width(page.rows[row]) if line else column == 0  # a blank ends the number
        return above[LEFT:] in LAST_TITLES and behind
    if column < _width(page.rows[row]):
        return False
    last_visible = row == FIRST_ROW + len(page.rows) - OTHER_ROWS - 1
    asked = any("Press ENTER to complete" in line for line in page.lines)
    return (
        line[LEFT:] in LAST_TITLES
        or (last_visible and line.startswith(" " * LEFT))
        or (row == FIRST_ROW and asked)
        or line.endswith("Press any key to continue")
    )


def _width(row: tuple[Char, ...]) -> int:
    """Cells up to the last one that holds text; a wide character fills two."""
    return max((x for x, cell in enumerate(row, 1) if cell.data != " "), default=0)
