"""The board's PCI devices as VFIO sees them on the good tree: probed once for many tests."""

import pytest

from ubtest.handoff.binding import examine
from ubtest.handoff.explanation import Explanation, Verdict, explain

E1000E, NET, EDU = "0000:00:10.0", "0000:00:11.0", "0000:00:12.0"
DISK = "0000:00:03.0"
_MADE: pytest.StashKey[Explanation] = pytest.StashKey()


def examined(request: pytest.FixtureRequest) -> Explanation:
    """The explanation of :data:`EDU` and :data:`E1000E`."""
    stash = request.session.stash
    if _MADE not in stash:
        shell = request.getfixturevalue("linux")
        survey = examine(shell, (EDU, E1000E))
        survey.save(request.getfixturevalue("results").folder / "survey.tar.gz")
        stash[_MADE] = explain(survey, (EDU, E1000E))
    return stash[_MADE]


def verdict_of(explanation: Explanation, name: str) -> Verdict:
    return next(each for each in explanation.verdicts if each.facts.device.name == name)
