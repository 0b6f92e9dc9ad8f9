"""Console commands a second: ubtest's driver, against labgrid's UBootDriver on the same QEMU.

Both are asked through labgrid's CommandProtocol, on one console of one running machine; one is
active at a time, and they take turns in blocks of commands. Switching is not measured.
"""

import argparse
import statistics
import sys
import time

from board import board_of
from labgrid.driver import UBootDriver
from labgrid.protocol import CommandProtocol

from ubtest.lab.board import Board

COMMANDS = ("version", "printenv")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="blocks of each (default 40)")
    parser.add_argument("--count", type=int, default=20, help="commands a block (default 20)")
    parser.add_argument(
        "command", nargs="*", default=COMMANDS, help=f"default: {' '.join(COMMANDS)}"
    )
    arguments = parser.parse_args()
    with board_of() as board:
        drivers = {
            "ours": board.boot(),
            "theirs": UBootDriver(board.target, None, prompt="=> "),
        }
        met = [
            measure(board, drivers, line, arguments.rounds, arguments.count)
            for line in arguments.command
        ]
    return 0 if all(met) else 1


def measure(
    board: Board, drivers: dict[str, CommandProtocol], line: str, rounds: int, count: int
) -> bool:
    """Print both rates and their ratio; whether ours is at least theirs."""
    seconds: dict[str, list[float]] = {name: [] for name in drivers}
    answers = {}
    for _ in range(rounds):
        for name, driver in drivers.items():
            take_over(board, driver)
            answers[name] = driver.run(line)
            start = time.perf_counter()
            for _ in range(count):
                driver.run(line)
            seconds[name].append(time.perf_counter() - start)
    # Ours leaves out empty lines at the start and the end of an answer
    texts = {"\n".join(lines).strip("\n") for lines, _, _ in answers.values()}
    if len(texts) != 1:
        print(f"the answers to `{line}` differ: {answers}")
        return False
    size = len(texts.pop())
    print(f"`{line}`, {size} bytes of answer, median of {rounds} blocks of {count} by turns")
    for name, blocks in seconds.items():
        rate = count / statistics.median(blocks)
        print(f"  {name:7} {rate:8.0f} commands/s  {1000 / rate:7.2f} ms each")
    # Each block against its neighbour, since the machine may be busier a second later
    ratio = statistics.median(
        theirs / ours for ours, theirs in zip(seconds["ours"], seconds["theirs"], strict=True)
    )
    print(f"  ratio   {ratio:8.2f}     target >= 1: {'met' if ratio >= 1 else 'MISSED'}")
    return ratio >= 1


def take_over(board: Board, driver: CommandProtocol) -> None:
    """Make a driver the active one; activation waits for a prompt, so U-Boot shows one."""
    if driver.get_status():
        return
    board.machine.write(b"\n")
    board.target.activate(driver)


if __name__ == "__main__":
    sys.exit(main())
