"""The suite against firmware with a bug planted into it: which tests see it.

A test that no bug can fail proves nothing. Each bug is an edit of U-Boot 2025.01's source, in a
copy of the tree that stays in the cache, so that only the first build compiles all of it.
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import QEMU, ROOT, verdicts

from ubtest.cases.secure_boot_images import ROWS as IMAGES
from ubtest.cases.secure_boot_variables import MONOTONIC
from ubtest.cases.secure_boot_variables import ROWS as WRITES
from ubtest.crypto.keyring import KeyRing
from ubtest.firmware.build import build
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.folder import using
from ubtest.firmware.source import resolve
from ubtest.project import Project, cache

pytestmark = pytest.mark.slow

CAPSULES = tuple(
    f"tests/board/capsule/test_{name}.py" for name in ("accepted", "refused", "not_processed")
)
SECURE_BOOT = ("--slow", "tests/board/secure_boot")


@dataclass(frozen=True)
class Bug:
    """What is planted and who must see it.

    :param edits: (regular expression that matches once, replacement).
    :param seen_by: a part of the names of exactly those tests that must fail.
    :param file: of U-Boot, in lib/efi_loader.
    :param tests: what is run.
    :param others: verdicts of all tests that need not see it; "skipped" is a known bug, too.
    """

    edits: tuple[tuple[str, str], ...]
    seen_by: str
    file: str = "efi_capsule.c"
    tests: tuple[str, ...] = CAPSULES
    others: frozenset[str] = frozenset({"passed"})


def refused(*names: str) -> str:
    """Exactly these rows of a table."""
    return "|".join(re.escape(f"[{name}]") for name in names)


BUGS = {
    "accept unsigned": Bug(
        (
            (
                r"(?=efi_status_t efi_capsule_authenticate\(const void)",
                "static int planted_unsigned;\n",
            ),
            (
                r"(?=status = EFI_SECURITY_VIOLATION;\n\tcapsule_sig = NULL;)",
                "if (planted_unsigned) { planted_unsigned = 0; *image = (void *)capsule; "
                "*image_size = capsule_size; return EFI_SUCCESS; }\n\t",
            ),
            (
                r"/\* no signature \*/\s+ret = EFI_SECURITY_VIOLATION;\s+goto out;",
                "planted_unsigned = 1;",
            ),
        ),
        r"test_refused::test_(by_command|at_boot)\[unsigned\]|test_at_boot_the_result",
    ),
    "keep the file": Bug(
        ((r"ret = efi_capsule_delete_file\(files\[i\]\);", "ret = EFI_SUCCESS;"),),
        r"test_refused::test_(by_command|at_boot)\[|test_flash_holds_the_payload|test_every_file",
    ),
    "always report success": Bug(
        (
            (
                r"set_capsule_result\(index, capsule, ret\);",
                "set_capsule_result(index, capsule, EFI_SUCCESS);",
            ),
        ),
        r"test_refused::test_by_command|test_at_boot_the_result",
    ),
    "start every image": Bug(
        ((r"if \(!efi_secure_boot_enabled\(\)\)\n\t\treturn true;", "return true;"),),
        refused(*(row.what for row in IMAGES if not row.starts)),
        "efi_image_loader.c",
        SECURE_BOOT,
        frozenset({"passed", "skipped"}),
    ),
    "forget the time": Bug(
        ((r"if \(new_time <= \*time\)\n\t\tgoto err;", ""),),
        refused(
            *(
                f"{row.variable}: {row.differs}"
                for row in WRITES
                if row.why == MONOTONIC and row.becomes is None
            )
        ),
        "efi_variable.c",
        SECURE_BOOT,
        frozenset({"passed", "skipped"}),
    ),
}


@pytest.fixture
def good_tree() -> Path:
    """U-Boot's source as it is."""
    return resolve("debian:2025.01", print).tree


@pytest.fixture
def tree(good_tree, monkeypatch) -> Iterator[Path]:
    """A copy of the source that may be edited; files are shared until they are.

    What is built of it goes into a cache of its own: nobody else may find it there.
    """
    held = using("planted")
    own_cache = cache() / "planted"
    tree = own_cache / "tree"
    if not tree.exists():
        shutil.copytree(good_tree, tree, symlinks=True, copy_function=os.link)
    monkeypatch.setenv("UBTEST_CACHE", str(own_cache))
    yield tree
    if held is not None:
        os.close(held)


def planted(good_tree: Path, tree: Path, bug: Bug) -> Bundle:
    """The firmware with the bug in it."""
    for file in sorted({each.file for each in BUGS.values()}):
        text = (good_tree / "lib/efi_loader" / file).read_text()
        for pattern, replacement in bug.edits if file == bug.file else ():
            text, count = re.subn(pattern, lambda match, text=replacement: text, text)
            assert count == 1, f"{pattern!r} matches {count} times"
        _replace(tree / "lib/efi_loader" / file, text)
    key = KeyRing.load(ROOT / "keys")["trusted"]
    return build(
        "qemu-arm64",
        resolve(str(tree), print),
        project=Project(ROOT),
        certificate=key.certificate_path,
        fingerprint=key.fingerprint,
    )


def _replace(path: Path, text: str) -> None:
    if path.read_text() == text:
        return
    path.unlink()  # the other name of the file keeps its content
    path.write_text(text)


@pytest.mark.parametrize("name", BUGS)
def test_the_right_tests_see_it(run_pytest, good_tree, tree, name):
    firmware = planted(good_tree, tree, BUGS[name])
    where = ["--lg-env", str(QEMU), "--firmware", str(firmware.path)]
    run = run_pytest(*where, *BUGS[name].tests).finish(300)
    found = verdicts(run)
    seen = {test for test, verdict in found.items() if verdict == "failure"}
    must = {test for test in found if re.search(BUGS[name].seen_by, test)}
    assert seen == must, run.output
    assert must
    assert {found[test] for test in found.keys() - must} == BUGS[name].others
