"""All that is known about one device of a target before anybody judges it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ubtest.errors import CaseError
from ubtest.formats.device_node import DeviceNode
from ubtest.formats.device_tree import DeviceTree
from ubtest.formats.record import FormatError
from ubtest.handoff.devices import Device, devices
from ubtest.handoff.iommu import Group, Iommu, Route, groups_of, iommus_of, route, tree_of
from ubtest.handoff.survey import Survey
from ubtest.handoff.vfio import Probed

ITS = "arm,gic-v3-its"  # the only MSI controller of arm64 that keeps devices apart
TYPE1 = "vfio_iommu_type1"
_BEGINS = "vfio-probe: {} begins\n"  # what the probe writes into the kernel's log
# What the SMMU printed of a device: v3 prints the event's words, the stream is the first one's
# upper half (SMMUv3 specification, C_BAD_STREAMID); v2 says it in words.
_EVENT = re.compile(r"event 0x02 received:\s*\n.*?\s0x([0-9a-f]{8})[0-9a-f]{6}02\b")
_BLOCKED = re.compile(r"(?:Blocked u|U)nknown Stream ID 0x([0-9a-f]+)")


@dataclass(frozen=True)
class Facts:
    """One device.

    :param siblings: the others of its group; without bridges, which a group may have.
    :param iommu: the one that it is or should be behind, if a driver probed it.
    :param groups: all of the target, for the budget.
    :param masked: the host bridge has an `iommu-map-mask`.
    :param msi: compatible strings of its MSI controller by the device tree; None: it has none.
    :param coherent: whether the IOMMU is said to be coherent (`dma-coherent`).
    :param bad_streams: stream IDs that the SMMU saw while the device was probed and did not know.
    """

    device: Device
    route: Route
    probed: Probed
    group: Group | None
    siblings: tuple[Device, ...]
    iommu: Iommu | None
    groups: Mapping[int, Group]
    masked: bool
    msi: tuple[str, ...] | None
    coherent: bool
    modules: frozenset[str]
    drivers: frozenset[str]
    parameters: Mapping[str, str]
    messages: tuple[str, ...]
    bad_streams: frozenset[int]

    @property
    def isolated(self) -> bool:
        """Whether its MSIs cannot be mistaken for another device's."""
        return self.msi is not None and ITS in self.msi

    @property
    def unsafe_allowed(self) -> bool:
        return self.parameters.get(f"{TYPE1}.allow_unsafe_interrupts") == "Y"

    @property
    def bank_users(self) -> tuple[Group, ...]:
        """The groups that each have a context bank."""
        return self.iommu.users(self.groups) if self.iommu else ()

    @property
    def banks_taken(self) -> int:
        taken = self.iommu.taken if self.iommu else None
        return len(self.bank_users) if taken is None else max(taken, len(self.bank_users))


@dataclass(frozen=True)
class Target:
    """A survey, taken apart once for all its devices."""

    survey: Survey

    @cached_property
    def devices(self) -> Mapping[str, Device]:
        return devices(self.survey)

    @cached_property
    def tree(self) -> DeviceTree | None:
        return tree_of(self.survey)

    @cached_property
    def groups(self) -> Mapping[int, Group]:
        return groups_of(self.survey)

    @cached_property
    def iommus(self) -> tuple[Iommu, ...]:
        return iommus_of(self.survey, self.devices)

    def device(self, name: str) -> Device:
        """A device by its name.

        :raises CaseError: the target has no such device.
        """
        if name not in self.devices:
            pci = [each.name for each in self.devices.values() if each.bus == "pci"]
            raise CaseError(
                f"the target has no device {name}",
                next_step=f"it has {', '.join(pci)}, and {len(self.devices) - len(pci)} of the "
                "device tree: /sys/bus/platform/devices",
            )
        return self.devices[name]

    @property
    def probed(self) -> tuple[str, ...]:
        return tuple(self.survey.probes)

    def facts(self, name: str) -> Facts:
        """What is known about a device.

        :raises CaseError: the target has no such device.
        """
        device = self.device(name)
        found = route(self.tree, device)
        group = self.groups.get(device.group) if device.group is not None else None
        own = self._during(name)
        streams = (*_EVENT.findall(own), *_BLOCKED.findall(own))
        return Facts(
            device=device,
            route=found,
            probed=Probed.read(self.survey.probes.get(name, "")),
            group=group,
            siblings=self._siblings(device, group),
            iommu=self._iommu(name, found),
            groups=self.groups,
            masked=self._has(found.node, "iommu-map-mask"),
            msi=self._msi(device),
            coherent=self._has(found.iommu, "dma-coherent"),
            modules=frozenset(line.split()[0] for line in self.survey.lines("modules")),
            drivers=frozenset(line.rpartition("/")[2] for line in self.survey.lines("drivers")),
            parameters=dict(self._parameters()),
            messages=tuple(self.survey.lines("dmesg")),
            bad_streams=frozenset(int(stream, 16) for stream in streams),
        )

    def _during(self, name: str) -> str:
        """What the kernel said while the device was probed."""
        _, _, after = self.survey.text("dmesg").rpartition(_BEGINS.format(name))
        return after.partition("vfio-probe: ")[0]

    def _has(self, path: str, name: str) -> bool:
        """Whether a node of the device tree has a property."""
        node = self.tree.at(path) if self.tree and path else None
        return node is not None and name in node.properties

    def _siblings(self, device: Device, group: Group | None) -> tuple[Device, ...]:
        names = [name for name in group.devices if name != device.name] if group else []
        found = [self.devices[name] for name in names if name in self.devices]
        return tuple(each for each in found if not each.is_bridge)

    def _iommu(self, name: str, found: Route) -> Iommu | None:
        behind = (each for each in self.iommus if name in each.masters)
        meant = (each for each in self.iommus if found.iommu and each.node == found.iommu)
        return next(behind, None) or next(meant, None)

    def _msi(self, device: Device) -> tuple[str, ...] | None:
        """The controller that `msi-map` or `msi-parent` leads to."""
        node = self.tree.at(device.node) if self.tree and device.node else None
        if self.tree is None or node is None:
            return None
        found: list[DeviceNode | None] = []
        try:
            if device.bus == "pci":
                rows = self.tree.mapped(node, "msi-map")
                found += [row.node for row in rows if row.translate(device.requester) is not None]
            listed = self.tree.references(node, "msi-parent", "#msi-cells", default=0)
            found += [each.node for each in listed]
        except FormatError:
            return None
        return next((each.compatible for each in found if each), None)

    def _parameters(self) -> list[tuple[str, str]]:
        found = []
        for line in self.survey.lines("parameters"):
            path, _, value = line.partition(":")
            module, _, name = path.partition("/parameters/")
            found.append((f"{module}.{name}", value))
        return found
