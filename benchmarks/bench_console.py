"""Console commands a second: ubtest's driver, against labgrid's UBootDriver on the same QEMU.

Both are asked through labgrid's CommandProtocol, on one console of one running machine; one is
active at a time, and they take turns in blocks of commands. Switching is not measured.
"""

import time

from board import board_of
from labgrid.driver import UBootDriver
from labgrid.protocol import CommandProtocol
from ratio import report
from script import parser, start

from ubtest.lab.board import Board

COMMANDS = ("version", "printenv")


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=40, help="blocks of each (default 40)")
    options.add_argument("--count", type=int, default=20, help="commands a block (default 20)")
    options.add_argument(
        "command", nargs="*", default=COMMANDS, help=f"default: {' '.join(COMMANDS)}"
    )
    arguments = options.parse_args()
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
    """Print both rates and their ratio; whether ours takes no longer."""
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
    return report(seconds["ours"], seconds["theirs"], count=count, target=1.0)


def take_over(board: Board, driver: CommandProtocol) -> None:
    """Make a driver the active one; activation waits for a prompt, so U-Boot shows one."""
    if driver.get_status():
        return
    board.machine.write(b"\n")
    board.target.activate(driver)


if __name__ == "__main__":
    start(main)
