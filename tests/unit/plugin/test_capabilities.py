"""What a test needs, against what firmware and board have."""

import pytest

from ubtest.errors import CaseError
from ubtest.firmware.config import Kconfig
from ubtest.plugin.capabilities import Capabilities

HERE = Capabilities(
    Kconfig.parse("CONFIG_A=y\n# CONFIG_B is not set\n"),
    frozenset({"flash-readback", "PROMISED"}),
    {"new-thing": True, "newer-thing": False},
)


@pytest.mark.parametrize(
    "needed", [("A",), ("!B",), ("flash-readback",), ("new-thing",), ("A", "!C"), ()]
)
def test_what_is_there_is_not_missing(needed):
    assert HERE.missing(needed) is None


@pytest.mark.parametrize(
    ("needed", "reason"),
    [
        (("B",), "the firmware lacks CONFIG_B"),
        (("!A",), "the firmware has CONFIG_A"),
        (("newer-thing",), "this version of U-Boot has no newer-thing"),
        (("usb-hotplug",), "the board lacks usb-hotplug"),
        (("A", "B", "usb"), "the firmware lacks CONFIG_B; the board lacks usb"),
    ],
)
def test_the_reason_names_it(needed, reason):
    assert HERE.missing(needed) == reason


def test_a_broken_promise_is_the_boards_fault():
    with pytest.raises(CaseError, match="promises what the firmware lacks: CONFIG_PROMISED"):
        HERE.missing(("PROMISED",))


def test_what_was_asked_is_remembered():
    here = Capabilities(Kconfig.parse("CONFIG_A=y\n"), frozenset())
    here.missing(("A", "B"))
    assert here.asked == {"A": True, "B": False}
