"""A good QEMU board as U-Boot 2025.01 and 2023.01 printed it, and facts made of that."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ubtest.crypto.key import Key
from ubtest.crypto.pkcs7 import signed
from ubtest.firmware.config import Kconfig
from ubtest.formats.capsule import Capsule
from ubtest.formats.esrt import parse_esrt
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import GLOBAL_VARIABLE, Guid
from ubtest.formats.varstore import Variable
from ubtest.media.disk import esp
from ubtest.preflight.facts import CapsuleFile, Facts, Unread, Volume
from ubtest.uefi.bootmgr import boot_entry, boot_order
from ubtest.uefi.dfu import parse_alternates
from ubtest.uefi.handles import parse_handles, parse_option_paths
from ubtest.uefi.storage import Folder, parse_partitions
from ubtest.uefi.variables import PERSISTENT, parse

TYPE = Guid.of("058b7d83-50d5-4c47-a195-60d86ad341c4")
VENDOR = "/VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b,{})"
WHOLE_DISK = VENDOR.format("0000000000000000") + VENDOR.format("1600860000000000")
NODE = "HD(1,GPT,08028bba-aeda-538b-865a-25af3781c222,0x800,0x1f000)"

GPT = r"""Partition Map for virtio device 0  --   Partition Type: EFI

Part\tStart LBA\tEnd LBA\t\tName
\tAttributes
\tType GUID
\tPartition GUID
  1\t0x00000800\t0x0001f7ff\t"EFI System"
\tattrs:\t0x0000000000000000
\ttype:\tc12a7328-f81f-11d2-ba4b-00a0c93ec93b
\tguid:\t08028bba-aeda-538b-865a-25af3781c222"""
NAMED_TYPE = GPT.replace(r"00a0c93ec93b", "00a0c93ec93b\n\\t\\t(system)", 1)  # the sandbox
MBR = r"""Partition Map for virtio device 0  --   Partition Type: DOS

Part\tStart Sector\tNum Sectors\tUUID\t\tType
  1\t2048      \t100000    \t1234abcd-01\tef Boot"""
LISTING = """            ./
            ../
        0   B and c.cap
      100   a.cap
            sub/

2 file(s), 3 dir(s)"""
HANDLES = f"""000000004e664990
  /VenHw(e61d73b9-a384-4acc-aeab-82e828f3628b)
  Device Path To Text
  HII String

000000004e664d10
  Driver Binding

000000004e66c7c0 (virtio-blk#32)
  {WHOLE_DISK}
  Block IO

000000004e66c920 (virtio-blk#32:1)
  {WHOLE_DISK}/{NODE}
  Block IO
  System Partition
  Simple File System

000000004e682950
  Firmware Management"""
OPTIONS = f"""Boot0001:
attributes: A-- (0x00000001)
  label: ubtest
  file_path: /{NODE}/\\none.efi
  data:
Boot0000:
attributes: A-- (0x00000001)
  label: virtio 0
  file_path: {WHOLE_DISK}
  data:
    00000000: 4e ac 08 81 11 9f 59 4d 85 0e e2 1a 52 2c 59 b2  N.....YM....R,Y."""
ESRT = """========================================
ESRT: fw_resource_count=1
ESRT: fw_resource_count_max=1
ESRT: fw_resource_version=1
[entry 0]==============================
ESRT: fw_class=058B7D83-50D5-4C47-A195-60D86AD341C4
ESRT: fw_type=unknown
ESRT: fw_version=0
ESRT: lowest_supported_fw_version=0
ESRT: capsule_flags=0
========================================"""
DFU = "dfu_alt_info set\nDFU alt settings list:\ndev: MTD alt: 0 name: fw layout: RAW_ADDR"
DFU_ALT_INFO = "dfu_alt_info=mtd nor0=fw part 1"
MTD = r"""List of MTD devices:
* nor0
  - 0x000000000000-0x000004000000 : "nor0"
\t  - 0x000003000000-0x000003040000 : "fw"
* nor1
  - 0x000000000000-0x000004000000 : "nor1" """
SUPPORTED = """OsIndicationsSupported:
    8be4df61-93ca-11d2-aa0d-00e098032b8c (EFI_GLOBAL_VARIABLE_GUID)
    BS|RT|RO, DataSize = 0x8
    00000000: 1c 00 00 00 00 00 00 00                          ........"""
LOWEST = r"""firmware-version {
\tone {
\t\tlowest-supported-version = <0x00000005>;
\t\timage-index = <0x00000001>;
\t\timage-type-id = "058b7d83-50d5-4c47-a195-60d86ad341c4";
\t};
};"""
CONFIG = """CONFIG_EFI_CAPSULE_ON_DISK=y
CONFIG_EFI_CAPSULE_FIRMWARE_RAW=y
CONFIG_EFI_CAPSULE_AUTHENTICATE=y
CONFIG_EFI_VARIABLE_FILE_STORE=y
CONFIG_FAT_WRITE=y
"""


def request(value: int = 4, size: int = 8, attributes: int = PERSISTENT) -> Variable:
    data = value.to_bytes(size, "little")
    return Variable("OsIndications", GLOBAL_VARIABLE, attributes, 0, data)


STORED = (boot_entry(1, esp()), boot_order(1), request())


def capsule(key: Key, **changes: object) -> bytes:
    """A capsule of this board; a payload that differs is signed as it is."""
    payload = replace(FmpPayload(TYPE, b"firmware" * 100), **changes)  # type: ignore[arg-type]
    return Capsule((signed(key, payload),)).pack()


def volume(
    files: Iterable[CapsuleFile], stored: tuple[Variable, ...] = STORED, table: str = GPT
) -> Volume:
    (partition,) = parse_partitions("virtio 0", table)
    found = tuple(files)
    folder = Folder({each.name: each.size for each in found}, ())
    return Volume(partition, Folder({}, ("EFI",)), folder, found, stored)


def good(key: Key, *, data: bytes | None = None, stored: tuple[Variable, ...] = STORED) -> Facts:
    """A board that takes the capsule that lies there."""
    content = capsule(key) if data is None else data
    file = CapsuleFile("u.cap", len(content), content)
    return Facts(
        version="2025.01",
        config=Kconfig.parse(CONFIG),
        image=(TYPE, 1),
        key_place="dtb",
        partition="virtio 0:1",
        find="virtio scan",
        disk=Path("esp.img"),
        devices=("virtio 0",),
        volumes=(volume([file], stored),),
        stored=stored,
        live=parse(SUPPORTED),
        handles=parse_handles(HANDLES),
        options=parse_option_paths(OPTIONS),
        esrt=parse_esrt(ESRT),
        trusted=(key.certificate,),
        lowest={},
        alternates=parse_alternates(DFU, DFU_ALT_INFO, MTD),
        bootcmd="bootflow scan -lb",
        signer="trusted",
    )


def at_the_desk(facts: Facts) -> Facts:
    """The same where the EFI subsystem must not be started."""
    none = Unread("not started")
    return replace(facts, live=none, handles=none, options=none, esrt=none)
