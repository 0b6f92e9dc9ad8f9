"""The boot manager (UEFI 2.10 section 3.1): which option starts, with what, and what stays."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from ubtest.formats.loadopt import ACTIVE, HIDDEN
from ubtest.formats.status import ABORTED
from ubtest.formats.varstore import BOOTSERVICE_ACCESS, RUNTIME_ACCESS
from ubtest.probe.orders import Orders
from ubtest.uefi import variables
from ubtest.uefi.boot import started
from ubtest.uefi.boot_plan import BootPlan, Entry, machine_of
from ubtest.uefi.planned import Planned, order_of

pytestmark = pytest.mark.needs("CMD_BOOTEFI_BOOTMGR", "CMD_NVEDIT_EFI", "EFI_VARIABLE_FILE_STORE")

STARTS = Entry()
RETURNS_ERROR = Entry(exit=ABORTED)
NO_FILE = Entry(file="none")
NO_DISK = Entry(disk="a disk that is not there")
NO_PROGRAM = Entry(file="text")
OTHER_MACHINE = Entry(file="other machine")
INACTIVE = Entry(attributes=0)
CUT = Entry(value=BootPlan({1: STARTS}).option(1).pack()[:40])  # ends inside the device path


@dataclass(frozen=True)
class Case:
    """What the boot manager is given, and the options that start, one after the other.

    :param starts: numbers of options; the last one started is BootCurrent afterwards.
    :param quick: runs without --slow.
    """

    entries: Mapping[int, Entry]
    order: tuple[int, ...] | None
    starts: tuple[int, ...]
    next: int | None = None
    quick: bool = False
    bug: str | None = None

    @property
    def plan(self) -> BootPlan:
        return BootPlan(self.entries, self.order, self.next)


BOTH = {1: STARTS, 2: STARTS}
CASES = {
    # BootOrder
    "the first of the order": Case(BOTH, (1, 2), starts=(1,), quick=True),
    "the order, not the number": Case(BOTH, (2, 1), starts=(2,)),
    "high numbers": Case({0xBEEF: STARTS, 0xFFFF: STARTS}, (0xFFFF, 0xBEEF), starts=(0xFFFF,)),
    "not in the order": Case({1: STARTS, 2: NO_FILE}, (2,), starts=()),
    "no order": Case(BOTH, None, starts=()),
    "an empty list": Case({}, None, starts=()),
    # an option that cannot start, before one that can
    "no such option": Case({2: STARTS}, (1, 2), starts=(2,)),
    "no such file": Case({1: NO_FILE, 2: STARTS}, (1, 2), starts=(2,), quick=True),
    "no such disk": Case({1: NO_DISK, 2: STARTS}, (1, 2), starts=(2,)),
    "no program": Case({1: NO_PROGRAM, 2: STARTS}, (1, 2), starts=(2,)),
    "for another processor": Case({1: OTHER_MACHINE, 2: STARTS}, (1, 2), starts=(2,)),
    "inactive": Case({1: INACTIVE, 2: STARTS}, (1, 2), starts=(2,), quick=True),
    "an option without a path": Case({1: CUT, 2: STARTS}, (1, 2), starts=(2,)),
    "an option of no bytes but one": Case({1: Entry(value=b"\1"), 2: STARTS}, (1, 2), starts=(2,)),
    "hidden": Case({1: Entry(attributes=ACTIVE | HIDDEN), 2: STARTS}, (1, 2), starts=(1,)),
    # the same where nothing follows
    "exhausted": Case(
        {1: NO_FILE, 2: NO_DISK, 3: NO_PROGRAM, 4: OTHER_MACHINE, 5: INACTIVE, 6: CUT},
        (1, 2, 3, 4, 5, 6, 7),
        starts=(),
        quick=True,
    ),
    # an image that returns
    "it returns success": Case(BOTH, (1, 2), starts=(1,)),
    "it returns an error": Case(
        {1: RETURNS_ERROR, 2: STARTS},
        (1, 2),
        starts=(1, 2),
        quick=True,
        bug="next-option-not-tried",
    ),
    "all return an error": Case(
        {1: RETURNS_ERROR, 2: RETURNS_ERROR},
        (1, 2),
        starts=(1, 2),
        bug="next-option-not-tried",
    ),
    "the last returns an error": Case({1: NO_FILE, 2: RETURNS_ERROR}, (1, 2), starts=(2,)),
    # many
    "twice in the order": Case({1: NO_FILE, 2: STARTS}, (1, 1, 2, 1, 2), starts=(2,)),
    "twice, and it starts": Case(BOTH, (2, 2, 1), starts=(2,)),
    "the last of a hundred": Case(
        {n: Entry(form="file", file="none") for n in range(1, 100)} | {100: STARTS},
        tuple(range(1, 101)),
        starts=(100,),
    ),
    "a hundred that cannot start": Case(
        {n: Entry(form="file", file="none") for n in range(1, 101)},
        tuple(range(1, 101)),
        starts=(),
    ),
    # BootNext
    "next before the order": Case(BOTH, (1, 2), next=2, starts=(2,), quick=True),
    "next is not in the order": Case(BOTH, (1,), next=2, starts=(2,)),
    "next without an order": Case(BOTH, None, next=2, starts=(2,)),
    "next is not there": Case(BOTH, (1, 2), next=9, starts=(1,)),
    "next has no file": Case({1: STARTS, 2: NO_FILE}, (1, 2), next=2, starts=(1,), quick=True),
    "next has no disk": Case({1: STARTS, 2: NO_DISK}, (1, 2), next=2, starts=(1,)),
    "next is inactive": Case({1: STARTS, 2: INACTIVE}, (1, 2), next=2, starts=(1,)),
    "next returns an error": Case(
        {1: STARTS, 2: RETURNS_ERROR},
        (1,),
        next=2,
        starts=(2, 1),
        bug="next-option-not-tried",
    ),
    "next cannot start, nor can the order": Case({1: NO_FILE, 2: NO_FILE}, (1,), next=2, starts=()),
    # forms of the path (section 3.1.2)
    "a file alone": Case({1: Entry(form="file"), 2: STARTS}, (1, 2), starts=(1,)),
    "a file alone, not there": Case(
        {1: Entry(form="file", file="none"), 2: STARTS}, (1, 2), starts=(2,)
    ),
    "a partition alone": Case({1: Entry(form="partition"), 2: STARTS}, (1, 2), starts=(1,)),
    "a partition without the default file": Case(
        {1: Entry(form="partition", file="none"), 2: STARTS}, (1, 2), starts=(2,)
    ),
    "a partition with another processor's default file": Case(
        {1: Entry(form="partition", file="other name"), 2: STARTS}, (1, 2), starts=(2,)
    ),
    # an initrd that is not there
    "no such initrd": Case({1: Entry(initrd=b""), 2: STARTS}, (1, 2), starts=(2,)),
}


def check_variables(made: Planned, last: int | None) -> None:
    """Options and order are what was planted; the firmware's own come behind; BootNext is gone."""
    now = made.now()
    for planted in made.plan.variables():
        if planted.name not in ("BootOrder", "BootNext"):
            assert planted.name in now
            assert now[planted.name].data == planted.data
    order = order_of(now)
    planted_order = list(made.plan.order or ())
    assert order[: len(planted_order)] == planted_order
    assert not set(order[len(planted_order) :]) & set(made.plan.entries)
    assert "BootNext" not in now
    if made.plan.next is not None:
        assert "BootNext" not in made.stored()
    if last is not None:
        assert "BootCurrent" in now
        assert int.from_bytes(now["BootCurrent"].data, "little") == last
        attributes = now["BootCurrent"].attributes & ~variables.READ_ONLY
        assert attributes == BOOTSERVICE_ACCESS | RUNTIME_ACCESS


def _case(name: str) -> object:
    case = CASES[name]
    marks = [] if case.quick else [pytest.mark.slow]
    marks += [pytest.mark.known_bug(case.bug)] if case.bug else []
    return pytest.param(case, id=name, marks=marks)


@pytest.mark.parametrize("case", [_case(name) for name in CASES])
def test_boot(case, planned, firmware):
    made = planned(case.plan)
    tried = made.boot()
    assert made.options_of(tried) == list(case.starts)
    for number, facts in zip(case.starts, tried.runs, strict=True):
        assert facts.boot_current == number
        assert facts.boot_next is None
        assert facts.arch == machine_of(firmware).name
    succeeds = bool(case.starts) and case.entries[case.starts[-1]].exit == 0
    assert (tried.status == 0) == succeeds
    assert not tried.reset
    check_variables(made, case.starts[-1] if case.starts else None)
    assert made.board.uboot.check("echo still here") == "still here"


# BootNext


@pytest.mark.slow
def test_boot_next_holds_once(planned):
    made = planned(BootPlan(BOTH, (1,), next=2))
    assert made.options_of(made.boot()) == [2]
    made.start()
    assert made.options_of(made.boot()) == [1]


def test_boot_next_is_deleted_before_its_image_runs(planned):
    hangs = Entry(data=Orders("hangs", hang=True).options)
    made = planned(BootPlan({1: STARTS, 2: hangs}, (1,), next=2))
    facts = started(made.board)
    assert (facts.nonce, facts.boot_current, facts.boot_next) == ("hangs", 2, None)
    assert "BootNext" not in made.stored()
    made.board.strategy.lost()
    made.start()
    assert made.options_of(made.boot()) == [1]


@pytest.mark.slow
def test_boot_current_ends_with_the_boot(planned):
    resets = Entry(data=Orders("resets", reset="cold").options)
    made = planned(BootPlan({1: resets}, (1,)))
    tried = made.boot()
    assert (tried.nonces(), tried.reset) == (["resets"], True)
    assert tried.facts.boot_current == 1
    made.find()
    assert "BootCurrent" not in made.now()
    assert "BootCurrent" not in made.stored()
