"""Images that are broken in one way that has a name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

from ubtest.errors import CaseError
from ubtest.formats.fat import Content, File
from ubtest.formats.gpt import SECTOR, TABLE_SECTORS
from ubtest.formats.pe import MACHINES, PeImage, truncated, with_machine
from ubtest.formats.record import FormatError
from ubtest.media.spec import Image

PRIMARY, ENTRIES = SECTOR, 2 * SECTOR  # where the primary header and its entries start
HEADER_CRC, ENTRY_NAME = 16, 56  # offsets in a header and an entry


@dataclass(frozen=True)
class Damage:
    """One way to break an image: in its description, or in its bytes once it is written.

    :param changes: what is broken, one line.
    :param boots: whether firmware must still start the boot file: UEFI wants the backup table
        used, and FAT knows no case.
    """

    changes: str
    boots: bool
    described: Callable[[Image], Image] | None = None
    written: Callable[[BinaryIO, int], None] | None = None


def damaged(image: Image) -> Image:
    """The description with its damages; those of the bytes come when it is written.

    :raises CaseError: no such damage, or one that this image cannot have.
    """
    for name in image.damage:
        damage = known(name)
        if damage.written and image.table != "gpt":
            raise CaseError(
                f"the damage {name} is one of a GPT, and the image has none",
                next_step="take another damage, or table: gpt",
            )
        if damage.described:
            image = damage.described(image)
    return image


def damage_written(image: Image, file: BinaryIO) -> None:
    """Break the bytes of a written image."""
    for name in image.damage:
        if written := known(name).written:
            written(file, image.size)


def known(name: str) -> Damage:
    """The damage of a name.

    :raises CaseError: there is none.
    """
    if name not in DAMAGES:
        raise CaseError(f"no damage {name!r}", next_step=f"one of: {', '.join(DAMAGES)}")
    return DAMAGES[name]


def _is_boot_file(path: str) -> bool:
    return path.lower() in {each.boot_path.lower() for each in MACHINES.values()}


def _boot_files(change: Callable[[str, bytes], Mapping[str, Content]]) -> Callable[[Image], Image]:
    """A change of each boot file of each partition."""

    def described(image: Image) -> Image:
        count = 0
        partitions = []
        for partition in image.partitions:
            files: dict[str, Content] = {}
            for path, content in partition.files.items():
                if _is_boot_file(path):
                    count += 1
                    plain = content.content if isinstance(content, File) else content
                    files |= change(path, plain)
                else:
                    files[path] = content
            partitions.append(replace(partition, files=files))
        if not count:
            raise CaseError(
                "the image has no boot file that could be broken",
                next_step="put one to EFI/BOOT/BOOTAA64.EFI, or BOOTX64.EFI or so",
            )
        return replace(image, partitions=tuple(partitions))

    return described


def _pe(change: Callable[[bytes], bytes]) -> Callable[[Image], Image]:
    def changed(path: str, content: bytes) -> Mapping[str, Content]:
        try:
            return {path: change(content)}
        except FormatError as error:
            raise CaseError(f"{path} cannot be broken so: {error}") from error

    return _boot_files(changed)


def _other_machine(image: bytes) -> bytes:
    now = PeImage.parse(image).coff.machine
    other = "x64" if now != MACHINES["x64"].code else "aa64"
    return with_machine(image, MACHINES[other].code)


def _another_type(image: Image) -> Image:
    kind = "basic-data"
    return replace(image, partitions=tuple(replace(each, kind=kind) for each in image.partitions))


def _flip(*places: Callable[[int], int]) -> Callable[[BinaryIO, int], None]:
    """Turn one byte over at each place.

    :param places: from the size of the disk to an offset.
    """

    def written(file: BinaryIO, size: int) -> None:
        for place in places:
            at = place(size)
            file.seek(at)
            byte = file.read(1)[0] ^ 0xFF
            file.seek(at)
            file.write(bytes([byte]))

    return written


def _zero(start: Callable[[int], int], length: int) -> Callable[[BinaryIO, int], None]:
    def written(file: BinaryIO, size: int) -> None:
        file.seek(start(size))
        file.write(bytes(length))

    return written


def _primary(offset: int) -> Callable[[int], int]:
    return lambda size: offset


def _backup(offset: int) -> Callable[[int], int]:
    """An offset from the start of the backup's entries."""
    return lambda size: size - (TABLE_SECTORS + 1) * SECTOR + offset


_BACKUP_HEADER = TABLE_SECTORS * SECTOR

DAMAGES: Mapping[str, Damage] = {
    "backup-gpt-only": Damage(
        "the primary table is gone: zeros from sector 1 to 33",
        boots=True,
        written=_zero(_primary(PRIMARY), (TABLE_SECTORS + 1) * SECTOR),
    ),
    "header-crc": Damage(
        "the primary header's checksum is wrong",
        boots=True,
        written=_flip(_primary(PRIMARY + HEADER_CRC)),
    ),
    "entries-crc": Damage(
        "an entry of the primary table was changed, its checksum was not",
        boots=True,
        written=_flip(_primary(ENTRIES + ENTRY_NAME)),
    ),
    "both-header-crcs": Damage(
        "the checksums of both headers are wrong",
        boots=False,
        written=_flip(
            _primary(PRIMARY + HEADER_CRC),
            _backup(_BACKUP_HEADER + HEADER_CRC),
        ),
    ),
    "both-entries-crcs": Damage(
        "an entry of both tables was changed, the checksums were not",
        boots=False,
        written=_flip(_primary(ENTRIES + ENTRY_NAME), _backup(ENTRY_NAME)),
    ),
    "no-esp-type": Damage(
        "the partitions have the type of plain data; only variables want an ESP",
        boots=True,
        described=_another_type,
    ),
    "no-boot-file": Damage(
        "EFI/BOOT has no boot file",
        boots=False,
        described=_boot_files(lambda path, content: {f"{path}.OLD": content}),
    ),
    "wrong-architecture": Damage(
        "the boot file is one for another processor, as its header says",
        boots=False,
        described=_pe(_other_machine),
    ),
    "truncated-pe": Damage(
        "the boot file ends before its last section", boots=False, described=_pe(truncated)
    ),
    "empty-boot-file": Damage(
        "the boot file has no content",
        boots=False,
        described=_boot_files(lambda path, content: {path: b""}),
    ),
    "boot-file-is-text": Damage(
        "the boot file is no PE image",
        boots=False,
        described=_boot_files(lambda path, content: {path: b"not a program\n" * 100}),
    ),
    "boot-file-is-folder": Damage(
        "a folder has the boot file's name",
        boots=False,
        described=_boot_files(lambda path, content: {f"{path}/README.TXT": b"a folder"}),
    ),
    "lower-case": Damage(
        "the boot file's path is in small letters",
        boots=True,
        described=_boot_files(lambda path, content: {path.lower(): content}),
    ),
    "mixed-case": Damage(
        "the boot file's path mixes small letters and capitals",
        boots=True,
        described=_boot_files(lambda path, content: {path.title(): content}),
    ),
}
