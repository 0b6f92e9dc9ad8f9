"""Makes the recorded surveys beside this file from a run of the fault matrix:

    pytest --lg-env boards/qemu-arm64.yaml --slow tests/board/handoff/test_fault_matrix.py
    python tests/unit/handoff/surveys/record.py results/latest

Kept is what judging reads; the kernel's log is cut to the lines that have to do with it.
"""

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from ubtest.formats import fdt
from ubtest.handoff.survey import Survey

HERE = Path(__file__).parent
FOLDER = re.compile(r"test_fault_matrix\..*own_diagnosis_(.*)-debian_(.*)")
SAID = re.compile(
    r"smmu|iommu|vfio|stream|event 0x|Kernel command line|Linux version", re.IGNORECASE
)
UNREAD = ("config", "nets", "swaps")


def thin(survey: Survey) -> Survey:
    files: Mapping[str, bytes] = {n: c for n, c in survey.files.items() if n not in UNREAD}
    log = [line for line in survey.lines("dmesg") if SAID.search(line)]
    links = [line for line in survey.lines("links") if "/devices/pl0" not in line]
    tree = fdt.parse(survey.files["fdt"])
    return Survey(
        {
            **files,
            "dmesg": "\n".join(log).encode() + b"\n",
            "links": "\n".join(re.sub(r"^.* /sys", "l /sys", each) for each in links).encode(),
            "fdt": fdt.flatten(tree.root, tree.reservations, tree.boot_cpu),
        }
    )


def main(results: Path) -> None:
    for path in sorted(results.glob("*/look*.tar.gz")):
        if found := FOLDER.fullmatch(path.parent.name):
            name = f"{found[1]}.{path.name.split('.')[0]}.{found[2]}.tar.gz"
            thin(Survey.load(path)).save(HERE / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
