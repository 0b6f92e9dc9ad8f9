"""The UEFI memory map in both printed forms, as 2025.01 and Linux 6.1 print it."""

import pytest

from ubtest.formats.memory_map import MemoryType, of_kernel, of_uboot
from ubtest.formats.record import FormatError

UBOOT = """\
Type             Start            End              Attributes
================ ================ ================ ==========
CONVENTIONAL     0000000040000000-000000007d62c000 WB
RUNTIME DATA     000000007d62e000-000000007d62f000 WB|RT
ACPI RECLAIM MEM 000000007d62f000-000000007d630000 WB
IO               0000000080000000-0000000080001000 RT
"""
KERNEL = """\
[    0.000000] efi: Processing EFI memory map:
[    0.000000] efi:   0x000040000000-0x00004dd2ffff [Conventional|   |  |  |  |  |  |  |  |  |  |   |WB|  |  |  ]
[    0.000000] efi:   0x00007d62a000-0x00007d62afff [Runtime Data|RUN|  |  |  |  |  |  |  |  |  |   |WB|  |  |  ]
[    0.000000] efi:   0x000080000000-0x000080000fff [MMIO        |RUN|  |  |  |  |  |  |  |  |  |   |  |  |  |UC]
"""  # noqa: E501


def test_uboots():
    free, data, tables, io = of_uboot(UBOOT)
    assert (free.start, free.end, free.kind) == (0x40000000, 0x7D62C000, MemoryType.CONVENTIONAL)
    assert free.usable and not free.runtime
    assert data.runtime and not data.usable
    assert tables.kind is MemoryType.ACPI_RECLAIM and tables.usable
    assert io.kind is MemoryType.MMIO and not io.is_memory


def test_the_kernels():
    free, data, io = of_kernel(KERNEL)
    assert (free.start, free.end, free.kind) == (0x40000000, 0x4DD30000, MemoryType.CONVENTIONAL)
    assert free.attributes == {"WB"}
    assert data.attributes == {"WB", "RT"}
    assert io.kind is MemoryType.MMIO and not io.is_memory


def test_a_log_without_a_map_has_none():
    assert of_kernel("[    0.000000] efi: EFI v2.100 by Das U-Boot\n") == ()


@pytest.mark.parametrize(
    "text", ["", "FANCY MEMORY     0000000040000000-000000007d62c000 WB\n"], ids=["none", "unknown"]
)
def test_no_map_of_uboot_is_an_error(text):
    with pytest.raises(FormatError):
        of_uboot(text)


def test_an_unknown_type_of_the_kernels_is_an_error():
    with pytest.raises(FormatError, match="Imaginary"):
        of_kernel(KERNEL.replace("Conventional", "Imaginary   "))
