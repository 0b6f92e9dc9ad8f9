"""The machine of a report, made of what a recipe may hold: an allow-list, and no path of the host.

Disks of the report become media of ours. What is left out is told.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ubtest.recipe.devices import DRIVERS, PROPERTIES, WITH_MEDIUM, Device
from ubtest.recipe.schema import CPU, MACHINE, Machine, Medium
from ubtest.repro.message import Message
from ubtest.repro.transcript import Exchange
from ubtest.repro.understanding import Understanding

IMAGE = "esp"  # images/esp.yaml: what every disk of a report becomes
MOST_DEVICES = 16
_VALUE = re.compile(r"[\w.:-]{1,64}")
_NAMES = frozenset(each.name for each in PROPERTIES)
# Where the report plugged it is its machine's: ours has its own slots and buses
_OURS = frozenset({"addr", "bootindex", "chassis", "slot"})
_WIRING = frozenset({"drive", "bus", "id", "netdev", "romfile"})
# Options that say what ubtest decides by itself, and how many words follow them
_DECIDED = {
    **dict.fromkeys(("-nographic", "-S", "-s", "-nodefaults", "-no-reboot", "-usb"), 0),
    **dict.fromkeys(("-enable-kvm", "-semihosting"), 0),
    **dict.fromkeys(("-bios", "-kernel", "-pflash", "-initrd", "-append", "-dtb"), 1),
    **dict.fromkeys(("-netdev", "-nic", "-net", "-serial", "-monitor", "-chardev", "-mon"), 1),
    **dict.fromkeys(("-display", "-vga", "-accel", "-d", "-D"), 1),
}
_OF_AN_INTERFACE = {"virtio": "virtio-blk-pci", "sd": "sd-card", "usb": "usb-storage"}
_CONTROLLERS = ("qemu-xhci", "nec-usb-xhci", "usb-ehci", "sdhci-pci", "virtio-scsi-pci")
_STICKS = re.compile(r"(\d+) Storage Device\(s\) found")
_MANY_STICKS = re.compile(
    r"\b(two|three|four|2|3|4)\b[^.]{0,40}\b(usb )?(sticks|drives|disks)\b", re.IGNORECASE
)
_NUMBERS = {"two": 2, "three": 3, "four": 4}
_READS_A_DISK = re.compile(r"(?:ls|load|size|fat\w+|ext4?\w+|part \w+) (usb|nvme|mmc|virtio)\b")
# What a command is about -> the device that it asks for
_WANTS = {"usb": "usb-storage", "nvme": "nvme", "mmc": "sd-card", "virtio": "virtio-blk-pci"}


@dataclass
class Hardware:
    """What a recipe is given.

    :ivar notes: what of the report is not in it, and why.
    """

    machine: Machine = field(default_factory=Machine)
    media: dict[str, Medium] = field(default_factory=dict)
    devices: list[Device] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self, driver: str, properties: Mapping[str, str] | None = None, name: str = "", to: str = ""
    ) -> None:
        """One more device, with a medium of ours where the driver has one."""
        medium = ""
        if driver in WITH_MEDIUM:
            medium = f"disk{len(self.media) + 1}"
            self.media[medium] = Medium(image=IMAGE)
        self.devices.append(Device(driver, medium, name, to, dict(properties or {})))


def hardware_of(
    understood: Understanding,
    exchanges: Sequence[Exchange],
    messages: Sequence[Message],
    has: Iterable[str],
) -> Hardware:
    """The machine of a report: of its command line, else of what its commands ask for.

    :param has: see :func:`read_words`.
    """
    made = read_words(understood.qemu[0].words, has) if understood.qemu else Hardware()
    if understood.qemu[1:]:
        made.notes.append("the report has several command lines of QEMU: the first one is taken")
    drivers = {each.driver for each in made.devices}
    for word in dict.fromkeys(map(_subject, exchanges)):
        driver = _WANTS.get(word, "")
        if driver and not drivers & WITH_MEDIUM.keys():
            count = _sticks(exchanges, messages) if driver == "usb-storage" else 1
            for port in range(1, count + 1):
                made.add(driver, {"port": str(port)} if driver == "usb-storage" else None)
            made.notes.append(
                f"{count} {driver}: `{word}` asks for it, and no command line says so"
            )
    return made


def _subject(each: Exchange) -> str:
    """What a command is about."""
    reads = _READS_A_DISK.match(each.command)
    return reads[1] if reads else each.command.split()[0]


def _sticks(exchanges: Sequence[Exchange], messages: Sequence[Message]) -> int:
    """How many sticks a report is about: what its transcript counts, else its words."""
    lines = (line for each in exchanges for line in each.output)
    if counted := [int(number) for line in lines for number in _STICKS.findall(line)]:
        return min(4, max(counted))
    texts = [each.subject for each in messages]
    texts += [line.text for each in messages for part in each.parts for line in part.lines[:200]]
    said = next((found for text in texts if (found := _MANY_STICKS.search(text))), None)
    return _NUMBERS.get(said[1].lower()) or int(said[1]) if said else 1


def read_words(words: Sequence[str], has: Iterable[str]) -> Hardware:
    """The machine that a command line of QEMU describes.

    :param words: the program first.
    :param has: drivers that are in our board anyway, once each entry.
    """
    made, drives = Hardware(), dict[str, Mapping[str, str]]()
    there, controllers = list(has), dict[str, str]()
    options = list(_options(words, made.notes))
    for option, value in options:
        if option == "-drive":
            _drive(made, value, drives)
    for option, value in options:
        if option == "-device":
            _device(made, value, drives, there, controllers)
    made.machine = _machine(options, made.notes)
    return made


def _options(words: Sequence[str], notes: list[str]) -> Iterator[tuple[str, str]]:
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        name = word.replace("--", "-", 1) if word.startswith("--") else word
        if name in ("-device", "-drive", "-M", "-machine", "-cpu", "-m", "-smp"):
            yield name, rest.pop(0) if rest else ""
        elif name in _DECIDED:
            del rest[: _DECIDED[name]]
        elif name.startswith("-"):
            value = f" {rest.pop(0)}" if rest and not rest[0].startswith("-") else ""
            notes.append(f"QEMU's `{name}{value}` is not taken over")


def _properties(value: str) -> dict[str, str]:
    pairs = (piece.partition("=") for piece in value.split(",") if piece)
    return {name.strip(): text for name, _, text in pairs}


def _drive(made: Hardware, value: str, drives: dict[str, Mapping[str, str]]) -> None:
    said = _properties(value)
    if said.get("if", "ide") == "none":
        drives[said.get("id", "")] = said
    elif driver := _OF_AN_INTERFACE.get(said.get("if", "")):
        _bounded(made, driver, {}, "", "")
    elif said.get("if") != "pflash":
        made.notes.append(f"QEMU's `-drive {value}` is not taken over")


def _device(
    made: Hardware,
    value: str,
    drives: Mapping[str, Mapping[str, str]],
    there: list[str],
    controllers: dict[str, str],
) -> None:
    driver, _, rest = value.partition(",")
    driver = driver.removeprefix("driver=")
    said = _properties(rest)
    if said.get("drive") and said["drive"] not in drives and driver in WITH_MEDIUM:
        made.notes.append(f"`{driver}` names a drive that the report does not declare")
    if driver not in DRIVERS:
        made.notes.append(f"QEMU's device `{driver}` is not in the list of what a recipe may have")
        return
    wanted = {name: text for name, text in said.items() if name in _NAMES - _OURS}
    kept = {name: text for name, text in wanted.items() if _VALUE.fullmatch(text)}
    if left := sorted(said.keys() - kept.keys() - _WIRING - _OURS):
        made.notes.append(f"`{driver}` is taken without {', '.join(left)}")
    name = ""
    if driver in _CONTROLLERS:
        if driver in there:
            there.remove(driver)
            return
        name = f"controller{len(controllers) + 1}"
        controllers[said.get("id", "")] = name
    elif driver in there and not kept:
        there.remove(driver)
        return
    to = controllers.get(said.get("bus", "").partition(".")[0], "") if said.get("bus") else ""
    _bounded(made, driver, kept, name, to)


def _bounded(
    made: Hardware, driver: str, properties: Mapping[str, str], name: str, to: str
) -> None:
    if len(made.devices) < MOST_DEVICES:
        made.add(driver, properties, name, to)
    else:
        made.notes.append(f"a recipe has {MOST_DEVICES} devices at most: no more `{driver}`")


def _machine(options: Iterable[tuple[str, str]], notes: list[str]) -> Machine:
    memory = cpu = machine = ""
    smp = 0
    for option, value in options:
        if option == "-m" and (found := re.fullmatch(r"(?:size=)?(\d{1,5})([MmGg]?)", value)):
            size = int(found[1]) * (1024 if found[2] in ("G", "g") else 1)
            memory = f"{size}M" if 64 <= size <= 4096 else ""
        elif option == "-smp" and (found := re.match(r"(?:cpus=)?(\d{1,2})\b", value)):
            smp = min(8, max(1, int(found[1])))
        elif option == "-cpu" and CPU.fullmatch(value) and value not in ("host", "max"):
            cpu = value
        elif option in ("-M", "-machine") and value != "virt":
            named = value.startswith("virt") and MACHINE.fullmatch(value)
            machine = value if named else ""
            if not named:
                notes.append(f"QEMU's machine `{value}` is not taken over")
    return Machine(memory, 0 if smp == 1 else smp, cpu, machine)
