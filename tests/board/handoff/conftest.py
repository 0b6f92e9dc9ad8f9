"""What the handoff tests share: boots of Linux that are judged and not changed."""

from collections.abc import Callable

import pytest
from handoff_plans import PLAIN, RICH, Plan

from ubtest.errors import UbtestError
from ubtest.formats.varstore import Variable
from ubtest.handoff.handed import Handoff, hand_over
from ubtest.kernel.bundle import find
from ubtest.lab.linux_boot import LinuxBoot
from ubtest.uefi import variables

MADE: pytest.StashKey[dict[Plan, Handoff | UbtestError]] = pytest.StashKey()


@pytest.fixture
def handed_over(request: pytest.FixtureRequest) -> Callable[[Plan], Handoff]:
    """Makes a boot, or gives the one that another test has made; one that failed fails again."""
    made = request.session.stash.setdefault(MADE, {})

    def handed_over(plan: Plan) -> Handoff:
        if plan not in made:
            try:
                made[plan] = _boot(request, plan)
            except UbtestError as error:
                made[plan] = error
        found = made[plan]
        if isinstance(found, UbtestError):
            raise found
        return found

    return handed_over


def _boot(request: pytest.FixtureRequest, plan: Plan) -> Handoff:
    board = request.getfixturevalue("board")
    results = request.getfixturevalue("results")
    board.off()  # another plan of the same test may have left it on
    board.machine.shape(devices=(*board.machine.declared_devices, *plan.devices))
    kernel = find(plan.kernel) if plan.kernel else request.getfixturevalue("kernel")
    linux = LinuxBoot(kernel, plan.through, plan.arguments, plan.tree, plan.commands)
    found = hand_over(board, linux)
    found.survey.save(results.folder / "handoff.tar.gz")
    return found


@pytest.fixture
def plain(handed_over) -> Handoff:
    """The board as it is, through the EFI boot manager."""
    return handed_over(PLAIN)


@pytest.fixture
def rich(handed_over) -> Handoff:
    """The same with much in the tree that the kernel has to respect."""
    return handed_over(RICH)


@pytest.fixture
def held_variables() -> Callable[[Handoff], tuple[Variable, ...]]:
    """The variables that U-Boot had right before it handed over."""
    return lambda handoff: variables.parse(handoff.held("variables"))
