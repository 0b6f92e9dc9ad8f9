"""`ubtest handoff predict`: what a device tree lets the kernel pass through."""

import argparse
import sys
from pathlib import Path

from ubtest.cli.command import Commands, add
from ubtest.errors import CaseError

LARGEST = 16 << 20  # bytes; the kernel takes trees of 2 MiB


def register(commands: Commands) -> None:
    parser = add(
        commands,
        "predict",
        _predict,
        does="say from a device tree what can be passed through: 0 all, 1 not all, 2 bad input",
        example="ubtest handoff predict board.dtb --pci 01:00.0 --device ethernet0",
    )
    parser.add_argument("tree", metavar="FILE.dtb", help="the device tree; - reads it from stdin")
    parser.add_argument(
        "--pci", action="append", default=[], metavar="BB:DD.F", help="ask about this PCI function"
    )
    parser.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="NAME",
        help="ask about this platform device: path, alias, label or f2000000.ethernet",
    )
    parser.add_argument(
        "--unsafe-interrupts",
        action="store_true",
        help="the kernel is started with vfio_iommu_type1.allow_unsafe_interrupts=1",
    )
    parser.add_argument("--json", action="store_true", help="for programs")


def _predict(options: argparse.Namespace) -> int:
    from ubtest.cli.handoff_predict_text import as_json, lines
    from ubtest.formats.explanation import printable
    from ubtest.formats.record import FormatError
    from ubtest.handoff.prediction.fault import Answer
    from ubtest.handoff.prediction.prediction import predict

    data = _read(options.tree)
    try:
        prediction = predict(
            data, options.pci, options.device, unsafe_interrupts=options.unsafe_interrupts
        )
    except FormatError as error:
        raise CaseError(
            f"{options.tree}: {error}",
            next_step="without --pci and --device all devices of the tree are listed"
            if options.pci or options.device
            else "give what dtc writes, or /sys/firmware/fdt of the target",
        ) from error
    if options.json:
        print(as_json(prediction))
    else:
        for line in lines(prediction):
            print(printable(line))
    asked = prediction.asked
    return 0 if asked and all(each.answer is Answer.YES for each in asked) else 1


def _read(name: str) -> bytes:
    """The file's bytes.

    :raises CaseError: it cannot be read, is too large, or is source.
    """
    try:
        if name == "-":
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        raise CaseError(f"cannot read {name}: {getattr(error, 'strerror', error)}") from error
    if len(data) > LARGEST:
        raise CaseError(f"{name}: more than {LARGEST >> 20} MiB is no device tree")
    if data.lstrip().startswith((b"/dts-v1/", b"/*", b"//", b"#include")):
        raise CaseError(
            f"{name}: device tree source",
            next_step="compile it with dtc: dtc -@ -O dtb -o board.dtb board.dts",
        )
    return data
