#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The VFIO probe for targets that the C program is not built for: prints the same lines.

Standard library only, and of Python 3.7: this file is copied to a target and run there.
"""

import contextlib
import ctypes
import fcntl
import json
import mmap
import os
import select
import struct
import sys
import time
from pathlib import Path

IOVA_OUT, IOVA_IN, PAGE = 0x100000, 0x200000, 4096
TYPE1V2, CONFIG_REGION, EDU = 3, 7, 0x11E81234
COMMAND, MEMORY_AND_MASTER = 4, 6  # of PCI's config space
KINDS = ("INTx", "MSI", "MSI-X")
# <linux/vfio.h>: _IO(';', 100 + n)
(GET_API_VERSION, CHECK_EXTENSION, SET_IOMMU, GROUP_GET_STATUS, GROUP_SET_CONTAINER) = range(
    0x3B64, 0x3B69
)
(GROUP_GET_DEVICE_FD, GET_INFO, GET_REGION_INFO, GET_IRQ_INFO, SET_IRQS, RESET) = range(
    0x3B6A, 0x3B70
)
(IOMMU_GET_INFO, MAP_DMA, UNMAP_DMA) = range(0x3B70, 0x3B73)


class Probe:
    """One device, every step."""

    def __init__(self, device):
        self.device = device

    def line(self, step, ok, **more):
        said = {"device": self.device, "step": step, "ok": ok, **more}
        print(json.dumps(said, separators=(",", ":")), flush=True)

    def step(self, name, does, of=lambda result: {}, **more):
        """Run a step; None when it fails. `of` makes members of the line from its result."""
        try:
            result = does()
        except OSError as error:
            self.line(name, False, errno=error.errno, **more)
            return None
        self.line(name, True, **more, **of(result))
        return result

    def ioctl(self, name, fd, number, argument=0, **more):
        def does():
            result = fcntl.ioctl(fd, number, argument)
            return argument if isinstance(argument, bytearray) else result

        return self.step(name, does, **more)

    def run(self):
        """Mark the kernel's log, since what it says from here on is about this device; go on."""
        with contextlib.suppress(OSError), open("/dev/kmsg", "w") as log:
            log.write(f"<6>vfio-probe: {self.device} begins\n")
        container = self.step("open container", lambda: os.open("/dev/vfio/vfio", os.O_RDWR))
        if container is None:
            return
        self.ioctl("VFIO_GET_API_VERSION", container, GET_API_VERSION, of=lambda v: {"version": v})
        self.ioctl(
            "VFIO_CHECK_EXTENSION",
            container,
            CHECK_EXTENSION,
            TYPE1V2,
            of=lambda there: {"extension": "TYPE1v2", "there": there > 0},
        )
        number = self.step("iommu_group", self.group, of=lambda number: {"group": number})
        if number is not None:
            group = self.step("open group", lambda: os.open(f"/dev/vfio/{number}", os.O_RDWR))
            if group is not None:
                status = self.ioctl(
                    "VFIO_GROUP_GET_STATUS",
                    group,
                    GROUP_GET_STATUS,
                    bytearray(struct.pack("II", 8, 0)),
                    of=lambda raw: {"viable": bool(raw[4] & 1)},
                )
                if status is not None:
                    self.inside(container, group)
                os.close(group)
        os.close(container)

    def group(self):
        for bus in ("pci", "platform", "amba"):
            try:
                link = Path(f"/sys/bus/{bus}/devices/{self.device}/iommu_group")
                return int(link.resolve(strict=True).name)
            except OSError as error:
                missing = error
        raise missing

    def inside(self, container, group):
        name = "VFIO_GROUP_SET_CONTAINER"
        if self.ioctl(name, group, GROUP_SET_CONTAINER, struct.pack("i", container)) is None:
            return
        if self.ioctl("VFIO_SET_IOMMU", container, SET_IOMMU, TYPE1V2) is None:
            return
        information = bytearray(4096)
        struct.pack_into("I", information, 0, len(information))
        self.ioctl(
            "VFIO_IOMMU_GET_INFO", container, IOMMU_GET_INFO, information, of=mapping_information
        )
        out = self.map(container, IOVA_OUT, 1)
        into = self.map(container, IOVA_IN, 2) if out else None
        name = bytearray(self.device.encode() + b"\0")  # a mutable one: the result is the fd
        fd = self.step(
            "VFIO_GROUP_GET_DEVICE_FD", lambda: fcntl.ioctl(group, GROUP_GET_DEVICE_FD, name)
        )
        if fd is not None:
            Device(self, fd).use(out, into)
            os.close(fd)
        for iova, page in ((IOVA_OUT, out), (IOVA_IN, into)):
            if page:
                request = bytearray(struct.pack("IIQQ", 24, 0, iova, PAGE))
                self.ioctl(
                    "VFIO_IOMMU_UNMAP_DMA",
                    container,
                    UNMAP_DMA,
                    request,
                    of=lambda raw, iova=iova: {
                        "iova": iova,
                        "size": struct.unpack_from("Q", raw, 16)[0],
                    },
                )

    def map(self, container, iova, allowed):
        page = mmap.mmap(-1, PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        page[:] = bytes(PAGE)
        place = ctypes.addressof(ctypes.c_char.from_buffer(page))
        request = struct.pack("IIQQQ", 32, allowed, place, iova, PAGE)
        mapped = self.ioctl("VFIO_IOMMU_MAP_DMA", container, MAP_DMA, request, iova=iova)
        return None if mapped is None else page


def information(raw):
    """What VFIO_DEVICE_GET_INFO says."""
    flags, regions, irqs = struct.unpack_from("III", raw, 4)
    return {"flags": flags, "regions": regions, "irqs": irqs}


def mapping_information(raw):
    """Page sizes and mappings left, from VFIO_IOMMU_GET_INFO."""
    flags, sizes, at = struct.unpack_from("=IQI", raw, 4)
    left = -1
    while flags & 2 and 0 < at < len(raw) - 12:
        kind, following = struct.unpack_from("=HxxI", raw, at)
        if kind == 3:
            (left,) = struct.unpack_from("I", raw, at + 8)
        at = following
    return {"page_sizes": sizes, "mappings_left": left}


class Device:
    """A device's file."""

    def __init__(self, probe, fd):
        self.probe = probe
        self.fd = fd
        self.bars = {}
        self.config = None

    def use(self, out, into):
        raw = bytearray(struct.pack("IIIII", 20, 0, 0, 0, 0))
        info = self.probe.ioctl(
            "VFIO_DEVICE_GET_INFO",
            self.fd,
            GET_INFO,
            raw,
            of=information,
        )
        if info is None:
            return
        flags, regions, irqs = struct.unpack_from("III", info, 4)
        for index in range(regions):
            self.region(index, bool(flags & 2))
        if flags & 1:
            self.probe.ioctl("VFIO_DEVICE_RESET", self.fd, RESET)
        edu = self.config is not None and self.identify() == EDU
        self.interrupts(irqs, bool(flags & 2), edu)
        if not edu:
            self.probe.line("dma", None, why="only QEMU's edu moves data when asked")
        elif not out or not into:
            self.probe.line("dma", None, why="no memory is mapped")
        else:
            self.dma(out, into)

    def region(self, index, pci):
        raw = bytearray(struct.pack("IIIIQQ", 32, 0, index, 0, 0, 0))
        try:
            fcntl.ioctl(self.fd, GET_REGION_INFO, raw)
        except OSError as error:
            if not (pci and index > CONFIG_REGION):
                self.probe.line(
                    "VFIO_DEVICE_GET_REGION_INFO",
                    False,
                    errno=error.errno,
                    index=index,
                    size=0,
                    flags=0,
                )
            return
        _, flags, _, _, size, offset = struct.unpack("IIIIQQ", raw)
        self.probe.line("VFIO_DEVICE_GET_REGION_INFO", True, index=index, size=size, flags=flags)
        if pci and index == CONFIG_REGION:
            self.config = offset
        elif pci and index < 6 and size and flags & 4:
            self.bars[index] = offset

    def get(self, offset):
        return int.from_bytes(os.pread(self.fd, 4, offset), "little")

    def put(self, register, value):
        os.pwrite(self.fd, struct.pack("I", value), self.bars[0] + register)

    def identify(self):
        read = self.probe.step(
            "read config space",
            lambda: self.get(self.config),
            of=lambda it: {"id": f"{it & 0xFFFF:04x}:{it >> 16:04x}"},
        )
        os.pwrite(self.fd, struct.pack("H", MEMORY_AND_MASTER), self.config + COMMAND)
        for index, offset in self.bars.items():
            self.probe.step(
                "read BAR",
                lambda offset=offset: self.get(offset),
                of=lambda word, index=index: {"bar": index, "word": f"0x{word:08x}"},
            )
        return read

    def interrupts(self, count, pci, edu):
        for index in range(count):
            kind = "wired" if not pci else KINDS[index] if index < 3 else "other"
            raw = bytearray(struct.pack("IIII", 16, 0, index, 0))
            try:
                fcntl.ioctl(self.fd, GET_IRQ_INFO, raw)
            except OSError as error:
                if not (pci and index >= 3):
                    self.probe.line(
                        "VFIO_DEVICE_GET_IRQ_INFO", False, errno=error.errno, kind=kind, count=0
                    )
                continue
            _, flags, _, there = struct.unpack("IIII", raw)
            self.probe.line("VFIO_DEVICE_GET_IRQ_INFO", True, kind=kind, count=there)
            if there and flags & 1 and (not pci or index < 3):
                self.interrupt(index, kind, edu)
        if not edu:
            self.probe.line("interrupt", None, why="only QEMU's edu raises one when asked")

    def interrupt(self, index, kind, edu):
        event = ctypes.CDLL(None).eventfd(0, 0)
        request = struct.pack("IIIIIi", 24, 4 | 32, index, 0, 1, event)
        name = "VFIO_DEVICE_SET_IRQS"
        if self.probe.ioctl(name, self.fd, SET_IRQS, request, kind=kind) is not None:
            if edu:
                self.put(0x60, 1)
                arrived = bool(select.select([event], [], [], 1)[0])
                self.put(0x64, 1)
                self.probe.line("interrupt", arrived, kind=kind)
            fcntl.ioctl(self.fd, SET_IRQS, struct.pack("IIIII", 20, 1 | 32, index, 0, 0))
        os.close(event)

    def dma(self, out, into, length=512):
        """Random bytes into the device and out again to another place."""
        out[:length] = os.urandom(length)
        into[:length] = bytes(byte ^ 0xFF for byte in out[:length])
        ended = self.transfer(IOVA_OUT, 0x40000, 0, length)
        ended = ended and self.transfer(0x40000, IOVA_IN, 2, length)
        same = sum(map(int.__eq__, out[:length], into[:length]))
        self.probe.line("dma", ended and same == length, bytes=length, same=same, ended=ended)

    def transfer(self, source, target, way, length):
        for register, value in ((0x80, source), (0x88, target), (0x90, length), (0x98, way | 1)):
            self.put(register, value)
        end = time.monotonic() + 3
        while self.get(self.bars[0] + 0x98) & 1:
            if time.monotonic() > end:
                return False
        return True


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        Probe(argument).run()
