"""What can be wrong with a disk of capsules, one thing each, and how preflight names it."""

from dataclasses import replace
from pathlib import Path

from preflight_desk import BASIC_DATA, NAME, OTHER_TYPE, Desk, Wrong, request, without

from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.media.disk import esp
from ubtest.media.fat import FatVolume
from ubtest.run import run
from ubtest.uefi.bootmgr import boot_entry

REQUESTS = {
    "no request": Wrong("request", "there is no OsIndications", without("request")),
    "another bit": Wrong("request", "bit 2", without(request=request(0x8))),
    "four bytes": Wrong("request", "4 bytes", without(request=request(size=4))),
}

BOOT_DEVICES = {
    "no BootOrder": Wrong("boot device", "no BootOrder", without("order")),
    "inactive": Wrong(
        "boot device", "not active", without(entry=boot_entry(1, esp(), attributes=0))
    ),
    "absent disk": Wrong("boot device", "not there", without(entry=boot_entry(1, esp("absent")))),
    "missing entry": Wrong("boot device", "no such variable", without("entry")),
}


def _zap(image: Path) -> None:
    run(["sgdisk", "--zap-all", image], check=False)


def _no_boot_sector(image: Path) -> None:
    with image.open("r+b") as file:
        file.seek(1 << 20)
        file.write(bytes(512))


def _damaged_store(image: Path) -> None:
    data = bytearray(FatVolume(image, 1 << 20).read("ubootefi.var") or b"")
    data[-1] ^= 1
    broken = image.parent / "broken.var"
    broken.write_bytes(data)
    run(["mcopy", "-o", "-i", f"{image}@@{1 << 20}", broken, "::/ubootefi.var"])


DISKS = {
    "type of the partition": Wrong("ESP", "is an EFI system partition", kind=BASIC_DATA),
    "no partition table": Wrong("partitions", "no partition table", spoil=_zap),
    "no file system": Wrong("file system", "cannot read", spoil=_no_boot_sector),
    "damaged variables": Wrong("variable store", "damaged", spoil=_damaged_store),
}


def other_type(good: Capsule, payload: FmpPayload, desk: Desk) -> dict[str, bytes]:
    wrong = replace(payload, image_type=OTHER_TYPE, signature=None)
    return {NAME: Capsule((signed(desk.keyring["trusted"], wrong),)).pack()}


def other_index(good: Capsule, payload: FmpPayload, desk: Desk) -> dict[str, bytes]:
    wrong = replace(payload, index=77, signature=None)
    return {NAME: Capsule((signed(desk.keyring["trusted"], wrong),)).pack()}


def other_key(good: Capsule, payload: FmpPayload, desk: Desk) -> dict[str, bytes]:
    wrong = replace(payload, signature=None)
    return {NAME: Capsule((signed(desk.keyring["untrusted"], wrong),)).pack()}


def unsigned(good: Capsule, payload: FmpPayload, desk: Desk) -> dict[str, bytes]:
    return {NAME: Capsule((replace(payload, signature=None),)).pack()}


def in_a_folder(good: Capsule, payload: FmpPayload, desk: Desk) -> dict[str, bytes]:
    return {f"vendor/{NAME}": good.pack()}


FILES = {
    "no folder": Wrong("capsule in place", "there is no", files=lambda *_: {}),
    "a folder in the folder": Wrong("capsule in place", "vendor", files=in_a_folder),
    "empty file": Wrong("capsule file", "0 bytes", files=lambda *_: {NAME: b""}),
    "cut short": Wrong(
        "capsule file", "CapsuleImageSize", files=lambda good, *_: {NAME: good.pack()[:-100]}
    ),
    "GUID": Wrong("image", "UpdateImageTypeId", files=other_type),
    "index": Wrong("image", "UpdateImageIndex", files=other_index),
    "unsigned": Wrong("signature", "not signed", files=unsigned),
    "another key": Wrong("signature", "trusted", files=other_key),
}

WRONGS = {**REQUESTS, **BOOT_DEVICES, **DISKS, **FILES}
