"""On which partition the firmware looks for capsules: its search, done again on what was read.

lib/efi_loader/efi_capsule.c, find_boot_device() and get_dp_device(); the matching of paths is that
of efi_dp_find_obj() in efi_device_path.c.
"""

import enum
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ubtest.formats.devpath import FILE_PATH, FORMAT_GPT, HARD_DRIVE, MEDIA, HardDrive, PathNode
from ubtest.formats.loadopt import ACTIVE, LoadOption
from ubtest.formats.record import FormatError
from ubtest.formats.varstore import Variable
from ubtest.plugin.known_bugs import known_bug
from ubtest.preflight.facts import Facts, Unread, Volume
from ubtest.uefi.handles import Handle


class Leads(enum.Enum):
    """Where a boot option leads to."""

    TAKEN = "an EFI system partition"
    MISSING = "nowhere: there is no such variable"
    BROKEN = "nowhere: it is no boot option"
    INACTIVE = "nowhere: it is not active"
    ABSENT = "to a device that is not there"
    NO_SYSTEM = "to a device that is no EFI system partition"
    WHOLE_DISK = "to a whole disk and not to its EFI system partition"
    UNREAD = "to a device that was not read"


@dataclass(frozen=True)
class Step:
    """One option that the search looked at.

    :param variable: BootNext or BootOrder.
    :param volume: the partition, where it is taken.
    """

    variable: str
    number: int
    leads: Leads
    volume: Volume | None = None

    @property
    def name(self) -> str:
        return f"Boot{self.number:04X}"


def search(facts: Facts, variables: Mapping[str, Variable]) -> list[Step]:
    """The options in the order of the search, which ends with the first that is taken or unread."""
    steps: list[Step] = []
    for variable, number in _numbers(variables):
        steps.append(step_of(facts, variables, variable, number))
        if steps[-1].leads in (Leads.TAKEN, Leads.UNREAD):
            break
    return steps


def boot_numbers(variable: Variable | None) -> tuple[int, ...]:
    """The option numbers in BootOrder or BootNext."""
    data = variable.data if variable else b""
    count = len(data) // 2
    return struct.unpack(f"<{count}H", data[: 2 * count])


def _numbers(variables: Mapping[str, Variable]) -> Iterator[tuple[str, int]]:
    following = variables.get("BootNext")
    if following and len(following.data) == 2:
        yield "BootNext", boot_numbers(following)[0]
    for number in boot_numbers(variables.get("BootOrder")):
        yield "BootOrder", number


def step_of(facts: Facts, variables: Mapping[str, Variable], variable: str, number: int) -> Step:
    """Where one option leads to."""
    option = variables.get(f"Boot{number:04X}")
    if option is None:
        return Step(variable, number, Leads.MISSING)
    try:
        parsed = LoadOption.parse(option.data)
        short, file = device_of(parsed.path)
    except FormatError:
        return Step(variable, number, Leads.BROKEN)
    if not parsed.attributes & ACTIVE:
        return Step(variable, number, Leads.INACTIVE)
    path = short or _written(facts, number, file)
    if path is None:
        return Step(variable, number, Leads.UNREAD)
    leads, node = _match(facts, path)
    volume = next((each for each in facts.volumes if each.partition.node == node), None)
    if leads is Leads.TAKEN and volume is None:
        return Step(variable, number, Leads.UNREAD)
    return Step(variable, number, leads, volume)


def device_of(path: bytes) -> tuple[str | None, str | None]:
    """A packed path's device, where it starts with the partition, and its file.

    :raises FormatError: it ends too early.
    """
    short = file = None
    at = 0
    while True:
        node = PathNode.parse(path, at)
        if node.kind == 0x7F or node.length < PathNode.size():
            return short, file
        if (node.kind, node.subtype) == (MEDIA, HARD_DRIVE) and at == 0:
            short = drive_text(HardDrive.parse(path, PathNode.size()))
        if (node.kind, node.subtype) == (MEDIA, FILE_PATH):
            text = path[at + PathNode.size() : at + node.length]
            return short, text.decode("utf-16-le", "replace").rstrip("\0")
        at += node.length


def drive_text(drive: HardDrive) -> str:
    """A partition's node as U-Boot writes it."""
    where = f"{drive.start:#x},{drive.sectors:#x}"
    if drive.format == FORMAT_GPT:
        return f"HD({drive.number},GPT,{drive.signature},{where})"
    disk = int.from_bytes(drive.signature.wire[:4], "little")
    return f"HD({drive.number},MBR,0x{disk:08x},{where})"


def _written(facts: Facts, number: int, file: str | None) -> str | None:
    """The device of an option as the firmware writes it; None when it was not asked."""
    if isinstance(facts.options, Unread) or isinstance(facts.handles, Unread):
        return None
    text = facts.options.get(number)
    return text.removesuffix(f"/{file}") if text and file else text


def _match(facts: Facts, path: str) -> tuple[Leads, str]:
    """Where a device path leads, and the node of its partition."""
    if isinstance(facts.handles, Unread):  # then the path is a short one
        return _among_partitions(facts, path)
    path = "/" + path.lstrip("/")
    there = [each for each in facts.handles if _same(each, path)]
    below = [each.path for each in facts.handles if each.system and _is_below(each.path, path)]
    whole_disk_counts = not known_bug("own-entry-ignored").affects(facts.version)
    if any(each.system for each in there):
        return Leads.TAKEN, path.rpartition("/")[2]
    if there and below:
        leads = Leads.TAKEN if whole_disk_counts else Leads.WHOLE_DISK
        return leads, below[0].rpartition("/")[2]
    return Leads.NO_SYSTEM if there else Leads.ABSENT, ""


def _among_partitions(facts: Facts, node: str) -> tuple[Leads, str]:
    for volume in facts.volumes:
        if volume.partition.node == node:
            return Leads.TAKEN if volume.partition.esp else Leads.NO_SYSTEM, node
    return Leads.ABSENT, node


def _is_below(path: str, device: str) -> bool:
    return path.startswith(device + "/")


def _same(handle: Handle, path: str) -> bool:
    """A handle's whole path, or what is left of it from the partition on (efi_dp_shorten)."""
    at = handle.path.find("/HD(")
    return handle.path == path or (at >= 0 and handle.path[at:] == path)
