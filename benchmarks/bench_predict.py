"""`ubtest handoff predict` on Debian's tree of the MacchiatoBin, against dtc, which only prints it.

Both as whole processes, on one tree of the fetched kernel.
"""

import subprocess
import sys
import time

from ratio import compare
from script import parser, start

from ubtest.kernel.bundle import find

PROGRAM = "import sys; from ubtest.cli import main; sys.exit(main())"
TARGET = 0.3  # seconds a process


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=20, help="measured rounds (default 20)")
    arguments = options.parse_args()
    tree = str(next(find().dtbs.rglob("armada-8040-mcbin.dtb")))
    took = []

    def ours() -> None:
        began = time.perf_counter()
        command = [sys.executable, "-c", PROGRAM, "handoff", "predict", tree]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        took.append(time.perf_counter() - began)

    def theirs() -> None:
        command = ["dtc", "-q", "-I", "dtb", "-O", "dts", tree]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)

    compare("one prediction", ours, theirs, rounds=arguments.rounds)
    middle = sorted(took)[len(took) // 2]
    print(f"  target <= {TARGET:g} s: {middle:.3f} s, {'met' if middle <= TARGET else 'MISSED'}")
    return 0 if middle <= TARGET else 1


if __name__ == "__main__":
    start(main)
