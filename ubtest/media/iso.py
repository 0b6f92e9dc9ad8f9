"""A CD with an El Torito boot image for EFI (UEFI 2.10 section 13.3.2.1).

pycdlib lays it out. It writes the time of day into the image; that is taken out again here, because
an image is the same bytes every time.
"""

import io
from pathlib import PurePosixPath

from pycdlib import PyCdlib
from pycdlib.pycdlibexception import PyCdlibException

from ubtest.errors import CaseError
from ubtest.formats.fat import File, fat_volume
from ubtest.media.disk import derived
from ubtest.media.spec import Image

SECTOR = 2048
DESCRIPTOR = 16 * SECTOR  # the primary volume descriptor
ROOT_RECORD, DATES, DATE_LENGTH = 156, slice(813, 881), 17  # in it, ECMA-119 section 8.4
RECORD_DATE, RECORD_FLAGS, RECORD_NAME = slice(18, 25), 25, 33  # ECMA-119 section 9.1
NEVER = b"2000010100000000\0"
PLATFORM_EFI = 0xEF
BOOT_IMAGE = "/EFIBOOT.IMG;1"
MiB = 1 << 20


def iso_image(image: Image) -> bytes:
    """The whole CD.

    :raises CaseError: not exactly one partition, or a file name that a CD cannot hold.
    :raises FormatError: the boot image cannot be made.
    """
    if len(image.partitions) != 1 or image.partitions[0].fat is None:
        raise CaseError(
            "an ISO has one partition with a file system, its boot image",
            next_step="put other files under `files` of the image",
        )
    out = io.BytesIO()
    iso = PyCdlib()
    iso.new(interchange_level=3, vol_ident="UBTEST")
    try:
        _add_file(iso, BOOT_IMAGE, _boot_image(image))
        iso.add_eltorito(
            BOOT_IMAGE, "/BOOT.CAT;1", platform_id=PLATFORM_EFI, efi=True, media_name="noemul"
        )
        for path in sorted({p for name in image.files for p in PurePosixPath(name).parents}):
            if path.name:
                iso.add_directory(f"/{path}".upper())
        for name, content in sorted(image.files.items()):
            plain = content.content if isinstance(content, File) else content
            dotted = name if "." in PurePosixPath(name).name else f"{name}."
            _add_file(iso, f"/{dotted.upper()};1", plain)
        iso.write_fp(out)
    except PyCdlibException as error:
        raise CaseError(f"the ISO cannot be made: {error}") from error
    finally:
        iso.close()
    return bytes(_timeless(bytearray(out.getvalue())))


def _add_file(iso: PyCdlib, path: str, content: bytes) -> None:
    iso.add_fp(io.BytesIO(content), len(content), path)


def _boot_image(image: Image) -> bytes:
    """The FAT volume that firmware sees as a partition of the CD."""
    (partition,) = image.partitions
    size = partition.size or 4 * MiB
    volume = bytearray(-(-size // SECTOR) * SECTOR)
    serial = derived(image.identity, "volume").int & 0xFFFFFFFF
    for at, piece in fat_volume(
        partition.files,
        len(volume) // 512,
        label=partition.label,
        serial=serial,
        bits=partition.fat or 16,
    ):
        volume[at : at + len(piece)] = piece
    return bytes(volume)


def _timeless(iso: bytearray) -> bytearray:
    """The CD with the first day of 2000 in place of today."""
    dates = iso[DESCRIPTOR + DATES.start : DESCRIPTOR + DATES.stop]
    iso[DESCRIPTOR + DATES.start : DESCRIPTOR + DATES.stop] = NEVER * (len(dates) // DATE_LENGTH)
    folders = [_folder(iso, DESCRIPTOR + ROOT_RECORD)]
    _stamp(iso, DESCRIPTOR + ROOT_RECORD)
    while folders:
        start, size = folders.pop()
        at = start
        while at < start + size:
            if not iso[at]:  # records do not cross a sector: go on with the next one
                at = (at // SECTOR + 1) * SECTOR
                continue
            _stamp(iso, at)
            if iso[at + RECORD_FLAGS] & 2 and iso[at + RECORD_NAME] > 1:
                folders.append(_folder(iso, at))
            at += iso[at]
    return iso


def _stamp(iso: bytearray, record: int) -> None:
    iso[record + RECORD_DATE.start : record + RECORD_DATE.stop] = bytes([100, 1, 1, 0, 0, 0, 0])


def _folder(iso: bytearray, record: int) -> tuple[int, int]:
    """Where the content of a folder is, and how long it is."""
    extent = int.from_bytes(iso[record + 2 : record + 6], "little")
    return extent * SECTOR, int.from_bytes(iso[record + 10 : record + 14], "little")
