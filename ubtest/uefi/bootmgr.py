"""The variables that say what is booted (UEFI 2.10 section 3.1), as an operating system writes
them: they also say on which disk the firmware looks for capsules."""

import struct

from ubtest.formats.devpath import END, HardDrive, file_path, hard_drive
from ubtest.formats.gpt import GptPartition
from ubtest.formats.guid import GLOBAL_VARIABLE
from ubtest.formats.loadopt import ACTIVE, LoadOption
from ubtest.formats.varstore import Variable
from ubtest.uefi.variables import PERSISTENT

NO_SUCH_FILE = "\\none.efi"  # an entry names a file, and capsules do not care whether it is there


def boot_entry(number: int, partition: GptPartition, *, attributes: int = ACTIVE) -> Variable:
    """Boot#### for the first partition of a disk, in the short form that needs no bus."""
    drive = HardDrive(
        1,
        partition.first_lba,
        partition.last_lba - partition.first_lba + 1,
        partition.unique_guid,
    )
    path = hard_drive(drive) + file_path(NO_SUCH_FILE) + END
    option = LoadOption("ubtest", path, attributes)
    return boot_variable(number, option.pack())


def boot_variable(number: int, value: bytes) -> Variable:
    """Boot#### with any value, a packed load option or not."""
    return _variable(f"Boot{number:04X}", value)


def boot_order(*numbers: int) -> Variable:
    """BootOrder: the entries in the order in which they are tried."""
    return _variable("BootOrder", struct.pack(f"<{len(numbers)}H", *numbers))


def boot_next(number: int) -> Variable:
    """BootNext: the entry that comes before BootOrder, once."""
    return _variable("BootNext", struct.pack("<H", number))


def _variable(name: str, data: bytes) -> Variable:
    return Variable(name, GLOBAL_VARIABLE, PERSISTENT, 0, data)
