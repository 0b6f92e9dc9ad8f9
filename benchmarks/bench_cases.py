"""Capsule cases a minute: a refused and an accepted update from disk, as the board tests do them.

Any board will do: `--board boards/sandbox.yaml`. Boots are measured first, from new flashes and
power-on to the prompt and power-off.

Each case starts from new flashes and power-off, makes its capsule and its disk, boots, applies the
capsule by command, lets the firmware reset, boots again, and looks at result, disk and flash.
"""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from board import QEMU, Parts, board_of
from ratio import rate
from script import parser, start

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule, FmpPayload
from ubtest.formats.status import SECURITY_VIOLATION, SUCCESS
from ubtest.lab.board import Board
from ubtest.project import Project
from ubtest.uefi.on_disk import OnDiskUpdate

IMAGE = b"new firmware! " * 600
CASES = {"refused": ("untrusted", SECURITY_VIOLATION), "accepted": ("trusted", SUCCESS)}


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=8, help="cases of each kind (default 8)")
    options.add_argument("--board", type=Path, default=QEMU, help="board file (default: QEMU's)")
    arguments = options.parse_args()
    keyring = KeyRing.load(Project.find(Path(__file__)).keys)
    with board_of(arguments.board) as board, tempfile.TemporaryDirectory() as name:
        booting = [boot(board) for _ in range(arguments.rounds + 1)][1:]  # the first warms up
        seconds, parts = measure(board, keyring, Path(name), arguments.rounds)
    print(f"{arguments.rounds} boots, then as many cases of each kind by turns, median")
    for kind, taken in {"boot": booting, **seconds}.items():
        print(f"  {kind:9} {rate(statistics.median(taken))}")
    for kind in CASES:
        print(f"where the time of one {kind} case goes, mean")
        parts[kind].show(arguments.rounds)
    return 0


def measure(
    board: Board, keyring: KeyRing, folder: Path, rounds: int
) -> tuple[dict[str, list[float]], dict[str, Parts]]:
    """Seconds of every case, and their parts, by kind."""
    seconds: dict[str, list[float]] = {kind: [] for kind in CASES}
    parts = {kind: Parts() for kind in CASES}
    run_case(board, keyring, folder, "accepted", Parts())  # warms the caches
    for _ in range(rounds):
        for kind in CASES:
            start = time.perf_counter()
            run_case(board, keyring, folder, kind, parts[kind])
            seconds[kind].append(time.perf_counter() - start)
    return seconds, parts


def boot(board: Board) -> float:
    """Seconds of one boot."""
    start = time.perf_counter()
    board.machine.renew()
    board.boot()
    board.off()
    return time.perf_counter() - start


def run_case(board: Board, keyring: KeyRing, folder: Path, kind: str, parts: Parts) -> None:
    """One case with everything that it checks.

    :raises AssertionError: the firmware did something else.
    """
    signer, status = CASES[kind]
    uboot, machine = board.uboot, board.machine
    with ExitStack() as stack:
        for owner, method, name in (
            (board, "boot", "boots"),
            (uboot, "await_prompt", "boots"),
            (uboot, "command_or_reset", "update"),
            (machine, "content", "flash read and compared"),
        ):
            stack.enter_context(parts.watching(owner, method, name))
        with parts.part("power off, new flashes"):
            board.off()
            machine.renew({board.image.offset: b"old firmware! " * 600})
        before = machine.content()
        with parts.part("capsule made and signed"):
            payload = signed(keyring[signer], FmpPayload(board.image.image_type, IMAGE))
            files = {"fw.cap": Capsule((payload,)).pack()}
        with parts.part("disk made, update asked for"):
            update = OnDiskUpdate(board, folder)
            update.place(files)
        with parts.part("result read from console and disk"):
            outcome = update.by_command()
        with parts.part("flash read and compared"):
            changes = before.changes(machine.content())
    assert outcome.status == status
    assert bool(changes) == (kind == "accepted")


if __name__ == "__main__":
    start(main)
