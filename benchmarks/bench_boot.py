"""Boots a minute on QEMU, from power-off to the prompt, against the same QEMU started by hand.

A boot here: new flashes with the firmware in them, power on, prompt, power off. By hand: the same
command line on flashes that are there already, and a loop that answers the autoboot line, waits
for the prompt and kills QEMU. Both take turns.
"""

import os
import re
import select
import socket
import subprocess
import time

from board import Parts, board_of
from ratio import report
from script import parser, start

from ubtest.lab.board import Board


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=12, help="boots of each (default 12)")
    arguments = options.parse_args()
    with board_of() as board:
        board.boot()  # warms the caches, and makes the device tree
        board.off()
        ours, theirs, parts = measure(board, arguments.rounds)
    print(f"{arguments.rounds} boots of each by turns, median")
    report(ours, theirs)
    print("where the time of ours goes, mean")
    parts.show(arguments.rounds)
    return 0


def measure(board: Board, rounds: int) -> tuple[list[float], list[float], Parts]:
    """Seconds of each boot, ours and by hand, and the parts of ours."""
    parts = Parts()
    ours, theirs = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        boot(board, parts)
        ours.append(time.perf_counter() - start)
        theirs.append(by_hand(board.machine.command_lines[-1]))
    return ours, theirs, parts


def boot(board: Board, parts: Parts) -> None:
    """What `renew()`, `board.boot()` and `board.off()` do, cut into parts."""
    with parts.part("new flashes"):
        board.machine.renew()
    with parts.part("QEMU starts"):
        board.machine.on()
    with parts.part("QEMU runs to the first byte"):
        board.machine.read(timeout=30)
    with parts.part("first byte to prompt"):
        board.target.activate(board.uboot)
    with parts.part("power off"):
        board.strategy.force("uboot")
        board.off()


def by_hand(command_line: list[str]) -> float:
    """Seconds from the start of QEMU to the prompt and its end, with as little as it takes."""
    console, console_end = socket.socketpair()
    monitor, monitor_end = socket.socketpair()
    start = time.perf_counter()
    memory = open(os.memfd_create("guest"), "rb")  # noqa: SIM115 -- closed below
    numbers = {
        "id=console,fd=": console_end.fileno(),
        "id=monitor,fd=": monitor_end.fileno(),
        "mem-path=/proc/self/fd/": memory.fileno(),
    }
    argv = [
        re.sub(f"({'|'.join(numbers)})\\d+", lambda found: found[1] + str(numbers[found[1]]), word)
        for word in command_line
    ]
    with (
        memory,
        console,
        console_end,
        monitor,
        monitor_end,
        subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=numbers.values()) as process,
    ):
        try:
            seen = b""
            while b"Hit any key" not in seen:
                seen += receive(console)
            console.sendall(b" ")
            while b"=> " not in seen:
                seen += receive(console)
        finally:
            process.kill()
    return time.perf_counter() - start


def receive(console: socket.socket) -> bytes:
    if not select.select([console], [], [], 30)[0]:
        raise TimeoutError("QEMU is silent")
    return console.recv(4096)


if __name__ == "__main__":
    start(main)
