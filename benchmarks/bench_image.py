"""Disk images with a GPT, an ESP and the boot probe: build_image, against mformat, mmd and mcopy.

By hand the probe is on the disk already, and the partition table is a file that sgdisk made once
and cp copies: sgdisk itself waits a second after each table, which would be all that is measured.
Both start without the file: ext4 flushes a file that replaces another one.
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

from ratio import compare
from script import parser, start

from ubtest.media.build import build_image
from ubtest.media.spec import Image, Partition
from ubtest.probe.build import probe
from ubtest.project import Project

MiB = 1 << 20
BOOT = "EFI/BOOT/BOOTAA64.EFI"
TARGET = 3.0  # seconds for 100 images
ENVIRONMENT = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
ENVIRONMENT["PATH"] += ":/usr/sbin:/sbin"


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=20, help="measured rounds (default 20)")
    options.add_argument("--count", type=int, default=100, help="images in a row (default 100)")
    arguments = options.parse_args()
    image = probe(project=Project.find(Path(__file__)))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        by_turns = measure(folder, image, arguments.rounds)
        return max(by_turns, in_a_row(folder, image, arguments.count))


def measure(folder: Path, program: bytes, rounds: int) -> int:
    source = folder / "probe.efi"
    source.write_bytes(program)
    table = folder / "table.img"
    with table.open("wb") as file:
        file.truncate(64 * MiB)
    run(["sgdisk", "-n", "1:2048:129023", "-t", "1:ef00", table])

    def ours() -> None:
        (folder / "ours.img").unlink(missing_ok=True)
        build_image(Image((Partition({BOOT: program}),)), folder / "ours.img")

    def theirs() -> None:
        image = folder / "theirs.img"
        image.unlink(missing_ok=True)
        volume = f"{image}@@1M"
        run(["cp", "--sparse=always", table, image])
        run(["mformat", "-i", volume, "-T", "126976", "-h", "64", "-s", "32", "::"])
        run(["mmd", "-i", volume, "::/EFI", "::/EFI/BOOT"])
        run(["mcopy", "-i", volume, source, f"::/{BOOT}"])

    return compare("one image of 64 MiB", ours, theirs, rounds=rounds, target=0.5)


def run(argv: list[str | Path]) -> None:
    subprocess.run(argv, check=True, env=ENVIRONMENT, stdout=subprocess.DEVNULL)


def in_a_row(folder: Path, program: bytes, count: int) -> int:
    before = time.perf_counter()
    for number in range(count):
        image = Image((Partition({BOOT: program}),), identity=str(number))
        build_image(image, folder / f"{number}.img")
    took = time.perf_counter() - before
    met = took * 100 / count <= TARGET
    print(f"{count} images in a row\n  all     {took:8.2f} s      ", end="")
    print(f"target <= {TARGET:g} s for 100: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    start(main)
