"""The boot probe itself: what it says is true, and it is not heard where it must not start."""

from dataclasses import replace
from pathlib import Path
from zlib import crc32

import pytest
from boot_names import ENTRY

from ubtest.errors import CaseError
from ubtest.formats.devpath import END, file_path
from ubtest.formats.devpath_text import parse_path, path_text
from ubtest.formats.guid import Guid
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.status import ERROR, LOAD_ERROR, in_bits
from ubtest.media.build import build_image, partition_of
from ubtest.media.damage import DAMAGES
from ubtest.media.spec import Image, esp_image
from ubtest.probe.build import TARGETS, compile_probe
from ubtest.probe.facts import Initrd
from ubtest.probe.orders import Orders, told
from ubtest.project import Project
from ubtest.uefi import variables
from ubtest.uefi.boot import boot, started

pytestmark = pytest.mark.needs("CMD_BOOTEFI_BOOTMGR", "!SANDBOX")

ACPI = Guid.of("8868e871-e4f1-11d3-bc22-0080c73c8881")  # EFI_ACPI_20_TABLE_GUID
DEVICE_TREE = Guid.of("b1b621d5-f19c-41a5-830b-d9152c69aae0")  # EFI_DTB_TABLE_GUID


def differ(one: Image, other: Image, folder: Path) -> bool:
    """Whether two images are not the same bytes."""
    contents = {build_image(each, folder / "compared.img").sha256() for each in (one, other)}
    return len(contents) > 1


def test_an_option_starts_it_and_its_facts_are_true(
    board, firmware, insert, machine, boot_file, option, orders
):
    image = esp_image(boot_file(orders))
    insert(image)
    made = option(image, orders.options)
    tried = boot(board)
    assert tried.nonces() == [orders.nonce]
    facts = tried.facts
    assert tried.status == 0
    assert (facts.arch, facts.boot_current, facts.boot_order) == (machine.name, ENTRY, (ENTRY,))
    assert facts.boot_next is None
    assert facts.options == orders.options == made.data
    acpi = firmware.config.enabled("GENERATE_ACPI_TABLE")
    assert {ACPI, DEVICE_TREE} & set(facts.tables) == {ACPI if acpi else DEVICE_TREE}
    assert facts.file == file_path(machine.boot_path_name) + END
    assert facts.path == made.path  # what LoadImage() was given: the short form (section 9.2)
    assert path_text(parse_path(facts.path)) == facts.text
    nodes = parse_path(facts.device)
    partition = partition_of(image)
    sectors = partition.last_lba - partition.first_lba + 1
    assert str(nodes[-1]) == (
        f"HD(1,GPT,{partition.unique_guid},{partition.first_lba:#x},{sectors:#x})"
    )
    assert (facts.secure_boot, facts.setup_mode) == (0, 1)
    assert facts.os_indications_supported is not None
    assert facts.vendor == "Das U-Boot"


@pytest.mark.needs("auto-boot-options")
def test_it_starts_by_itself_from_the_default_path(board, insert, machine, boot_file, orders):
    insert(esp_image(boot_file(orders)))
    tried = boot(board)
    assert tried.nonces() == [orders.nonce]
    made = variables.read(board.uboot, f"Boot{tried.facts.boot_current:04X}")
    disk = LoadOption.parse(made.data).path  # the firmware adds the partition and the file
    assert tried.facts.device.startswith(disk.removesuffix(END))
    assert tried.facts.options == b""  # the mark of such an option is not for the image
    assert tried.facts.file == file_path(machine.boot_path_name) + END
    assert tried.facts.path == tried.facts.device.removesuffix(END) + tried.facts.file
    assert path_text(parse_path(tried.facts.path)) == tried.facts.text


def test_without_an_option_for_it_nothing_starts(board, insert, boot_file, option, orders):
    insert(esp_image(boot_file(orders)))
    option(replace(esp_image({}), identity="a disk that is not there"))
    tried = boot(board)
    assert tried.runs == ()
    assert tried.status not in (0, None)


@pytest.mark.parametrize("name", [name for name, each in DAMAGES.items() if each.boots])
def test_a_damage_that_does_not_matter(board, insert, boot_file, option, orders, name):
    image = esp_image(boot_file(orders), damage=(name,))
    insert(image)
    option(image)
    assert boot(board).nonces() == [orders.nonce]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            name,
            marks=[pytest.mark.known_bug("truncated-image-starts")]
            if name == "truncated-pe"
            else [],
        )
        for name, each in DAMAGES.items()
        if not each.boots
    ],
)
def test_a_damaged_image_does_not_start(board, insert, boot_file, option, orders, tmp_path, name):
    good = esp_image(boot_file(orders))
    image = replace(good, damage=(name,))
    if not differ(good, image, tmp_path):  # where a known bug is expected, a sound image is, too
        raise CaseError(f"the damage {name} leaves the image as it is")
    insert(image)
    option(image)
    tried = boot(board)
    assert tried.runs == ()
    assert tried.status not in (0, None)
    assert board.uboot.check("echo still here") == "still here"


@pytest.mark.needs("TARGET_QEMU_ARM_32BIT")
@pytest.mark.known_bug("thumb-relocations")
def test_an_image_as_clang_makes_it_by_itself(board, insert, machine, option, orders, tmp_path):
    """Without -mno-movt, addresses stand in instructions; Microsoft's PE format has a relocation
    for that."""
    target = replace(TARGETS[machine.name], flags=())
    made = compile_probe(Project.find().root / "images" / "probe", target, tmp_path).read_bytes()
    image = esp_image({machine.boot_path: told(made, orders)})
    insert(image)
    option(image)
    assert boot(board).nonces() == [orders.nonce]


@pytest.mark.parametrize("status", [0, LOAD_ERROR, ERROR | 77])
def test_it_returns_the_status_that_it_is_told(board, insert, machine, boot_file, option, status):
    orders = Orders(exit=status)
    image = esp_image(boot_file(orders))
    insert(image)
    option(image)
    tried = boot(board)
    assert tried.facts.ending == f"exit:{in_bits(status, machine.bits):x}"
    assert (tried.status == 0) == (status == 0)
    if status:
        assert f"r = {status & ~ERROR}" in tried.text


def test_load_options_win_over_the_image(board, insert, boot_file, option, orders):
    image = esp_image(boot_file(Orders(nonce="from-the-image", exit=LOAD_ERROR)))
    insert(image)
    option(image, orders.options)
    tried = boot(board)
    assert (tried.nonces(), tried.status) == ([orders.nonce], 0)


def test_it_resets(board, insert, boot_file, option):
    orders = Orders(reset="cold")
    image = esp_image(boot_file(orders))
    insert(image)
    option(image)
    tried = boot(board)
    assert (tried.nonces(), tried.reset) == ([orders.nonce], True)
    assert board.uboot.check("echo back") == "back"


def test_it_hangs(board, insert, boot_file, option):
    orders = Orders(hang=True)
    image = esp_image(boot_file(orders))
    insert(image)
    option(image)
    assert started(board).nonce == orders.nonce


@pytest.mark.needs("CMD_EFIDEBUG", "EFI_LOAD_FILE2_INITRD")
def test_it_finds_the_initrd_of_its_option(board, insert, machine, boot_file, orders):
    initrd = bytes(range(256)) * 40 + b"the end"
    insert(esp_image(boot_file(orders) | {"initrd.img": initrd}))
    partition = board.storage.partition
    files = f"-b {ENTRY} probe {partition} {machine.boot_path} -i {partition} initrd.img"
    board.uboot.check(f"efidebug boot add {files}")
    board.uboot.check(f"efidebug boot order {ENTRY}")
    tried = boot(board)
    assert tried.nonces() == [orders.nonce]
    assert tried.facts.initrd == Initrd(len(initrd), crc32(initrd))


def test_without_an_initrd_it_finds_none(board, insert, boot_file, option, orders):
    image = esp_image(boot_file(orders))
    insert(image)
    option(image)
    facts = boot(board).facts
    assert (facts.nonce, facts.initrd, facts.initrd_error) == (orders.nonce, None, None)
