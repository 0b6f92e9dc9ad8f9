"""Disks and flashes of a QEMU machine, as the JSON that its command line and its monitor share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ubtest.errors import CaseError
from ubtest.run import run

Format = Literal["raw", "qcow2"]

# bus -> the QEMU device that puts a disk on it
BUSES: dict[str, dict[str, str]] = {
    "virtio": {"driver": "virtio-blk-pci"},
    "virtio-mmio": {"driver": "virtio-blk-device"},  # behind no IOMMU; U-Boot counts it first
    "usb": {"driver": "usb-storage", "bus": "xhci.0"},
    "scsi": {"driver": "scsi-hd"},  # a LUN, attached to a `usb-bot` or the like
    "nvme": {"driver": "nvme"},
    "sd": {"driver": "sd-card", "bus": "sd-bus"},  # its size is a power of two
}
# QEMU 7.2 takes no SD card while it runs: its monitor does not answer again
COLD_ONLY = {"sd", "virtio-mmio"}


@dataclass(frozen=True)
class BlockNode:
    """One image file as QEMU's block layer sees it.

    :param name: node name, and the id of the device on it.
    :param read_only: the guest's writes fail.
    """

    name: str
    path: Path
    format: Format
    read_only: bool = False

    @property
    def blockdev(self) -> dict[str, Any]:
        """Arguments of ``-blockdev`` and ``blockdev-add``."""
        file = {"driver": "file", "filename": str(self.path)}
        locked = {"read-only": True} if self.read_only else {}
        return {"driver": self.format, "node-name": self.name, "file": file, **locked}

    def device(
        self, bus: str, *, hot: bool = False, to: str = "", **options: object
    ) -> dict[str, Any]:
        """Arguments of ``-device`` and ``device_add``.

        :param hot: the machine runs.
        :param to: the controller, where it is not the bus's usual one.
        :raises CaseError: no such bus, or one that takes a disk only while the machine is off.
        """
        if bus not in BUSES:
            raise CaseError(f"no bus `{bus}` for a disk: one of {', '.join(BUSES)}")
        if hot and bus in COLD_ONLY:
            raise CaseError(
                f"bus `{bus}` takes no disk while the machine runs",
                next_step="attach it before the board boots",
            )
        serial = {"serial": self.name} if bus == "nvme" else {}
        own = {"id": self.name, "drive": self.name}
        return {**BUSES[bus], **bus_of(to), **serial, **own, **options}

    def content(self) -> bytes:
        """All bytes as the guest sees them; the machine must be paused or off for qcow2."""
        if self.format == "raw":
            return self.path.read_bytes()
        flat = self.path.with_suffix(".flat")
        try:
            run(["qemu-img", "convert", "-U", "-f", self.format, "-O", "raw", self.path, flat])
            return flat.read_bytes()
        finally:
            flat.unlink(missing_ok=True)


def bus_of(controller: str) -> dict[str, str]:
    """The option for a controller; QEMU calls a bus by the name of what brings it."""
    return {"bus": f"{controller}.0"} if controller else {}


def node(name: str, image: Path, folder: Path, *, snapshots: bool) -> BlockNode:
    """The node for a raw image; with `snapshots`, through a qcow2 overlay in `folder`."""
    if not snapshots:
        return BlockNode(name, image, "raw")
    overlay = folder / f"{name}.qcow2"
    run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", image.resolve(), overlay])
    return BlockNode(name, overlay, "qcow2")
