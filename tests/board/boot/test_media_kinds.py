"""The probe starts from every kind of medium that an image can be."""

from dataclasses import replace

import pytest

from ubtest.formats.devpath_text import parse_path
from ubtest.formats.mbr import LOGICAL_FROM
from ubtest.media.spec import Image, Partition
from ubtest.uefi.boot import boot

# Nothing here writes an option: without the firmware's own, a refusal would say nothing
pytestmark = pytest.mark.needs("CMD_BOOTEFI_BOOTMGR", "!SANDBOX", "auto-boot-options")

MiB = 1 << 20


SHAPES = {
    "gpt, fat12": Image((Partition(fat=12),)),
    "gpt, fat32": Image((Partition(fat=32),)),
    "mbr, fat16": Image((Partition(),), table="mbr"),
    "mbr, fat32, behind another": Image(
        (Partition(kind="linux", fat=None, size=8 * MiB), Partition(fat=32)), table="mbr"
    ),
    "mbr, second logical drive": Image(
        (
            Partition(kind="linux", fat=None, size=8 * MiB),
            Partition(kind="basic-data", fat=12, size=8 * MiB, logical=True),
            Partition(logical=True),
        ),
        table="mbr",
    ),
    "gpt, behind two others": Image(
        (
            Partition(kind="linux", fat=None, size=8 * MiB),
            Partition(kind="basic-data", fat=12, size=8 * MiB),
            Partition(),
        )
    ),
    "iso": Image((Partition(fat=12, size=2 * MiB),), table="iso"),
}


def last_number(image: Image) -> int:
    """The number of the last partition; logical drives have theirs from 5 on."""
    logical = sum(each.logical for each in image.partitions)
    return LOGICAL_FROM - 1 + logical if logical else len(image.partitions)


def holding(image: Image, files: dict[str, bytes]) -> Image:
    last = replace(image.partitions[-1], files=files)
    return replace(image, partitions=(*image.partitions[:-1], last))


@pytest.mark.parametrize("shape", SHAPES)
def test_it_starts_by_itself(board, insert, boot_file, orders, shape):
    image = SHAPES[shape]
    insert(holding(image, boot_file(orders)))
    tried = boot(board)
    assert tried.nonces() == [orders.nonce]
    node = str(parse_path(tried.facts.device)[-1])
    number = last_number(image)
    assert node.startswith("HD(" if image.table != "iso" else "CDROM(")
    if image.table != "iso":
        assert node.startswith(f"HD({number},{image.table.upper()},")


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_boot_file_nothing_starts(board, insert, boot_file, orders, shape):
    image = holding(SHAPES[shape], boot_file(orders))
    insert(replace(image, damage=("no-boot-file",)))
    tried = boot(board)
    assert tried.runs == ()
    assert tried.status not in (0, None)
