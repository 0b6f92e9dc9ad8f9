"""Disks as U-Boot's prompt shows them, without its EFI subsystem: nothing here starts an update."""

import re
from dataclasses import dataclass

from ubtest.errors import FirmwareError
from ubtest.formats.guid import ESP_TYPE, Guid
from ubtest.lab.memory import shown_memory
from ubtest.lab.uboot import UBootConsoleDriver

INTERFACES = ("virtio", "mmc", "nvme", "scsi", "sata", "usb", "host")  # blk_get_uclass_name()
NUMBERS = 4  # devices of an interface that are asked for
MBR_ESP = "ef"  # UEFI 2.10 section 5.2.2

_GPT = re.compile(
    r'^\s*(?P<number>\d+)\s+0x(?P<first>[0-9a-f]+)\s+0x(?P<last>[0-9a-f]+)\s+"[^\n]*\n'
    r"\s+attrs:[^\n]*\n"
    r"\s+type:\s+(?P<type>[0-9a-f-]{36})\n"
    r"(?:\s+\([^\n]*\n)?"  # the type's name, with CONFIG_PARTITION_TYPE_GUID
    r"\s+guid:\s+(?P<guid>[0-9a-f-]{36})",
    re.MULTILINE,
)
_MBR = re.compile(
    r"^\s*(?P<number>\d+)\s+(?P<first>\d+)\s+(?P<sectors>\d+)\s+(?P<disk>[0-9a-f]{8})-[0-9a-f]{2}"
    r"\s+(?P<type>[0-9a-f]{2})\b",
    re.MULTILINE,
)
_FILE = re.compile(r"^ *(?P<size>\d+)   (?P<name>.+)$", re.MULTILINE)
_FOLDER = re.compile(r"^ {12}(?P<name>.+)/$", re.MULTILINE)
_COUNT = re.compile(r"^(?P<files>\d+) file\(s\), (?P<folders>\d+) dir\(s\)$", re.MULTILINE)


@dataclass(frozen=True)
class Partition:
    """One partition, as `part list` shows it.

    :param device: "virtio 0".
    :param first: its first sector.
    :param node: how U-Boot writes its device path node (UEFI 2.10 section 10.3.5.1).
    :param esp: it is an EFI system partition by its type.
    """

    device: str
    number: int
    first: int
    node: str
    kind: str
    esp: bool

    @property
    def name(self) -> str:
        """As U-Boot's commands take it: "virtio 0:1"."""
        return f"{self.device}:{self.number:x}"


@dataclass(frozen=True)
class Folder:
    """What `ls` shows of a folder.

    :param files: name -> bytes.
    """

    files: dict[str, int]
    folders: tuple[str, ...]


def devices(uboot: UBootConsoleDriver) -> tuple[str, ...]:
    """The disks that U-Boot has found, as its commands take them: "virtio 0"."""
    names = (f"{interface} {number}" for interface in INTERFACES for number in range(NUMBERS))
    return tuple(name for name in names if _is_there(uboot, name))


def _is_there(uboot: UBootConsoleDriver, device: str) -> bool:
    # A disk without partitions is no failure for it (cmd/part.c)
    return not uboot.command(f"part list {device}").status


def partitions(uboot: UBootConsoleDriver, device: str) -> tuple[Partition, ...]:
    """The partitions of a disk; none where U-Boot finds no table that it knows."""
    return parse_partitions(device, uboot.command(f"part list {device}").text)


def parse_partitions(device: str, text: str) -> tuple[Partition, ...]:
    """What ``part list`` printed (disk/part_efi.c, disk/part_dos.c)."""
    text = text.replace("\\t", "\t")  # a reply's text has its tabs escaped
    found = []
    for row in _GPT.finditer(text):
        first, last = int(row["first"], 16), int(row["last"], 16)
        node = f"HD({row['number']},GPT,{row['guid']},{first:#x},{last - first + 1:#x})"
        esp = Guid.of(row["type"]) == ESP_TYPE
        found.append(Partition(device, int(row["number"]), first, node, row["type"], esp))
    for row in _MBR.finditer(text):
        first, sectors = int(row["first"]), int(row["sectors"])
        node = f"HD({row['number']},MBR,0x{row['disk']},{first:#x},{sectors:#x})"
        esp = row["type"] == MBR_ESP
        found.append(Partition(device, int(row["number"]), first, node, row["type"], esp))
    return tuple(found)


def folder(uboot: UBootConsoleDriver, partition: str, path: str) -> Folder | None:
    """What is in a folder; None when it cannot be listed, because it or its file system is not
    there."""
    reply = uboot.command(f'ls {partition} "{path}"')
    return None if reply.status else parse_folder(reply.text)


def parse_folder(text: str) -> Folder | None:
    """What ``ls`` printed (fs/fs.c); None when it is no listing.

    :raises FirmwareError: a line of it was not understood.
    """
    count = _COUNT.search(text)
    if count is None:
        return None
    text = text[: count.start()]
    folders = list[str](_FOLDER.findall(text))
    files = {name: int(size) for size, name in _FILE.findall(text) if not name.endswith("/")}
    if (len(files), len(folders)) != (int(count["files"]), int(count["folders"])):
        raise FirmwareError(f"cannot read this listing: {text}")
    return Folder(files, tuple(name for name in folders if name not in (".", "..")))


def scratch_address(uboot: UBootConsoleDriver) -> int | None:
    """Where U-Boot itself loads files to; None when its environment does not say."""
    for name in ("kernel_addr_r", "loadaddr"):
        found = re.fullmatch(rf"{name}=(?:0x)?([0-9a-f]+)", uboot.command(f"printenv {name}").text)
        if found and int(found[1], 16):
            return int(found[1], 16)
    return None


def read_file(
    uboot: UBootConsoleDriver, partition: str, path: str, size: int, address: int
) -> bytes:
    """The first bytes of a file, by way of the board's memory.

    :raises FirmwareError: it cannot be loaded.
    """
    uboot.check(f'load {partition} {address:x} "{path}" {size:x}' if size else "true", timeout=60)
    return shown_memory(uboot, address, size)


def remove_file(uboot: UBootConsoleDriver, partition: str, path: str) -> bool:
    """Delete a file of a FAT file system; whether it worked."""
    return not uboot.command(f'fatrm {partition} "{path}"').status
