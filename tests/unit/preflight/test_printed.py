"""What U-Boot prints about disks, handles, alternates and its device tree, read back."""

import pytest
from recorded import (
    DFU,
    DFU_ALT_INFO,
    GPT,
    HANDLES,
    LISTING,
    LOWEST,
    MBR,
    MTD,
    NAMED_TYPE,
    NODE,
    OPTIONS,
    TYPE,
    WHOLE_DISK,
)

from ubtest.errors import FirmwareError
from ubtest.uefi.control_dtb import parse_lowest_versions
from ubtest.uefi.dfu import Alternate, parse_alternates
from ubtest.uefi.handles import parse_handles, parse_option_paths
from ubtest.uefi.storage import Folder, parse_folder, parse_partitions


@pytest.mark.parametrize("text", [GPT, NAMED_TYPE])
def test_gpt(text):
    (partition,) = parse_partitions("virtio 0", text)
    assert (partition.name, partition.first, partition.node) == ("virtio 0:1", 2048, NODE)
    assert partition.esp


def test_gpt_of_another_type():
    (partition,) = parse_partitions("virtio 0", GPT.replace("c12a7328", "ebd0a0a2"))
    assert not partition.esp


def test_mbr():
    (partition,) = parse_partitions("mmc 1", MBR)
    assert (partition.name, partition.first) == ("mmc 1:1", 2048)
    assert partition.node == "HD(1,MBR,0x1234abcd,0x800,0x186a0)"
    assert partition.esp
    assert not parse_partitions("mmc 1", MBR.replace("ef Boot", "0c Boot"))[0].esp


def test_the_tenth_partition_is_named_in_hex():
    (partition,) = parse_partitions("mmc 0", GPT.replace("  1\\t0x", " 10\\t0x"))
    assert partition.name == "mmc 0:a"


@pytest.mark.parametrize("text", ["", "## Unknown partition table type 0"])
def test_no_table(text):
    assert parse_partitions("virtio 0", text) == ()


def test_listing():
    assert parse_folder(LISTING) == Folder({"B and c.cap": 0, "a.cap": 100}, ("sub",))
    assert parse_folder("") is None


def test_a_listing_that_is_not_understood_is_not_half_read():
    with pytest.raises(FirmwareError):
        parse_folder(LISTING.replace("      100   a.cap", "      100 - a.cap"))


@pytest.mark.parametrize("name", ["System Partition", "system"])  # "system" on the sandbox
def test_handles(name):
    text = HANDLES.replace("System Partition", name)
    found = {handle.path: handle.system for handle in parse_handles(text)}
    assert found[f"{WHOLE_DISK}/{NODE}"]
    assert not found[WHOLE_DISK]
    assert len(found) == 3


def test_option_paths():
    assert parse_option_paths(OPTIONS) == {1: f"/{NODE}/\\none.efi", 0: WHOLE_DISK}


def test_alternates_with_the_size_of_their_partition():
    assert parse_alternates(DFU, DFU_ALT_INFO, MTD) == (Alternate(0, "fw", "MTD", 0x40000),)


def test_alternates_of_a_raw_flash():
    listed = DFU.replace("dev: MTD", "dev: SF")
    declared = "dfu_alt_info=sf 0:0=fw raw 0x100000 0x50000;env raw 150000 200000"
    (place,) = parse_alternates(listed, declared, "")
    assert place.size == 0x50000


def test_a_size_in_blocks_is_not_taken_for_bytes():
    listed = DFU.replace("dev: MTD", "dev: eMMC")
    (place,) = parse_alternates(listed, "dfu_alt_info=mmc 0=fw raw 0x10 0x800", "")
    assert place.size is None


def test_lowest_versions():
    assert parse_lowest_versions(LOWEST) == {(TYPE, 1): 5}
    assert parse_lowest_versions("firmware-version {\n};") == {}


@pytest.mark.parametrize(
    "text",
    [
        LOWEST.replace("image-index", "image-indexes"),
        LOWEST.replace('"058b7d83', '"no'),
        "Unknown command 'fdt' - try 'help'",
    ],
)
def test_lowest_versions_that_are_not_understood(text):
    with pytest.raises(FirmwareError):
        parse_lowest_versions(text)
