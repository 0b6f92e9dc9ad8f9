"""The boot manager (UEFI 2.10 section 3.1): which option starts, with what, and what stays."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from zlib import crc32

import pytest

from ubtest.formats.devpath import END, file_path
from ubtest.formats.devpath_text import parse_path, path_text
from ubtest.formats.loadopt import ACTIVE, HIDDEN, LoadOption
from ubtest.formats.status import ABORTED
from ubtest.formats.varstore import BOOTSERVICE_ACCESS, RUNTIME_ACCESS, parse_variables
from ubtest.lab.board import Board
from ubtest.media.build import build_image
from ubtest.media.disk import Disk
from ubtest.probe.facts import Initrd
from ubtest.probe.orders import Orders
from ubtest.uefi import variables
from ubtest.uefi.boot import Boot, boot, started
from ubtest.uefi.boot_plan import BootPlan, Entry, machine_of, partition
from ubtest.uefi.on_disk import VARIABLE_FILE

pytestmark = pytest.mark.needs("CMD_BOOTEFI_BOOTMGR", "CMD_NVEDIT_EFI", "EFI_VARIABLE_FILE_STORE")

needs_initrd = pytest.mark.needs("EFI_LOAD_FILE2_INITRD")
BIG = (1, 4096, 3_000_001)  # bytes of an initrd

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
    "the order, not the number": Case(BOTH, (2, 1), starts=(2,), quick=True),
    "high numbers": Case({0xBEEF: STARTS, 0xFFFF: STARTS}, (0xFFFF, 0xBEEF), starts=(0xFFFF,)),
    "not in the order": Case({1: STARTS, 2: NO_FILE}, (2,), starts=()),
    "no order": Case(BOTH, None, starts=()),
    "an empty list": Case({}, None, starts=()),
    # an option that cannot start, before one that can
    "no such option": Case({2: STARTS}, (1, 2), starts=(2,), quick=True),
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


@dataclass
class Desk:
    """A board at its prompt, with the disk of a plan found."""

    board: Board
    plan: BootPlan
    disk: Disk
    ran: list[Boot] = field(default_factory=list)

    def boot(self) -> Boot:
        self.ran.append(boot(self.board))
        return self.ran[-1]

    def reset(self) -> None:
        self.board.uboot.reset()
        self.find()

    def find(self) -> None:
        self.board.uboot.check(self.board.storage.find.format(path=self.disk.path))

    def options_of(self, tried: Boot) -> list[int]:
        """The numbers of the options whose probes said something."""
        numbers = {self.plan.orders(number).nonce: number for number in self.plan.entries}
        return [numbers[nonce] for nonce in tried.nonces()]

    def now(self) -> dict[str, variables.Variable]:
        """All variables at this moment."""
        found = variables.parse(self.board.uboot.check("printenv -e", timeout=60))
        return {variable.name: variable for variable in found}

    def stored(self) -> dict[str, variables.Variable]:
        """The variables in the store on the disk, read behind the firmware's back."""
        return {each.name: each for each in parse_variables(self.disk.read(VARIABLE_FILE))}


@pytest.fixture
def desk(board, tmp_path) -> Callable[[BootPlan], Desk]:
    """Boots a board with the disk of a plan to its prompt; its EFI subsystem has yet to start."""

    def desk(plan: BootPlan) -> Desk:
        disk = build_image(plan.image(machine_of(board.machine.bundle)), tmp_path / "boot.img")
        board.machine.attach(disk, board.storage.bus)
        board.boot()
        made = Desk(board, plan, disk)
        made.find()
        return made

    return desk


def order_of(value: bytes) -> list[int]:
    return [int.from_bytes(value[at : at + 2], "little") for at in range(0, len(value), 2)]


def check_variables(desk: Desk, last: int | None) -> None:
    """Options and order are what was planted; the firmware's own come behind; BootNext is gone."""
    now = desk.now()
    for planted in desk.plan.variables():
        if planted.name not in ("BootOrder", "BootNext"):
            assert now[planted.name].data == planted.data
    order = order_of(now["BootOrder"].data) if "BootOrder" in now else []
    planted_order = list(desk.plan.order or ())
    assert order[: len(planted_order)] == planted_order
    assert not set(order[len(planted_order) :]) & set(desk.plan.entries)
    assert "BootNext" not in now
    if desk.plan.next is not None:
        assert "BootNext" not in desk.stored()
    if last is not None:
        assert int.from_bytes(now["BootCurrent"].data, "little") == last
        attributes = now["BootCurrent"].attributes & ~variables.READ_ONLY
        assert attributes == BOOTSERVICE_ACCESS | RUNTIME_ACCESS


def _case(name: str) -> object:
    case = CASES[name]
    marks = [] if case.quick else [pytest.mark.slow]
    marks += [pytest.mark.known_bug(case.bug)] if case.bug else []
    return pytest.param(case, id=name, marks=marks)


@pytest.mark.parametrize("case", [_case(name) for name in CASES])
def test_boot(case, desk, firmware):
    made = desk(case.plan)
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


def test_boot_next_holds_once(desk):
    made = desk(BootPlan(BOTH, (1,), next=2))
    assert made.options_of(made.boot()) == [2]
    made.reset()
    assert made.options_of(made.boot()) == [1]


def test_boot_next_is_deleted_before_its_image_runs(desk):
    hangs = Entry(data=Orders("hangs", hang=True).options)
    made = desk(BootPlan({1: STARTS, 2: hangs}, (1,), next=2))
    facts = started(made.board)
    assert (facts.nonce, facts.boot_current, facts.boot_next) == ("hangs", 2, None)
    assert "BootNext" not in made.stored()
    made.board.strategy.lost()
    made.board.off()
    made.board.boot()
    made.find()
    assert made.options_of(made.boot()) == [1]


@pytest.mark.slow
def test_boot_current_ends_with_the_boot(desk):
    resets = Entry(data=Orders("resets", reset="cold").options)
    made = desk(BootPlan({1: resets}, (1,)))
    tried = made.boot()
    assert (tried.nonces(), tried.reset, tried.facts.boot_current) == (["resets"], True, 1)
    made.find()
    assert "BootCurrent" not in made.now()
    assert "BootCurrent" not in made.stored()


# what reaches the image

DATA = {
    "none": b"",
    "one byte": b"x",
    "text": "root=/dev/vda1 quiet\0".encode("utf-16-le"),
    "every byte": bytes(range(256)),
    "zeros": bytes(33),
    "a page": bytes(n * 7 % 251 for n in range(4096)),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name != "every byte")) for name in DATA]
)
def test_load_options_arrive_byte_for_byte(desk, name):
    data = DATA[name]
    made = desk(BootPlan({1: Entry(data=data), 2: Entry(data=b"of another")}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [1]
    assert tried.facts.options == data


@pytest.mark.slow
def test_load_options_of_an_option_that_did_not_start_are_not_left_over(desk):
    made = desk(BootPlan({1: Entry(file="none", data=b"of the first"), 2: STARTS}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [2]
    assert tried.facts.options == b""


@needs_initrd
@pytest.mark.parametrize("size", [5000, *(pytest.param(n, marks=pytest.mark.slow) for n in BIG)])
def test_an_initrd_arrives_whole(desk, size):
    content = random.Random(size).randbytes(size)
    made = desk(BootPlan({1: Entry(initrd=content), 2: STARTS}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [1]
    assert (tried.facts.initrd, tried.facts.initrd_error) == (Initrd(size, crc32(content)), None)


@needs_initrd
@pytest.mark.slow
def test_no_initrd_where_the_option_names_none(desk):
    made = desk(BootPlan({1: STARTS, 2: Entry(initrd=b"of another")}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [1]
    assert (tried.facts.initrd, tried.facts.initrd_error) == (None, None)


@needs_initrd
@pytest.mark.slow
def test_the_initrd_of_the_option_that_failed_is_not_given_to_the_next(desk):
    made = desk(BootPlan({1: Entry(file="none", initrd=b"of the first"), 2: STARTS}, (1, 2)))
    tried = made.boot()
    assert made.options_of(tried) == [2]
    assert (tried.facts.initrd, tried.facts.initrd_error) == (None, None)


# the path of the image


def check_path(tried: Boot, name: str) -> None:
    """The image is known by its file on the plan's partition, whatever form the option had."""
    facts = tried.facts
    nodes = parse_path(facts.device)
    found = partition()
    sectors = found.last_lba - found.first_lba + 1
    assert str(nodes[-1]) == f"HD(1,GPT,{found.unique_guid},{found.first_lba:#x},{sectors:#x})"
    assert len(nodes) > 1
    assert facts.file == file_path(name) + END
    assert path_text(parse_path(facts.path)) == facts.text


FORMS = ["short", "file", "partition"]


@pytest.mark.parametrize("form", FORMS)
def test_the_image_knows_its_path(desk, firmware, form):
    made = desk(BootPlan({1: Entry(form=form)}, (1,)))
    tried = made.boot()
    assert made.options_of(tried) == [1]
    default = "\\" + machine_of(firmware).boot_path.replace("/", "\\")
    check_path(tried, default if form == "partition" else "\\0001.EFI")
    given = made.plan.option(1).path
    whole = tried.facts.device.removesuffix(END) + tried.facts.file
    if form == "short":  # section 9.2: what LoadImage() was given, which may be the short form
        assert tried.facts.path in (given, whole)
    elif form == "file":
        assert tried.facts.path == whole
    else:
        assert tried.facts.path in (given.removesuffix(END) + tried.facts.file, whole)


# options made at the prompt


@pytest.mark.slow
@pytest.mark.needs("CMD_EFIDEBUG")
@pytest.mark.parametrize("flag", ["-b", "-B"])
def test_an_option_typed_in(desk, board, flag):
    made = desk(BootPlan(BOTH, (1,)))
    board.uboot.check(f"efidebug boot add {flag} 3 typed {board.storage.partition} 0002.EFI")
    board.uboot.check("efidebug boot order 3 1")
    option = LoadOption.parse(made.now()["Boot0003"].data)
    assert (option.description, option.attributes, option.data) == ("typed", ACTIVE, b"")
    nodes = parse_path(option.path)
    name = str(nodes[-1])
    assert name.removeprefix("\\") == "0002.EFI"
    assert (nodes[0] == parse_path(made.plan.option(2).path)[0]) == (flag == "-b")  # HD() first
    tried = made.boot()
    assert (made.options_of(tried), tried.facts.boot_current) == ([2], 3)
    check_path(tried, name)
    if flag == "-B":
        assert tried.facts.path == option.path


@pytest.mark.slow
@pytest.mark.needs("CMD_EFIDEBUG")
def test_a_removed_option_does_not_start(desk, board):
    made = desk(BootPlan(BOTH, (1, 2)))
    board.uboot.check("efidebug boot rm 1")
    tried = made.boot()
    assert made.options_of(tried) == [2]
    assert "Boot0001" not in made.now()
    assert "Boot0001" not in made.stored()


@pytest.mark.slow
@pytest.mark.needs("CMD_EFIDEBUG")
def test_next_typed_in(desk, board):
    made = desk(BootPlan(BOTH, (1, 2)))
    board.uboot.check("efidebug boot next 2")
    assert made.options_of(made.boot()) == [2]
    assert made.options_of(made.boot()) == [1]


@needs_initrd
@pytest.mark.slow
@pytest.mark.needs("CMD_EFIDEBUG")
@pytest.mark.parametrize("flags", [("-b", "-i"), ("-B", "-I")])
def test_an_initrd_typed_in(desk, board, flags):
    content = b"an initrd"
    made = desk(BootPlan({1: Entry(initrd=content), 2: STARTS}, (2,)))
    option, initrd = flags
    volume = board.storage.partition
    board.uboot.check(
        f"efidebug boot add {option} 3 typed {volume} 0002.EFI {initrd} {volume} 0001.IMG"
    )
    board.uboot.check("efidebug boot order 3 2")
    tried = made.boot()
    assert (made.options_of(tried), tried.facts.boot_current) == ([2], 3)
    assert tried.facts.initrd == Initrd(len(content), crc32(content))
