"""Reads a board at U-Boot's prompt, in an order in which nothing of it changes.

U-Boot applies what lies on its disks when its EFI subsystem starts, and a start also takes back the
request in OsIndications (lib/efi_loader/efi_setup.c, efi_capsule.c). So disks, variables and the
device tree are read without it first, and it is started only where it finds nothing to do. On a
copy of a disk the capsules are removed before, so there it can always be started.
"""

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from ubtest.crypto.pem import read_certificates
from ubtest.errors import CaseError, FirmwareCrash, FirmwareError, UbtestError
from ubtest.firmware.bundle import Bundle
from ubtest.formats.gpt import SECTOR
from ubtest.formats.guid import GLOBAL_VARIABLE, Guid
from ubtest.formats.record import FormatError
from ubtest.formats.siglist import parse_database
from ubtest.formats.varstore import Variable, parse_variables
from ubtest.lab.board import Board
from ubtest.lab.uboot import UBootConsoleDriver
from ubtest.media.fat import FatVolume
from ubtest.preflight.facts import CapsuleFile, Facts, Unread, Volume
from ubtest.uefi import capsules, control_dtb, dfu, storage, variables
from ubtest.uefi.handles import handles, option_paths
from ubtest.uefi.on_disk import VARIABLE_FILE

T = TypeVar("T")
LARGEST_STORE = 1 << 17  # bytes; CONFIG_EFI_VAR_BUF_SIZE
LARGEST_READ = 1 << 16  # bytes of a capsule that go over the console
APPLIES = (
    "the EFI subsystem was not started, because it would apply what lies on the disk, or take "
    "back the request for it, right now"
)


def gather(board: Board, *, disk: Path | None = None, copy: bool = False) -> Facts:
    """All facts of a board that is at U-Boot's prompt.

    :param disk: the user's image of the disk that is attached.
    :param copy: what is attached is a copy that may be changed.
    :raises FirmwareError: the prompt does not answer as U-Boot does.
    """
    uboot, bundle = board.uboot, board.machine.bundle
    facts = _without_efi(board, uboot, bundle, disk)
    if copy:
        _remove_capsules(uboot, facts)
    if not may_start_efi(facts, copy=copy and _no_capsules_left(uboot, facts)):
        return facts
    return _with_efi(uboot, facts)


def may_start_efi(facts: Facts, *, copy: bool) -> bool:
    """Whether the EFI subsystem finds nothing to apply and no request to take back.

    :param copy: a copy without capsules, on which a request does not matter.
    """
    if copy or not facts.config.enabled("EFI_CAPSULE_ON_DISK"):
        return True
    if isinstance(facts.stored, Unread):
        return False
    stores = [each.store for each in facts.volumes if each.partition.esp and each.store is not None]
    if any(isinstance(store, Unread) or requested(store) for store in stores):
        return False
    waiting = any(volume.files for volume in facts.volumes)
    return not (facts.config.enabled("EFI_IGNORE_OSINDICATIONS") and waiting)


def requested(store: tuple[Variable, ...]) -> bool:
    """OsIndications in these variables asks for an update."""
    return any(
        (each.name, each.guid) == ("OsIndications", GLOBAL_VARIABLE)
        and len(each.data) == 8
        and struct.unpack("<Q", each.data)[0] & capsules.FILE_CAPSULE_DELIVERY
        for each in store
    )


def _without_efi(
    board: Board, uboot: UBootConsoleDriver, bundle: Bundle, disk: Path | None
) -> Facts:
    where = board.storage
    find = where.find.format(path=disk or "IMAGE")
    alternates = dfu.alternates(uboot)
    found = storage.devices(uboot)
    volumes = tuple(
        _volume(uboot, each, disk if device == where.partition.partition(":")[0] else None)
        for device in found
        for each in storage.partitions(uboot, device)
    )
    tree = control_dtb.select(uboot)
    no_tree = Unread("this firmware has no `fdt` command (CONFIG_CMD_FDT)")
    later = Unread(APPLIES)
    return Facts(
        version=bundle.version,
        config=bundle.config,
        image=_image(board),
        key_place=bundle.traits.capsule_key,
        partition=where.partition,
        find=find,
        disk=disk,
        devices=found,
        volumes=volumes,
        stored=_stored(bundle, volumes, where.partition.partition(":")[0]),
        live=later,
        handles=later,
        options=later,
        esrt=later,
        trusted=_trusted(uboot, bundle) if tree or bundle.traits.capsule_key != "dtb" else no_tree,
        lowest=_asked(lambda: control_dtb.lowest_versions(uboot)) if tree else no_tree,
        alternates=Unread("this firmware has no `dfu` command (CONFIG_CMD_DFU)")
        if alternates is None
        else alternates,
        bootcmd=_asked(lambda: uboot.check("printenv bootcmd").removeprefix("bootcmd=")),
    )


def _with_efi(uboot: UBootConsoleDriver, facts: Facts) -> Facts:
    """The same with the answers of the EFI subsystem, each on its own."""
    found = _asked(lambda: variables.parse(uboot.check("printenv -e", timeout=60)))
    if isinstance(facts.stored, Unread) and not facts.config.enabled("EFI_VARIABLE_FILE_STORE"):
        facts = replace(facts, stored=found)
    return replace(
        facts,
        live=found,
        handles=_asked(lambda: handles(uboot)),
        options=_asked(lambda: option_paths(uboot)),
        esrt=_asked(lambda: capsules.resources(uboot)),
    )


def _asked(question: Callable[[], T]) -> T | Unread:
    try:
        return question()
    except FirmwareCrash:
        raise
    except FirmwareError as error:
        return Unread(error.message)


def _image(board: Board) -> tuple[Guid, int] | Unread:
    try:
        return board.image.image_type, board.image.index
    except CaseError as error:
        return Unread(error.message)


def _volume(uboot: UBootConsoleDriver, partition: storage.Partition, disk: Path | None) -> Volume:
    name = partition.name
    root = storage.folder(uboot, name, "/")
    folder = storage.folder(uboot, name, capsules.DIRECTORY) if root else None
    address = storage.scratch_address(uboot)
    files = tuple(
        CapsuleFile(
            each,
            size,
            _content(uboot, name, each, size, address)
            if disk is None
            else _content_on_host(FatVolume(disk, partition.first * SECTOR), each),
        )
        for each, size in (folder.files if folder else {}).items()
    )
    store = _store(uboot, name, root.files, address) if root else None
    return Volume(partition, root, folder, files, store)


def _content_on_host(volume: FatVolume, name: str) -> bytes | Unread:
    found = _asked_host(lambda: volume.read(f"{capsules.DIRECTORY}/{name}"))
    return Unread(f"{name} is not found in the image on this host") if found is None else found


def _content(
    uboot: UBootConsoleDriver, partition: str, name: str, size: int, address: int | None
) -> bytes | Unread:
    if size > LARGEST_READ:
        return Unread(f"{size} bytes are too many for the console; give the file with --capsule")
    return _read(uboot, partition, f"{capsules.DIRECTORY}/{name}", size, address)


def _read(
    uboot: UBootConsoleDriver, partition: str, path: str, size: int, address: int | None
) -> bytes | Unread:
    if address is None:
        return Unread("neither kernel_addr_r nor loadaddr is set, so no file can be loaded")
    return _asked(lambda: storage.read_file(uboot, partition, path, size, address))


def _store(
    uboot: UBootConsoleDriver, partition: str, files: dict[str, int], address: int | None
) -> tuple[Variable, ...] | Unread | None:
    size = next((size for name, size in files.items() if name.lower() == VARIABLE_FILE), None)
    if size is None:
        return None
    if size > LARGEST_STORE:
        return Unread(f"{VARIABLE_FILE} has {size} bytes, more than U-Boot reads")
    data = _read(uboot, partition, VARIABLE_FILE, size, address)
    if isinstance(data, Unread):
        return data
    try:
        return parse_variables(data)
    except FormatError as error:
        return Unread(f"{VARIABLE_FILE} is damaged: {error}")


def _stored(
    bundle: Bundle, volumes: tuple[Volume, ...], device: str
) -> tuple[Variable, ...] | Unread:
    """The store of the first ESP that U-Boot finds (efi_disk.c, efi_system_partition)."""
    if not bundle.config.enabled("EFI_VARIABLE_FILE_STORE"):
        return Unread("the variables are not in a file (CONFIG_EFI_VARIABLE_FILE_STORE is off)")
    systems = [volume for volume in volumes if volume.partition.esp]
    if not systems:
        return Unread("there is no EFI system partition, which would hold the variables")
    first = next((each for each in systems if each.partition.device == device), systems[0])
    if first.root is None:
        return Unread(f"the file system of {first.partition.name}, with the variables, is not read")
    return () if first.store is None else first.store


def _trusted(uboot: UBootConsoleDriver, bundle: Bundle) -> tuple[x509.Certificate, ...] | Unread:
    if bundle.traits.capsule_key == "binary":
        if bundle.certificate is None:
            return Unread("the key is inside of the firmware, and its bundle does not name it")
        return _asked_host(lambda: tuple(read_certificates(bundle.certificate or Path())))
    key = _asked(lambda: control_dtb.capsule_key(uboot))
    if isinstance(key, Unread):
        return key
    try:
        lists = parse_database(key or b"")
        return tuple(
            x509.load_der_x509_certificate(each.data) for one in lists for each in one.signatures
        )
    except (FormatError, ValueError) as error:
        return Unread(f"/signature/capsule-key is no list of certificates: {error}")


def _asked_host(question: Callable[[], T]) -> T | Unread:
    try:
        return question()
    except UbtestError as error:
        return Unread(error.message)


def _remove_capsules(uboot: UBootConsoleDriver, facts: Facts) -> None:
    for volume in facts.volumes:
        for file in volume.files:
            path = f"{capsules.DIRECTORY}/{file.name}"
            storage.remove_file(uboot, volume.partition.name, path)


def _no_capsules_left(uboot: UBootConsoleDriver, facts: Facts) -> bool:
    left = (
        storage.folder(uboot, volume.partition.name, capsules.DIRECTORY)
        for volume in facts.volumes
        if volume.capsules
    )
    return not any(folder is None or folder.files for folder in left)
