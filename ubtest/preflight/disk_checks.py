"""The disk: is there one, has it an ESP, and a file system that U-Boot reads?"""

from ubtest.formats.gpt import SECTOR
from ubtest.preflight import commands
from ubtest.preflight.facts import Facts, Unread, Volume
from ubtest.preflight.finding import Answer, note, ok, problem, unknown
from ubtest.uefi.on_disk import VARIABLE_FILE


def disk(facts: Facts) -> Answer:
    if facts.device in facts.devices:
        return ok(f"U-Boot finds {facts.device}")
    others = f"; it finds {', '.join(facts.devices)}" if facts.devices else ""
    return problem(
        f"U-Boot finds no disk {facts.device}{others}",
        "a disk is seen by the EFI subsystem when its driver has found it (common/usb.c, "
        "drivers/virtio, lib/efi_loader/efi_disk.c); in QEMU there is one with --disk",
        *commands.at_prompt(facts.find, f"part list {facts.device}"),
    )


def partitions(facts: Facts) -> Answer:
    if facts.device not in facts.devices:
        return unknown(f"there is no {facts.device}")
    if facts.own_volumes:
        return ok(f"{facts.device} has {_counted(len(facts.own_volumes))}")
    where = commands.disk(facts)
    return problem(
        f"{facts.device} has no partition table that U-Boot knows",
        "without partitions there is no EFI system partition (disk/part.c, part_init); the "
        "command makes one where the file system of most images starts",
        *commands.on_host(["sgdisk", "--new=1:2048:0", "--typecode=1:ef00", where]),
    )


def system_partition(facts: Facts) -> Answer:
    if not facts.own_volumes:
        return unknown("there are no partitions")
    if facts.systems:
        names = ", ".join(each.partition.name for each in facts.systems)
        return ok(f"{names} is an EFI system partition by its type")
    likely = _likely(facts.own_volumes)
    partition, where = likely.partition, commands.disk(facts)
    number = partition.number
    mend = ["sgdisk", f"--typecode={number}:ef00", where]
    if ",MBR," in partition.node:
        mend = ["sfdisk", "--part-type", where, str(number), "ef"]
    return problem(
        f"no partition of {facts.device} is an EFI system partition: {partition.name} has the "
        f"type {partition.kind}",
        "U-Boot looks at the type and takes no other partition for capsules or variables "
        "(efi_capsule.c, device_is_present_and_system_part; efi_disk.c; UEFI 2.10 section 13.3)",
        *commands.on_host(mend),
    )


def file_system(facts: Facts) -> Answer:
    if not facts.systems:
        return unknown("there is no EFI system partition")
    bad = [each for each in facts.systems if each.root is None]
    if not bad:
        return ok("U-Boot reads the file system there")
    partition = bad[0].partition
    sectors = int(partition.node.rstrip(")").rpartition(",")[2], 16)
    target: list[object] = [f"{commands.disk(facts)}", sectors * SECTOR // 1024]
    return problem(
        f"U-Boot cannot read the file system of {partition.name}",
        "a system partition without a FAT file system has no variables and no capsules "
        "(efi_capsule.c, find_boot_device: EFI_DEVICE_ERROR); the command makes a new, empty one",
        *commands.on_host(["mkfs.vfat", f"--offset={partition.first}", *target]),
    )


def store(facts: Facts) -> Answer:
    """Whether the firmware will find its variables."""
    if not facts.config.enabled("EFI_VARIABLE_FILE_STORE"):
        return ok("the variables are not in a file on the disk")
    first = facts.systems[0] if facts.systems else None
    if first is None or first.root is None:
        return unknown("there is no system partition that is read")
    if isinstance(first.store, Unread):
        return problem(
            first.store.why,
            "U-Boot starts without any variable then: no request, no boot option "
            "(efi_var_file.c, efi_var_from_file: Invalid EFI variables file)",
            *commands.at_prompt(f"fatrm {first.partition.name} {VARIABLE_FILE}", "reset"),
        )
    if first.store is None:
        return ok(f"{VARIABLE_FILE} is not there yet; U-Boot makes it")
    return ok(f"{VARIABLE_FILE} holds {_counted(len(first.store), 'variable')}")


def deletes(facts: Facts) -> Answer:
    if facts.config.enabled("FAT_WRITE"):
        return ok("the firmware can delete the file after the update")
    return note(
        "the firmware cannot delete files from FAT (CONFIG_FAT_WRITE is off)",
        "the capsule stays, and with CONFIG_EFI_IGNORE_OSINDICATIONS it is applied at every boot; "
        "variables are not kept either (efi_capsule.c, efi_capsule_delete_file)",
        "$ scripts/config -e FAT_WRITE && make olddefconfig",
    )


def _likely(volumes: tuple[Volume, ...]) -> Volume:
    """The partition that was probably meant to be the ESP."""
    readable = [each for each in volumes if each.root]
    with_efi = [e for e in readable if e.root and "efi" in map(str.lower, e.root.folders)]
    return (with_efi or readable or list(volumes))[0]


def _counted(number: int, noun: str = "partition") -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
