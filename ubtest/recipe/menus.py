"""The menu that a recipe has open, from the step that opens it to its return."""

import re

from ubtest.console.session import ERASE_LINE
from ubtest.errors import CaseError, FirmwareCrash, FirmwareError
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.recipe.outcome import StepOutcome
from ubtest.recipe.steps import Menu, Press
from ubtest.uefi.menu import Menu as MenuCommand


class OpenMenu:
    """At most one menu; what it shows and what its command returns are outputs of steps."""

    def __init__(self, uboot: UBootConsoleDriver) -> None:
        self._uboot = uboot
        self._menu: MenuCommand | None = None

    def open(self, step: Menu) -> StepOutcome:
        """Type the line and wait until the menu is drawn."""
        self._menu = MenuCommand(self._uboot, step.menu, timeout=step.timeout)
        self._menu.__enter__()
        return self._shown(step, step.until)

    def press(self, step: Press) -> StepOutcome:
        """Press keys; none where the menu has ended by itself, for they would be typed at the
        prompt."""
        if self._menu is None:
            return StepOutcome(step, "the menu has ended")
        self._menu.press(*(key.encode() if isinstance(key, str) else key for key in step.press))
        if not step.until:
            return StepOutcome(step)
        return self._shown(step, step.until)

    def leave(self) -> None:
        """Wait for the end of the command.

        :raises FirmwareError: it does not return.
        """
        if self._menu is not None:
            self._end(self._menu)

    def abandon(self) -> None:
        """The board goes off."""
        if self._menu is not None:
            self._menu.__exit__(CaseError, CaseError("the board goes off"), None)
            self._menu = None

    def _shown(self, step: Menu | Press, until: str) -> StepOutcome:
        menu = self._menu
        assert menu is not None
        wanted = re.compile(until, re.MULTILINE)
        try:
            menu.expect(lambda page: wanted.search(page.text) is not None, f"`{until}`")
        except FirmwareCrash:
            raise
        except FirmwareError:
            pass  # what is there instead is for the expectations to judge
        text = menu.page.text
        if not self._uboot.session.ended:
            return StepOutcome(step, text)
        status = self._end(menu)
        return StepOutcome(step, text, status)

    def _end(self, menu: MenuCommand) -> int | None:
        status = menu.reply().status
        menu.__exit__(None, None, None)
        self._menu = None
        self._uboot.session.press(ERASE_LINE)  # the rest of a torn key may stand at the prompt
        return status
