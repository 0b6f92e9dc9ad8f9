"""Gives devices of a live target to VFIO, has them probed, and gives them back."""

import gzip
import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ubtest.errors import CaseError, FirmwareError
from ubtest.handoff.devices import Device, needed
from ubtest.handoff.facts import Target
from ubtest.handoff.survey import PCI, PLATFORM, Shell, Survey
from ubtest.handoff.vfio import Probed
from ubtest.kernel.vfio_probe import NAME, in_python, vfio_probe

# As on any target that is made ready for VFIO; what cannot be loaded is what the survey then says
MODULES = "modprobe -a vfio-pci vfio_iommu_type1"
# What says which devices there are and who needs them
BEFORE = ("release", "mounts", "swaps", "blocks", "devices", "links", "groups")
_PUT_AT = "/run/ubtest-vfio-probe"


def examine(shell: Shell, names: Iterable[str] = (), *, prepare: str = MODULES) -> Survey:
    """A survey with the probe's word on devices, which are on VFIO only meanwhile.

    :param names: which; none for the PCI devices that no host driver has, as for a start.
    :param prepare: what is run before, to have VFIO's modules.
    :raises CaseError: there is no such device, or one that the target itself needs.
    """
    target = Target(Survey.gather(shell, BEFORE))
    wanted = [refuse_needed(target, name) for name in names] or idle(target)
    if prepare:
        platform = any(each.bus == "platform" for each in wanted)
        shell.run(prepare + ("; modprobe vfio-platform" if platform else ""))
    with on_vfio(shell, wanted):
        said = probe(shell, [each.name for each in wanted])
        survey = Survey.gather(shell)
    for name, lines in said.items():
        survey = survey.probed(name, lines)
    return survey


def idle(target: Target) -> list[Device]:
    """The PCI devices that nobody would miss."""
    found = (each for each in target.devices.values() if each.bus == "pci" and not each.is_bridge)
    return [each for each in found if each.driver is None or each.on_vfio]


def refuse_needed(target: Target, name: str) -> Device:
    """A device that may be taken from its driver.

    :raises CaseError: there is no such device, or the target needs it.
    """
    device = target.device(name)
    group = target.groups.get(device.group) if device.group is not None else None
    for member in group.devices if group else (name,):
        reason = needed(target.survey, target.devices[member]) if member in target.devices else ""
        if reason:
            whose = "it" if member == name else f"its sibling {member}"
            raise CaseError(
                f"{name} stays with its driver: the target needs {whose}, {reason}",
                next_step="pass another device, or start the target from another disk",
            )
    return device


@contextmanager
def on_vfio(shell: Shell, wanted: Iterable[Device]) -> Iterator[None]:
    """Bind devices to VFIO, and give each back to the driver that had it.

    One that is there already stays: a guest may have it, and unbinding would wait for its end.
    Whether VFIO took one is not asked here: the survey says it.

    :raises FirmwareError: a device did not come back.
    """
    bound = [each for each in wanted if not each.on_vfio]
    shell.run("; ".join(map(_bind, bound)) or ":")
    try:
        yield
    finally:
        shell.run("; ".join(map(_give_back, bound)) or ":")
        _check_back(shell, bound)


def _bind(device: Device) -> str:
    where = place(device)
    return (
        f"echo {device.vfio_driver} > {where}/driver_override; {_unbind(device)}; "
        f"echo {device.name} > /sys/bus/{device.bus}/drivers_probe"
    )


def _give_back(device: Device) -> str:
    again = f"; echo {device.name} > /sys/bus/{device.bus}/drivers_probe" if device.driver else ""
    override = device.override or ""
    return f"{_unbind(device)}; echo {override} > {place(device)}/driver_override{again}"


def _unbind(device: Device) -> str:
    driver = f"{place(device)}/driver"
    return f"[ ! -e {driver} ] || echo {device.name} > {driver}/unbind"


def _check_back(shell: Shell, bound: Iterable[Device]) -> None:
    for each in bound:
        shown = shell.run(f"readlink {place(each)}/driver").output.decode().strip()
        driver = shown.rpartition("/")[2] or None
        if driver != each.driver:
            raise FirmwareError(
                f"{each.name} was with {each.driver or 'no driver'} and is now with "
                f"{driver or 'none'}",
                next_step="look at dmesg on the target",
            )


def place(device: Device) -> str:
    """Its folder in sysfs."""
    return f"{PCI if device.bus == 'pci' else PLATFORM}/{device.name}"


def probe(shell: Shell, names: Iterable[str]) -> dict[str, bytes]:
    """The probe's lines by device; it is put on the target where it is not there.

    :raises FirmwareError: the probe says nothing.
    """
    found = {}
    wanted = [shlex.quote(name) for name in names]
    program = _program(shell) if wanted else ""
    if wanted:
        said = shell.run(f"{program} {' '.join(wanted)}", 30 + 10 * len(wanted)).output
        for name in wanted:
            mark = b'{"device":"%s"' % name.encode()
            found[name] = b"\n".join(line for line in said.splitlines() if line.startswith(mark))
            if not Probed.read(found[name].decode()).steps:
                raise FirmwareError(f"the VFIO probe said nothing of {name}: {said[-200:]!r}")
    return found


def _program(shell: Shell) -> str:
    """How the probe is started on this target."""
    if shell.run(f"command -v {NAME}").status == 0:
        return NAME
    if shell.run("command -v python3").status == 0:
        shell.write(f"{_PUT_AT}.py", in_python())
        return f"python3 {_PUT_AT}.py"
    shell.write(f"{_PUT_AT}.gz", gzip.compress(vfio_probe().read_bytes()), 300)
    shell.run(f"gunzip -f {_PUT_AT}.gz && chmod +x {_PUT_AT}")
    return _PUT_AT
