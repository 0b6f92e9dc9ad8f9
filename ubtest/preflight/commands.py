"""The commands that mend what was found: "=> " for U-Boot's prompt, "$ " for the host."""

import shlex
from collections.abc import Iterable

from ubtest.formats.varstore import Variable
from ubtest.preflight.boot_device import boot_numbers
from ubtest.preflight.facts import CapsuleFile, Facts, Volume
from ubtest.uefi.capsules import DIRECTORY, FILE_CAPSULE_DELIVERY

FALLBACK_FILE = "/EFI/BOOT/BOOTAA64.EFI"  # an option names a file, which capsules do not need
MOUNTED = "/boot/efi"  # where distributions mount the ESP


def at_prompt(*lines: str) -> tuple[str, ...]:
    return tuple(f"=> {line}" for line in lines)


def on_host(*commands: Iterable[object]) -> tuple[str, ...]:
    return tuple(f"$ {shlex.join(map(str, command))}" for command in commands)


def request(facts: Facts) -> tuple[str, ...]:
    """Ask for the update.

    It is the last command at the prompt: U-Boot takes the request back whenever its EFI subsystem
    starts, also where it finds no boot device (check_run_capsules), and the first EFI command
    after a reset starts it.
    """
    if facts.config.enabled("EFI_IGNORE_OSINDICATIONS"):
        return ()
    value = FILE_CAPSULE_DELIVERY
    variables = facts.variables
    if isinstance(variables, dict) and (now := variables.get("OsIndications")):
        value |= int.from_bytes(now.data[:8], "little")
    return at_prompt(f"setenv -e -nv -bs -rt -v OsIndications =0x{value:016x}")


def lead_to(
    facts: Facts, volume: Volume, variables: dict[str, Variable], good: Iterable[int]
) -> tuple[str, ...]:
    """Let BootOrder start with a partition.

    :param good: active options that lead to it.
    """
    order = boot_numbers(variables.get("BootOrder"))
    known = [number for number in order if f"Boot{number:04X}" in variables]
    number = next(iter(good), None)
    lines = []
    if number is None:
        number = next(n for n in range(1, 1 << 16) if f"Boot{n:04X}" not in variables)
        name = volume.partition.name
        lines.append(f"efidebug boot add -b {number:04X} capsules {name} {FALLBACK_FILE}")
    rest = (f" {each:04X}" for each in known if each != number)
    lines.append(f"efidebug boot order {number:04X}{''.join(rest)}")
    return at_prompt(*lines) + request(facts)


def forget_boot_next(facts: Facts) -> tuple[str, ...]:
    return at_prompt("setenv -e BootNext") + request(facts)


def disk(facts: Facts) -> str:
    """The disk as a host's programs take it."""
    return str(facts.disk) if facts.disk else "/dev/DISK"


def put_capsule(facts: Facts, volume: Volume, file: str | None) -> tuple[str, ...]:
    """Copy a capsule to where the firmware looks."""
    name = file or "FILE.cap"
    if facts.disk is None:
        folder = f"{MOUNTED}/{DIRECTORY}"
        return on_host(["mkdir", "-p", folder], ["cp", name, f"{folder}/"])
    there = {each.lower() for each in volume.root.folders} if volume.root else set()
    missing = [] if "efi" in there else ["::/EFI"]
    missing += [] if volume.capsules else [f"::/{DIRECTORY}"]
    commands: list[list[object]] = [["mmd", "-i", image(facts, volume), *missing]] * bool(missing)
    commands.append(["mcopy", "-i", image(facts, volume), name, f"::/{DIRECTORY}/"])
    return on_host(*commands)


def mend_capsule(
    facts: Facts, volume: Volume | None, each: CapsuleFile, better: list[str] | None
) -> tuple[str, ...]:
    """Make a better capsule and put it in the place of one that is refused.

    :param better: the arguments of `ubtest capsule` that make NEW.cap, of OLD.cap where it is
        named; None: a file that is good has to be there already.
    """
    placed = volume is not None and each in volume.files
    good = "NEW.cap" if better else "FILE.cap"
    if facts.capsule and facts.capsule != each and not better:
        good = facts.capsule.name
    made: list[list[object]] = []
    if better:
        old = "OLD.cap" if placed else each.name
        made.append(["ubtest", "capsule", *(old if word == "OLD.cap" else word for word in better)])
    if not placed or volume is None:
        return on_host(*made)
    there, fetch, put = f"{MOUNTED}/{DIRECTORY}/{each.name}", ["cp"], ["cp"]
    if facts.disk:
        there = f"::/{DIRECTORY}/{each.name}"
        fetch = ["mcopy", "-n", "-i", image(facts, volume)]
        put = ["mcopy", "-o", "-i", image(facts, volume)]
    fetched = [[*fetch, there, "OLD.cap"]] if better and "OLD.cap" in better else []
    return on_host(*fetched, *made, [*put, good, there])


def signer(facts: Facts) -> list[str]:
    """The options that sign with a key that the firmware trusts."""
    return ["--sign", facts.signer] if facts.signer else ["--key", "KEY.pem", "--cert", "CERT.pem"]


def image(facts: Facts, volume: Volume) -> str:
    """A partition of the image as mtools take it."""
    return f"{facts.disk}@@{volume.partition.first * 512}"
