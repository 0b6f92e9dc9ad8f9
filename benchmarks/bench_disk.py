"""A disk image with files: build_disk, against mkfs.vfat and mcopy by hand.

By hand the files are on the disk already, there is no partition table, and the order of the files
is the host's; we start from bytes and make all of that.
"""

import os
import subprocess
import tempfile
from pathlib import Path

from ratio import compare
from script import parser, start

from ubtest.media.disk import MiB, build_disk


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=50, help="measured rounds (default 50)")
    options.add_argument("--size", type=int, default=64, help="MiB of the image (default 64)")
    options.add_argument("--file", type=int, default=1024, help="KiB of the capsule (default 1024)")
    arguments = options.parse_args()
    files = {"EFI/UpdateCapsule/fw.cap": os.urandom(arguments.file * 1024)}
    with tempfile.TemporaryDirectory() as name:
        return measure(Path(name), files, arguments.size * MiB, arguments.rounds)


def measure(folder: Path, files: dict[str, bytes], size: int, rounds: int) -> int:
    tree = folder / "tree"
    for name, content in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(content)

    def ours() -> None:
        (folder / "ours.img").unlink(missing_ok=True)
        build_disk(folder / "ours.img", files, size=size)

    def theirs() -> None:
        image = folder / "theirs.img"
        image.unlink(missing_ok=True)
        with image.open("wb") as file:
            file.truncate(size)
        environment = {**os.environ, "MTOOLS_SKIP_CHECK": "1"}
        subprocess.run(["mkfs.vfat", image], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(
            ["mcopy", "-s", "-Q", "-i", image, *tree.iterdir(), "::"], check=True, env=environment
        )

    content = sum(map(len, files.values())) // 1024
    what = f"a disk of {size // MiB} MiB with {content} KiB of files"
    return compare(what, ours, theirs, rounds=rounds, target=1.1)


if __name__ == "__main__":
    start(main)
