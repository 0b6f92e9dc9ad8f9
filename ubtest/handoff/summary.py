"""All of a handoff in plain values, for JSON and for a person."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from ubtest.formats.devpath import END
from ubtest.formats.devpath_text import parse_path, path_text
from ubtest.formats.loadopt import LoadOption
from ubtest.formats.memory_map import MemoryType, Region
from ubtest.formats.record import FormatError, take
from ubtest.formats.runtime_services import SERVICES
from ubtest.formats.smbios import parse_structures, system
from ubtest.formats.varstore import Variable
from ubtest.handoff import device_tree, pci, services, tables
from ubtest.handoff.bpf import bpf
from ubtest.handoff.handed import Handoff
from ubtest.handoff.memory import reserved_by
from ubtest.handoff.spans import Spans
from ubtest.handoff.variables import variables

Plain: TypeAlias = dict[str, Any]

PIECES = 64  # of the picture of the memory
# What each piece shows: the first that is in it
CLASSES = ("firmware", "tables", "kernel", "reserved", "free")


def summary(handoff: Handoff, held: Iterable[Variable]) -> Plain:
    """Everything that was handed over, and what is wrong with it.

    :param held: the variables that U-Boot had.
    """
    return {
        "boot": _boot(handoff),
        "findings": {
            subject: [str(each) for each in found]
            for subject, found in handoff.findings(held).items()
        },
        "tables": {name: f"{at:#x}" for name, at in tables.taken(handoff.log).items()},
        "runtime_services": _services(handoff),
        "smbios": _smbios(handoff),
        "esrt": tables.esrt_of_kernel(handoff.survey),
        "memory": _memory(handoff),
        "device_tree": _tree(handoff),
        "variables": _variables(handoff),
        "seeds": vars(handoff.seeds),
        "mac_addresses": _macs(handoff),
        "pci": _pci(handoff),
        "ebpf": _bpf(handoff),
    }


def _boot(handoff: Handoff) -> Plain:
    return {
        "firmware": handoff.held("version").partition("\n")[0],
        "kernel": handoff.survey.text("release").partition("\n")[0],
        "uefi": handoff.uefi,
        "arguments": handoff.survey.text("cmdline").strip(),
    }


def _services(handoff: Handoff) -> Plain:
    said = services.services(handoff.survey).said
    return {name: name in said for name in SERVICES} if said is not None else {}


def _smbios(handoff: Handoff) -> dict[str, str]:
    table = handoff.survey.files.get("sys/firmware/dmi/tables/DMI")
    return system(parse_structures(table)) if table else {}


def _memory(handoff: Handoff) -> Plain:
    memory = handoff.memory
    kept = [each for each in memory.handed if not each.usable]
    return {
        "ram": memory.ram.size,
        "kept": sum(each.end - each.start for each in kept),
        "picture": _picture(handoff),
        "map": [_region(each) for each in memory.handed],
        "reserved_by_tree": [
            {"name": each.name, "range": str(each.span), "no_map": each.no_map}
            for each in reserved_by(handoff.before)
        ],
    }


def _region(each: Region) -> Plain:
    attributes = "|".join(sorted(each.attributes))
    return {
        "start": f"{each.start:#x}",
        "end": f"{each.end:#x}",
        "type": each.kind.text,
        "attributes": attributes,
    }


def _picture(handoff: Handoff) -> Plain:
    """RAM from its first to its last byte in pieces alike, each by what is in it."""
    memory = handoff.memory
    holes = Spans.of((e.span.start, e.span.end) for e in reserved_by(handoff.before) if e.no_map)
    kept = [each for each in memory.handed if each.is_memory and not each.usable]
    found = {
        "firmware": Spans.of((each.start, each.end) for each in kept) - holes,
        "tables": Spans.of(
            (r.start, r.end) for r in memory.handed if r.kind is MemoryType.ACPI_RECLAIM
        ),
        "kernel": memory.kernel,
        "reserved": memory.reserved | holes,
        "free": memory.ram,
    }
    every = [span for spans in found.values() for span in spans]
    if not every:
        return {"start": "0x0", "piece": 0, "pieces": []}
    start, end = min(s.start for s in every), max(s.end for s in every)
    piece = -(-(end - start) // PIECES)
    pieces = []
    for at in range(start, end, piece):
        here = Spans.of([(at, at + piece)])
        pieces.append(next((name for name in CLASSES if found[name] & here), ""))
    return {"start": f"{start:#x}", "piece": piece, "pieces": pieces}


def _tree(handoff: Handoff) -> list[Plain]:
    rows = []
    for change in device_tree.changes(handoff.before, handoff.after):
        row = device_tree.allowed_by(change, handoff.after, handoff.told)
        rows.append(
            {
                "node": change.path,
                "property": change.name,
                "before": device_tree.shown(change.before),
                "after": device_tree.shown(change.after),
                "by": row.who if row else "",
                "why": row.why if row else "nobody may change this",
            }
        )
    return rows


def _variables(handoff: Handoff) -> list[Plain]:
    found = variables(handoff.survey)
    return [
        {
            "name": name,
            "guid": str(each.guid),
            "attributes": each.attributes,
            "data": each.data.hex(),
            "means": _meaning(each),
        }
        for name, each in sorted(found.items())
    ]


def _meaning(variable: Variable) -> str:
    """A boot option by its parts, numbers of options as such, text as text."""
    name, data = variable.name, variable.data
    if name in ("BootOrder", "BootCurrent", "BootNext"):
        return " ".join(f"Boot{at:04X}" for at in memoryview(data).cast("H"))
    if name.startswith("Boot") and len(name) == 8:
        try:
            option = LoadOption.parse(data)
            paths = [path_text(parse_path(each)) for each in _paths(option.path)]
            return f"{option.description}: {', '.join(paths)}"
        except FormatError as error:
            return f"broken: {error}"
    if name in ("CapsuleLast", "CapsuleMax"):
        return data.decode("utf-16-le", "backslashreplace").rstrip("\0")
    return ""


def _paths(listed: bytes) -> Iterator[bytes]:
    """The device paths of a FilePathList one by one (UEFI 2.10 section 3.1.3).

    :raises FormatError: one of them has no end.
    """
    while listed:
        at = 0
        while listed[at : at + 2] != END[:2]:
            at += int.from_bytes(take(listed, at, 4, "device path")[2:], "little") or len(listed)
        yield listed[: at + len(END)]
        listed = listed[at + len(END) :]


def _macs(handoff: Handoff) -> list[Plain]:
    allowed = device_tree.mac_nodes(handoff.after, handoff.told.macs)
    return [
        {
            "node": node.path,
            "address": node.properties["local-mac-address"].hex(":"),
            "from_environment": node.path in allowed,
        }
        for node in handoff.after.root.walk()
        if "local-mac-address" in node.properties
    ]


def _pci(handoff: Handoff) -> list[Plain]:
    before, now = pci.at_firmware(handoff.survey), pci.at_kernel(handoff.survey)
    return [
        {
            "name": name,
            "identity": each.identity,
            "bars_at_firmware": _bars(before[name]) if name in before else {},
            "bars_now": _bars(each),
            "buses": list(each.buses),
            "bus_master_left_on": before[name].masters and each.masters if name in before else None,
            "interrupts": each.interrupts,
        }
        for name, each in now.items()
    ]


def _bars(function: pci.Function) -> dict[str, str]:
    return {str(number): f"{at:#x}" for number, at in function.bars.items()}


def _bpf(handoff: Handoff) -> Plain:
    found = bpf(handoff.survey)
    return {**vars(found), "cards": [vars(card) for card in found.cards]}
