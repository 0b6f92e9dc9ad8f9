"""What commands of a report would write, and where they may be run.

U-Boot takes abbreviations, variables and quotes for the name of a command, so only one whose plain
name is known to read is harmless, and what is not known counts as writing. On QEMU all run on
copies. Sandbox is a process with the rights of this user: there nothing runs but what reads its own
devices.
"""

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ubtest.errors import CaseError

# Between two commands of one line. A quoted one is found too: that errs on the safe side
_BETWEEN = re.compile(r"[;\n\r]|&&|\|\|?|\b(?:if|then|else|elif|fi|do|done|while|until)\b")
_PLAIN = re.compile(r"[A-Za-z0-9_?.-]+")
_REDIRECTED = re.compile(r"(?<!\\)[<>]")


class Place(enum.Enum):
    """Where commands are run."""

    COPIES = "QEMU, on copies of the media and the flash"
    HOST = "a process of this machine"
    HARDWARE = "a real board"


@dataclass(frozen=True)
class Concern:
    """One command that does more than read, or may.

    :param command: as it is typed.
    """

    command: str
    why: str


@dataclass(frozen=True)
class Writes:
    """A command of U-Boot with words that follow it.

    :param words: a regular expression for all that comes after the name.
    """

    names: frozenset[str]
    words: str
    why: str


def _writes(names: str, words: str, why: str) -> Writes:
    return Writes(frozenset(names.split()), words, why)


WRITES = (
    _writes("erase", "", "erases flash"),
    _writes("cp cp.b cp.w cp.l cp.q", "", "copies to an address, which may be flash"),
    _writes("protect", ".*off", "takes the write protection of flash away"),
    _writes("gzwrite fatwrite ext4write fatmkdir fatrm save", "", "writes a disk"),
    _writes(
        "mmc",
        r"write|erase|partconf|bootbus|bootpart|rst-function|hwpartition|wp|reg",
        "writes eMMC or SD, or what it is set to",
    ),
    _writes("sf", "write|erase|update|protect", "writes SPI flash"),
    _writes("nand", "write|erase|scrub|markbad|biterr|torture|lock|unlock", "writes NAND"),
    _writes("mtd", "write|erase|bad|markbad|torture", "writes flash"),
    _writes("onenand", "write|erase|markbad|scrub", "writes OneNAND"),
    _writes("ubi", "write|create|remove|rename|skipcheck|part", "writes or formats UBI"),
    _writes("usb scsi nvme sata ide ufs virtio pvblock", "write", "writes a disk"),
    _writes("gpt mbr", "write|rename|swap|repair|set|transpose", "writes a partition table"),
    _writes("fuse efuse otp efusewrite stm32key", "", "may blow fuses, for ever"),
    _writes("tpm tpm2", "", "changes the TPM"),
    _writes("saveenv eraseenv", "", "writes the environment"),
    _writes("env", "save|erase|delete|default|import|select|load", "changes the environment"),
    _writes("env setenv", r"(set )?.*-(e|nv|bs|rt)\b", "writes a UEFI variable"),
    _writes(
        "efidebug",
        r"(boot|capsule)\b.*\b(add|rm|next|order|update|disk-update)",
        "writes UEFI variables, or the firmware",
    ),
    _writes("eficonfig bootmenu", "", "opens a menu that can change boot options"),
    _writes("eeprom i2c mdio mii", "", "may write to chips"),
    _writes(
        "mw mw.b mw.w mw.l mw.q mm mm.b mm.w mm.l mm.q nm nm.b nm.w nm.l mwc",
        "",
        "writes to an address",
    ),
    _writes("dfu fastboot ums rockusb thordown bubt tftpsrv", "", "lets others write the board"),
    _writes(
        "bootefi bootm booti bootz bootelf bootvx boot bootd bootflow bootmeth go source run",
        "",
        "starts a program or a script, which may do anything",
    ),
    _writes("reset poweroff", "", "starts the board anew, or ends it"),
    _writes("host sb", "", "reaches files of this machine"),
)


def _reads(names: str, words: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), words)


_ANYTHING = ".*"
# The interface comes first; `hostfs` is the file system of this machine
_OF_A_DEVICE = r"(?!\S*(hostfs|[\"'\\$])).*"
_OF_A_DISK = r"((scan|info|dev|device|part|detail|read)\b.*)?"
# Name -> the words with which it only reads, or changes nothing that lasts
READS = {
    **_reads(
        "version help ? bdinfo coninfo dm cls flinfo echo true false test itest exit showvar "
        "printenv grepenv md md.b md.w md.l md.q crc32 iminfo cmp cmp.b cmp.w cmp.l meminfo "
        "mmcinfo lsblk sleep smbios acpi setexpr",
        _ANYTHING,
    ),
    **_reads(
        "ls fatls ext2ls ext4ls fatinfo size fatsize ext4size fstype fsuuid load fatload ext2load "
        "ext4load",
        _OF_A_DEVICE,
    ),
    **_reads("nvme scsi virtio sata", _OF_A_DISK),
    "usb": r"((start|reset|stop|tree|info|storage|dev|part|read)\b.*)?",
    "mmc": r"((info|list|dev|rescan|part|read)\b.*)?",
    "part": r"(list|start|size|number|uuid|nvars|types|name)\b.*",
    "pci": r"([\d*]+( long)?|long|enum|(header|bar|regions|display\.?[bwl]?) .*)?",
    "clk": "dump",
    "date": "",
    "sf": r"(probe|read)\b.*",
    "nand": r"((info|device|bad|read|dump)\b.*)?",
    "mtd": r"(list|read|dump)\b.*",
    "efidebug": r"(devices|dh|drivers|images|memmap|tables|log|query|boot dump)\b.*"
    r"|capsule (show|esrt|result)\b.*",
    "fdt": r"(addr|print|list|header|get|rsvmem print|move|resize|mknode|set|rm)\b.*",
    "env": r"(print|exists|info|grep)\b.*",
    "setenv": r"\w+( .*)?",
    "gpt": r"(verify|read|enumerate)\b.*",
    "net": "list",
}


def concerns(uboot: Iterable[str], shell: Iterable[str] = ()) -> tuple[Concern, ...]:
    """What of these commands is not known to read only, in order.

    :param uboot: lines for U-Boot's prompt.
    :param shell: lines for a shell of the target, where they run as root.
    """
    found = [each for line in uboot for each in _of_line(line)]
    found += [Concern(line, "runs as root on the target's Linux") for line in shell]
    return tuple(dict.fromkeys(found))


def _of_line(line: str) -> Iterator[Concern]:
    if not line.isprintable():
        raise CaseError(
            f"a command holds control characters: {line!r}",
            next_step="write it as one line of plain text, keys as a step `press`",
        )
    for piece in _BETWEEN.split(line):
        if (command := piece.strip()) and (why := _why(command)):
            yield Concern(command, why)


def _why(command: str) -> str:
    """Why a command is not known to read only; empty: it is."""
    name, _, rest = command.partition(" ")
    rest = rest.strip()
    if not _PLAIN.fullmatch(name):
        return "its name is put together from variables or quotes, so nobody knows what it is"
    for each in WRITES:
        if name in each.names and re.match(each.words, rest):
            return each.why
    if _REDIRECTED.search(rest) and name not in ("fdt", "test", "itest", "setexpr", "setenv"):
        return "writes what it prints to a place in memory"
    words = READS.get(name)
    if words is None:
        return "is not known to read only"
    if not re.fullmatch(words, rest):
        return "is not known to read only with these words"
    return ""


def permit(found: tuple[Concern, ...], place: Place, yes: bool) -> None:
    """Whether these commands may be run there.

    :param yes: somebody who saw the list agrees.
    :raises CaseError: not on this machine at all, or not without a word of somebody.
    """
    if not found or place is Place.COPIES:
        return
    listed = "\n".join(f"  {each.command}   ({each.why})" for each in found)
    if place is Place.HOST:
        raise CaseError(
            "commands of a report would run with your rights on this machine, for sandbox is a "
            f"process of it:\n{listed}",
            next_step="take a board of QEMU, --board qemu-arm64, where they run on copies",
        )
    if not yes:
        raise CaseError(
            f"these commands may change the board for good:\n{listed}",
            next_step="read them, then add --yes",
        )
