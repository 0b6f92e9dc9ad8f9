"""A handoff for a person."""

from collections.abc import Iterator
from typing import Any

Plain = dict[str, Any]

# One letter for each class of memory; what is none of them is no RAM
LETTERS = {"firmware": "F", "tables": "T", "kernel": "K", "reserved": "r", "free": "."}
_LEGEND = (
    "F kept by the firmware, T its tables, K the kernel, r reserved or used early, . free, "
    "blank: no RAM"
)
_MIB = 1 << 20


def lines(found: Plain) -> Iterator[str]:
    """Everything, a section each; what is wrong comes first."""
    boot = found["boot"]
    yield boot["firmware"]
    yield boot["kernel"]
    yield f"started {'through UEFI' if boot['uefi'] else 'without UEFI'}: {boot['arguments']}"
    yield from _verdicts(found["findings"])
    yield from _memory(found["memory"])
    yield from _tree(found["device_tree"])
    if boot["uefi"]:
        yield from _efi(found)
        yield from _variables(found["variables"])
    yield from _seeds(found["seeds"])
    yield from _macs(found["mac_addresses"])
    yield from _pci(found["pci"])
    yield from _ebpf(found["ebpf"])


def _verdicts(subjects: dict[str, list[str]]) -> Iterator[str]:
    yield from _title("what was judged")
    for subject, wrong in subjects.items():
        yield f"  {subject:<17} {'as it must be' if not wrong else f'{len(wrong)} wrong'}"
        yield from (f"    {each}" for each in wrong)


def _memory(memory: Plain) -> Iterator[str]:
    yield from _title("memory")
    kept = f", the firmware keeps {memory['kept'] // 1024} KiB" if memory["map"] else ""
    yield f"  {memory['ram'] // _MIB} MiB of RAM for the kernel{kept}"
    picture = memory["picture"]
    drawn = "".join(LETTERS.get(each, " ") for each in picture["pieces"])
    yield f"  {picture['start']} |{drawn}| {picture['piece'] // 1024} KiB each"
    yield f"  {_LEGEND}"
    for each in memory["map"]:
        if each["type"] not in ("conventional", "loader code", "loader data", "boot code"):
            size = int(each["end"], 16) - int(each["start"], 16)
            yield (
                f"  {each['start']}-{each['end']}  {size // 1024:>6} KiB  {each['type']:<14}"
                f"{each['attributes']}"
            )
    for each in memory["reserved_by_tree"]:
        how = "no-map" if each["no_map"] else "reserved"
        yield f"  {each['range']}  {how} by the device tree: {each['name']}"


def _tree(changes: list[Plain]) -> Iterator[str]:
    yield from _title("device tree: what became of U-Boot's")
    for each in changes:
        who = f"{each['by']}: {each['why']}" if each["by"] else f"NOT ALLOWED: {each['why']}"
        yield f"  {each['node']} {each['property']}"
        yield f"    {_cut(each['before'])} -> {_cut(each['after'])}"
        yield f"    {who}"


def _efi(found: Plain) -> Iterator[str]:
    yield from _title("EFI tables")
    yield from (f"  {name:<13}{at}" for name, at in found["tables"].items())
    services = found["runtime_services"]
    there = [name for name, is_there in services.items() if is_there]
    gone = [name for name, is_there in services.items() if not is_there]
    yield f"  runtime services: {', '.join(there) or 'none, or not told'}"
    yield f"  not there: {', '.join(gone) or 'none'}"
    smbios = found["smbios"]
    yield f"  SMBIOS: {smbios.get('Manufacturer', '')} {smbios.get('Product Name', '')}"
    for each in found["esrt"]:
        yield (
            f"  ESRT: {each['fw_class']} version {each['fw_version']}, lowest "
            f"{each['lowest_supported_fw_version']}, last attempt {each['last_attempt_version']} "
            f"with status {each['last_attempt_status']}"
        )


def _variables(variables: list[Plain]) -> Iterator[str]:
    yield from _title("variables")
    for each in variables:
        value = each["means"] or _cut(each["data"] or "(empty)")
        yield f"  {each['name']:<23} {each['attributes']:#04x}  {value}"


def _seeds(seeds: Plain) -> Iterator[str]:
    yield from _title("randomness")
    protocol = {True: "yes", False: "no", None: "not known"}[seeds["protocol"]]
    yield f"  EFI_RNG_PROTOCOL: {protocol}; seed table for the kernel: {_yes(seeds['table'])}"
    yield f"  seeds in U-Boot's tree: {', '.join(seeds['held']) or 'none'}"
    yield f"  still readable now: {', '.join(seeds['left']) or 'none'}"
    ready = seeds["ready"]
    when = f"after {ready:.2f} s" if ready is not None else "not yet"
    yield f"  KASLR: {seeds['kaslr'] or 'not mentioned'}; the kernel's generator is ready: {when}"


def _macs(macs: list[Plain]) -> Iterator[str]:
    yield from _title("MAC addresses in the device tree")
    for each in macs:
        origin = "U-Boot's environment" if each["from_environment"] else "the tree itself"
        yield f"  {each['node']}  {each['address']}  from {origin}"
    if not macs:
        yield "  none: no node has an alias ethernetN with an ethNaddr in the environment"


def _pci(functions: list[Plain]) -> Iterator[str]:
    yield from _title("PCI: BARs as the firmware left them -> now")
    for each in functions:
        before, now = each["bars_at_firmware"], each["bars_now"]
        notes = [f"buses {each['buses']}"] if each["buses"] else []
        notes += [f"{kind} {'on' if on else 'off'}" for kind, on in each["interrupts"].items()]
        notes += ["the firmware left bus mastering on"] if each["bus_master_left_on"] else []
        yield f"  {each['name']}  {each['identity']}  {', '.join(notes)}"
        for bar in sorted(before.keys() | now.keys()):
            one, other = before.get(bar, "none"), now.get(bar, "none")
            yield f"    BAR {bar}: {one}" + (f" -> {other}" if one != other else ", kept")


def _ebpf(ebpf: Plain) -> Iterator[str]:
    yield from _title("eBPF on this kernel")
    yield f"  programs: {ebpf['bpf']}; compiler: {ebpf['jit']}; AF_XDP: {ebpf['sockets']}"
    for card in ebpf["cards"]:
        how = "" if card["bound"] else ", not bound"
        yield f"  {card['name']}  driver {card['driver'] or 'none'}{how}: XDP {card['xdp']}"
    yield f"  looked at: {'; '.join(ebpf['looked_at'])}"


def _title(text: str) -> Iterator[str]:
    yield ""
    yield text


def _yes(said: bool) -> str:
    return "yes" if said else "no"


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
