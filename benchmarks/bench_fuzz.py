"""Fuzzing: cases a second, crashes and boots included, on QEMU and the sandbox.

Ours is a campaign, many cases with one console command. Theirs is one typed command a case on the
same board, with the same cases, the same flash checks and the same boots after a crash. They take
turns in blocks of cases, so a busy machine hurts both.
"""

import argparse
import statistics
import sys
import time

from ubtest.fuzz.bench import Bench
from ubtest.fuzz.trial import BATCH, Trials

TARGETS = {"sandbox": 100, "qemu-arm64": 30}  # cases a second, on a machine that is otherwise idle


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6, help="blocks of each (default 6)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("board", nargs="*", default=list(TARGETS), help="default: both")
    arguments = parser.parse_args()
    met = [measure(board, arguments.rounds, arguments.seed) for board in arguments.board]
    return 0 if all(met) else 1


def measure(board: str, rounds: int, seed: int) -> bool:
    """Print both rates and their ratio; whether ours is the quicker way."""
    seconds: dict[str, list[float]] = {"ours": [], "typed": []}
    with Bench.open(board, None, seed, "even") as bench:
        print(f"{board}: {bench.setting.firmware.banner}")
        machine = bench.trials.board
        ways = {"ours": Trials(machine), "typed": Trials(machine, batch=1)}
        for block in range(rounds):
            cases = [bench.cases[block * BATCH + n] for n in range(BATCH)]
            for name, trials in ways.items():
                trials.take_over()
                start = time.perf_counter()
                files = [bench.cases.file(case) for case in cases]
                for case, file, outcome in zip(cases, files, trials.run(files), strict=True):
                    bench.oracle.sighting(file, lambda c=case: bench.cases.authentic(c), outcome)
                seconds[name].append(time.perf_counter() - start)
    for name, blocks in seconds.items():
        rate = BATCH * rounds / sum(blocks)
        boots = ways[name].boots
        print(f"  {name:6} {rate:7.1f} cases/s, {boots} boots, {BATCH * rounds} cases")
    ratio = statistics.median(t / o for o, t in zip(seconds["ours"], seconds["typed"], strict=True))
    rate = BATCH * rounds / sum(seconds["ours"])
    wanted = TARGETS.get(board, 0)
    print(f"  ratio  {ratio:7.2f}     target > 1: {'met' if ratio > 1 else 'MISSED'}")
    print(f"  an idle machine must do {wanted} cases/s: {'met' if rate >= wanted else 'not here'}")
    return ratio > 1


if __name__ == "__main__":
    sys.exit(main())
