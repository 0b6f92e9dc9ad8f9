"""Verdicts a minute: our capsule tests, against U-Boot's own test/py, on the same sandbox binary.

Each of test/py's capsule tests stands beside the row of ours that decides the same. Both suites
are whole pytest processes and take turns. Two rates: "tests" is the tests alone, for test/py
without its fixtures (keys, capsules, disk, first boot), for ours with them; "runs" is from the
start of pytest to its end. Fetched when missing: U-Boot's source package, which is built for the
sandbox, and test/py's pytest. testpy.py says what test/py lacks here and how it is put right.
"""

import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from board import SANDBOX
from ratio import report
from script import parser, start
from testpy import TestPy, Verdict, verdicts

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import HostError
from ubtest.firmware.build import build
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.progress import Progress
from ubtest.firmware.recipe import Recipe
from ubtest.firmware.source import DEFAULT, resolve
from ubtest.project import Project
from ubtest.run import run

ROOT = Path(__file__).parents[1]
OURS = "tests/board/capsule"
_RAW = "test_capsule_firmware_raw.py::TestEfiCapsuleFirmwareRaw::test_efi_capsule_"
_SIGNED = "test_capsule_firmware_signed_raw.py::TestEfiCapsuleFirmwareSignedRaw::test_efi_capsule_"
# What is decided -> test/py's test of it, and ours. With authentication on, its fw3 to fw5 are
# unsigned capsules, and so are refused like auth3
CASES = {
    "unknown image type refused": (
        f"{_RAW}fw1",
        "test_matrix.py::test_on_disk[image: UpdateImageTypeId unknown]",
    ),
    "not asked for, left alone": (
        f"{_RAW}fw2",
        "test_not_processed.py::test_without_os_indications[by_command]",
    ),
    "signed accepted": (
        f"{_SIGNED}auth1",
        "test_accepted.py::test_flash_holds_the_payload[by_command]",
    ),
    "wrong key refused": (f"{_SIGNED}auth2", "test_refused.py::test_by_command[untrusted signer]"),
    "unsigned refused": (f"{_SIGNED}auth3", "test_refused.py::test_by_command[unsigned]"),
    "version told": (
        f"{_SIGNED}auth4",
        "test_versions.py::test_the_version_is_remembered_and_told[1]",
    ),
    "below lowest version refused": (
        f"{_SIGNED}auth5",
        "test_versions.py::test_below_the_lowest[4]",
    ),
}


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=5, help="runs of each (default 5)")
    arguments = options.parse_args()
    recipe, bundle = sandbox()
    print(f"firmware: {bundle.banner}")
    with tempfile.TemporaryDirectory(prefix="ubtest-testpy-") as name:
        testpy = TestPy.beside(recipe, bundle, Path(name))
        show("test/py on this build, nothing put right", testpy.run(), name)
        testpy.complete()
        show("test/py with what it lacked (testpy.py says what)", testpy.run(), name)
        return measure(testpy, bundle, arguments.rounds)


def sandbox() -> tuple[Recipe, Bundle]:
    """The sandbox, built if it must be."""
    stages = set()

    def show(progress: Progress) -> None:
        if progress.stage not in stages:
            stages.add(progress.stage)
            print(progress.stage)

    project = Project.find(Path(__file__))
    ring = KeyRing.load(project.keys)
    ring.make(lambda name: print(f"made the key {name}"))
    key = ring["trusted"]
    source = resolve(DEFAULT, print)
    inputs = {
        "project": project,
        "certificate": key.certificate_path,
        "fingerprint": key.fingerprint,
    }
    bundle = build("sandbox", source, on_progress=show, **inputs)
    return Recipe.read("sandbox", "", source, **inputs), bundle


def show(what: str, found: Mapping[str, Verdict], folder: str) -> None:
    """Print how many passed, and why the others did not."""
    kinds = Counter(verdict.kind for verdict in found.values())
    print(f"{what}: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}")
    first = (v.reason.partition("\n")[0].replace(folder, "...") for v in found.values())
    reasons = Counter(reason[:160] for reason in first if reason)
    for reason, count in reasons.items():
        print(f"  {count:2} x {reason}")


def measure(testpy: TestPy, bundle: Bundle, rounds: int) -> int:
    """Run both by turns; 1 when a test of either does not pass."""
    cases = both(ours(testpy.folder, bundle, [mine for _, mine in CASES.values()]))
    theirs_of = [theirs for theirs, _ in cases.values()]
    ours_of = [mine for _, mine in cases.values()]
    tests: dict[str, list[list[float]]] = {"ours": [], "theirs": []}
    runs: dict[str, list[float]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for name, wanted, work in (
            ("ours", ours_of, lambda: ours(testpy.folder, bundle, ours_of)),
            ("theirs", theirs_of, lambda: testpy.run(theirs_of)),
        ):
            start = time.perf_counter()
            found = work()
            runs[name].append(time.perf_counter() - start)
            if bad := [test for test in wanted if found[test].kind != "passed"]:
                print(f"{name}: not passed: {', '.join(bad)}")
                return 1
            tests[name].append([found[test].seconds for test in wanted])
    print(f"{len(cases)} cases of each, median of {rounds} rounds by turns")
    for number, what in enumerate(cases):
        mine, other = (statistics.median(r[number] for r in tests[n]) for n in tests)
        print(f"  {what:32} ours {mine * 1000:5.0f} ms  theirs {other * 1000:5.0f} ms")
    print("the tests alone")
    report(*([sum(r) for r in taken] for taken in tests.values()), count=len(cases))
    print("whole runs of pytest")
    report(*runs.values(), count=len(cases))
    return 0


def both(found: Mapping[str, Verdict]) -> dict[str, tuple[str, str]]:
    """The cases that ours decide on this board; the others are named."""
    cases = {}
    for what, (theirs, mine) in CASES.items():
        verdict = found[mine]
        if verdict.kind == "skipped":
            print(f"left out on both sides: {what} (ours: {verdict.reason})")
        else:
            cases[what] = theirs, mine
    return cases


def ours(folder: Path, bundle: Bundle, tests: list[str]) -> dict[str, Verdict]:
    """Our tests' verdicts; the seconds hold their fixtures."""
    results = tempfile.mkdtemp(dir=folder)
    argv = [sys.executable, "-m", "pytest", "--slow", "--lg-env", SANDBOX]
    argv += ["--firmware", bundle.path, "--results", results, "-p", "no:cacheprovider"]
    finished = run(
        [*argv, *(f"{OURS}/{test}" for test in tests)], cwd=ROOT, timeout=600, check=False
    )
    found = {}
    for junit in Path(results).glob("latest/junit.xml"):
        found = verdicts(junit)
    if missing := [test for test in tests if test not in found]:
        raise HostError(f"not run: {', '.join(missing)}\n{finished.text[-2000:]}")
    return found


if __name__ == "__main__":
    start(main)
