"""What became of a device tree between U-Boot and the kernel, and whether each change is one that
somebody may make."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree
from ubtest.handoff.finding import Finding

RULE = "the kernel's device tree is the one that U-Boot held"
MAC_RULE = "local-mac-address of a node with an alias ethernetN is the environment's"
NODE, ORDER, RESERVATIONS, BOOT_CPU = "(node)", "(order)", "(reservations)", "(boot cpu)"


@dataclass(frozen=True)
class Change:
    """One property that is not as it was.

    :param name: of the property, or one of the words in parentheses: a whole node, the order of
        its nodes, the block of reservations, the boot CPU.
    :param before: None when it was not there.
    :param after: None when it is gone.
    """

    path: str
    name: str
    before: bytes | None
    after: bytes | None

    def __str__(self) -> str:
        return f"{self.path} {self.name}: {shown(self.before)} -> {shown(self.after)}"


def shown(value: bytes | None) -> str:
    """A property for a person: text where it is text, else cells or bytes."""
    if value is None:
        return "(not there)"
    if not value:
        return "(empty)"
    words = value.split(b"\0")
    if value.endswith(b"\0") and all(word and word.isascii() for word in words[:-1]):
        text = [word.decode() for word in words[:-1]]
        if all(word.isprintable() for word in text):
            return ", ".join(f'"{word}"' for word in text)
    if len(value) % 4:
        return f"[{value.hex(' ')}]"
    cells = [value[at : at + 4].hex().lstrip("0") or "0" for at in range(0, len(value), 4)]
    return "<" + " ".join(f"0x{cell}" for cell in cells) + ">"


@dataclass(frozen=True)
class Setting:
    """What the firmware was told that may show in the tree.

    :param macs: `ethaddr`, `eth1addr` and so on by number, as six bytes each.
    :param banks: start and size of each bank of memory that it found.
    :param uefi: the kernel was started through its EFI stub, not by `booti`.
    """

    macs: Mapping[int, bytes] = field(default_factory=dict)
    banks: tuple[tuple[int, int], ...] = ()
    uefi: bool = True


@dataclass(frozen=True)
class Allowed:
    """A change that somebody has to make, and who.

    :param path: of nodes, as a regular expression.
    :param name: of properties, likewise.
    :param holds: what must be true of the change.
    """

    path: str
    name: str
    who: str
    why: str
    holds: Callable[[Change, DeviceTree, Setting], bool] = lambda change, tree, told: True

    def covers(self, change: Change, tree: DeviceTree, told: Setting) -> bool:
        named = re.fullmatch(self.path, change.path) and re.fullmatch(self.name, change.name)
        return bool(named) and self.holds(change, tree, told)


def _through_stub(change: Change, tree: DeviceTree, told: Setting) -> bool:
    return told.uefi


def _by_hand(change: Change, tree: DeviceTree, told: Setting) -> bool:
    return not told.uefi


def _spent(change: Change, tree: DeviceTree, told: Setting) -> bool:
    return change.after is None or not any(change.after)


def _gone(change: Change, tree: DeviceTree, told: Setting) -> bool:
    return change.after is None


def _address(change: Change, tree: DeviceTree, told: Setting) -> bool:
    return change.after in mac_nodes(tree, told.macs).get(change.path, ())


def _banks(change: Change, tree: DeviceTree, told: Setting) -> bool:
    node = tree.at(change.path)
    return node is not None and node.reg == told.banks


ALLOWED = (
    Allowed("/chosen", "u-boot,version", "U-Boot", "says who handed over"),
    Allowed("/chosen", "(linux,)?stdout-path", "U-Boot", "its console"),
    Allowed("/chosen", "u-boot,bootconf", "U-Boot", "the configuration of a FIT image"),
    Allowed("/chosen", "bootargs", "U-Boot or the EFI stub", "the kernel's command line"),
    Allowed(
        "/chosen", "linux,initrd-(start|end)", "U-Boot", "where the initrd is, for booti", _by_hand
    ),
    Allowed(
        "/chosen",
        "linux,uefi-(system-table|mmap-(start|size|desc-size|desc-ver)|secure-boot)",
        "the EFI stub",
        "how the kernel finds UEFI",
        _through_stub,
    ),
    Allowed(
        "/chosen", "kaslr-seed", "U-Boot, the EFI stub, the kernel", "used and overwritten", _spent
    ),
    Allowed("/chosen", "rng-seed", "U-Boot or the kernel", "used and taken out", _gone),
    Allowed(
        "/.*",
        "(local-)?mac-address",
        "U-Boot",
        "ethaddr and its like, for the nodes that the aliases ethernetN name",
        _address,
    ),
    Allowed("/memory(@.*)?", "reg", "U-Boot", "the banks that it found; same as in bdinfo", _banks),
    Allowed(
        "/", re.escape(RESERVATIONS), "the EFI stub", "UEFI's memory map has them", _through_stub
    ),
    Allowed("/", re.escape(RESERVATIONS), "U-Boot", "the initrd, for booti", _by_hand),
)


def mac_nodes(tree: DeviceTree, macs: Mapping[int, bytes]) -> dict[str, tuple[bytes, ...]]:
    """Which addresses a node may have from the firmware's environment, by its path
    (boot/fdt_support.c, fdt_fixup_ethernet)."""
    found: dict[str, tuple[bytes, ...]] = {}
    for alias, target in tree.aliases.items():
        number = re.fullmatch(r"ethernet(\d*)", alias)
        node = tree.at(target) if number else None
        if number and node is not None and (mac := macs.get(int(number[1] or 0))):
            found[node.path] = (*found.get(node.path, ()), mac)
    return found


def changes(before: DeviceTree, after: DeviceTree) -> tuple[Change, ...]:
    """Every difference of two trees, from the root down."""
    return (*_of_head(before, after), *_of_nodes(before.root, after.root))


def _of_head(before: DeviceTree, after: DeviceTree) -> Iterator[Change]:
    one, other = (
        b"".join(each.address.to_bytes(8, "big") + each.size.to_bytes(8, "big") for each in rows)
        for rows in (before.reservations, after.reservations)
    )
    if one != other:
        yield Change("/", RESERVATIONS, one, other)
    if before.boot_cpu != after.boot_cpu:
        cpus = (each.boot_cpu.to_bytes(4, "big") for each in (before, after))
        yield Change("/", BOOT_CPU, *cpus)


def _of_nodes(before: DeviceNode, after: DeviceNode) -> Iterator[Change]:
    for name in {**before.properties, **after.properties}:
        one, other = before.properties.get(name), after.properties.get(name)
        if one != other:
            yield Change(after.path, name, one, other)
    for name in {**before.nodes, **after.nodes}:
        below, now = before.nodes.get(name), after.nodes.get(name)
        if below and now:
            yield from _of_nodes(below, now)
        elif below or now:
            yield from _whole(below, now)
    kept = [name for name in before.nodes if name in after.nodes]
    if kept != (now_kept := [name for name in after.nodes if name in before.nodes]):
        yield Change(after.path, ORDER, " ".join(kept).encode(), " ".join(now_kept).encode())


def _whole(before: DeviceNode | None, after: DeviceNode | None) -> Iterator[Change]:
    """A node that came or went, with all that was in it."""
    top = before or after
    for node in top.walk() if top else ():
        sides = (b"", None) if before else (None, b"")
        yield Change(node.path, NODE, *sides)
        for name, value in node.properties.items():
            yield Change(node.path, name, *((value, None) if before else (None, value)))


def allowed_by(change: Change, tree: DeviceTree, told: Setting) -> Allowed | None:
    """The row of the table that allows a change; None when none does.

    :param tree: the one after it.
    """
    return next((row for row in ALLOWED if row.covers(change, tree, told)), None)


def findings(before: DeviceTree, after: DeviceTree, told: Setting) -> list[Finding]:
    """The changes that nobody may make, and the addresses that U-Boot should have put in."""
    found = [
        Finding(RULE, str(change))
        for change in changes(before, after)
        if not allowed_by(change, after, told)
    ]
    for path, macs in mac_nodes(after, told.macs).items():
        node = after.at(path)
        if node is not None and node.properties.get("local-mac-address") not in macs:
            found.append(Finding(MAC_RULE, f"{path} has none of {_macs(macs)}"))
    return found


def _macs(macs: tuple[bytes, ...]) -> str:
    return ", ".join(mac.hex(":") for mac in macs)
