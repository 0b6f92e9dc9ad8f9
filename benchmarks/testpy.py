"""U-Boot's own test/py, ready to run on a sandbox that ubtest has built.

Nothing is written into the source or the build: both are folders of links in a temporary place,
with copies of what test/py writes into or lacks. What is put right there, and why:

- `board/sandbox/capsule_pub_esl_good.esl` is made from the certificate beside it. Debian's source
  has no such file, the fixture wants it, and without it every test is skipped.
- The device tree trusts test/py's key in the place of ours. The program is the same.
- The tests use memory at 0x1000000 and 0x1100000, not at 0x4000000 and 0x5000000: our build has 64
  MiB of memory, which ends there.
- `virt-make-fs` and `sgdisk` are stood in for by ubtest's own disk writer. The real one starts a
  virtual machine for each disk.

pytest is the one that test/py's requirements.txt pins, in a virtual environment in the cache.
"""

import hashlib
import os
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ubtest.errors import CaseError, HostError
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.folder import locked, using, whole
from ubtest.firmware.recipe import Recipe
from ubtest.formats.guid import ZERO
from ubtest.formats.siglist import x509_database
from ubtest.media.disk import MiB, build_disk
from ubtest.project import cache
from ubtest.run import run

TESTS = "test/py/tests/test_efi_capsule"
PACKAGES = ("pytest", "pytest-xdist", "filelock")  # what its conftest.py imports
DTB = "arch/sandbox/dts/test.dtb"
KEYS = "board/sandbox"


@dataclass(frozen=True)
class Verdict:
    """What one test came to.

    :param kind: "passed", "failure", "error" or "skipped".
    :param reason: of a skip.
    """

    kind: str
    seconds: float
    reason: str


@dataclass(frozen=True)
class TestPy:
    """test/py beside one build.

    :param folder: of the links, and of what a run leaves.
    :param python: of the virtual environment that has its pytest.
    """

    folder: Path
    python: Path

    @classmethod
    def beside(cls, recipe: Recipe, bundle: Bundle, folder: Path) -> "TestPy":
        """Lay out source and build below a folder.

        :raises HostError: the build's folder is gone, or holds another build.
        """
        using(f"build-{recipe.output.name}")  # to our end: nobody removes it meanwhile
        _check_same(recipe, bundle)
        _links(recipe.source.tree, folder / "source", copied=("test", KEYS))
        _links(recipe.output, folder / "build", copied=(DTB,))
        requirements = recipe.source.tree / "test" / "py" / "requirements.txt"
        return cls(folder, environment(requirements) / "bin" / "python")

    def complete(self) -> None:
        """Put right what keeps its tests from running here."""
        keys = self.folder / "source" / KEYS
        certificate = x509.load_pem_x509_certificate(
            (keys / "capsule_pub_key_good.crt").read_bytes()
        )
        esl = x509_database(ZERO, [certificate.public_bytes(Encoding.DER)])
        (keys / "capsule_pub_esl_good.esl").write_bytes(esl)
        words = [f"{byte:x}" for byte in esl]
        dtb = self.folder / "build" / DTB
        run(["fdtput", "-t", "bx", dtb, "/signature", "capsule-key", *words])
        common = self.folder / "source" / TESTS / "capsule_common.py"
        text = common.read_text()
        for theirs, ours in (("4000000", "1000000"), ("5000000", "1100000")):
            if theirs not in text:
                raise CaseError(f"{common} no longer uses memory at 0x{theirs}")
            text = text.replace(theirs, ours)
        common.write_text(text)
        tools = self.folder / "tools"
        tools.mkdir()
        _script(tools / "virt-make-fs", f'exec {sys.executable} {__file__} "$@"')
        _script(tools / "sgdisk", ": the partition is an ESP already")

    def run(self, tests: Iterable[str] = (), *, timeout: float = 600) -> dict[str, Verdict]:
        """Run its capsule tests, or some of them, from its own folder as it wants.

        The seconds are those of the tests alone: keys, capsules and disk are made in fixtures.

        :param tests: `FILE.py::CLASS::NAME`; all by default.
        """
        data, junit = self.folder / "data", self.folder / "junit.xml"
        junit.unlink(missing_ok=True)
        argv = [self.python, "-m", "pytest", *([f"{TESTS}/{test}" for test in tests] or [TESTS])]
        argv += ["-p", "no:cacheprovider", "--tb=short"]
        argv += ["-o", "junit_duration_report=call", f"--junitxml={junit}"]
        argv += ["--bd=sandbox", f"--build-dir={self.folder / 'build'}"]
        argv += [f"--persistent-data-dir={data}", f"--result-dir={self.folder}"]
        finished = run(
            argv,
            cwd=self.folder / "source",
            env={
                "PATH": f"{self.folder / 'tools'}:{os.environ['PATH']}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            timeout=timeout,
            check=False,
        )
        if not junit.is_file():
            raise HostError(
                f"test/py did not run:\n{(finished.stderr or finished.stdout).decode()[-2000:]}"
            )
        return verdicts(junit)


def verdicts(junit: Path) -> dict[str, Verdict]:
    """Test -> verdict, named `FILE.py::CLASS::NAME` without the folders."""
    found = {}
    for case in ET.parse(junit).iter("testcase"):
        where = case.get("classname", "").split(".")
        # Folders, the module, and perhaps a class
        within = [where.pop()] if not where[-1].startswith("test_") else []
        name = "::".join([f"{where[-1] if where else ''}.py", *within, case.get("name", "")])
        kind = next((c for c in case if c.tag in ("failure", "error", "skipped")), None)
        found[name] = Verdict(
            "passed" if kind is None else kind.tag,
            float(case.get("time", 0)),
            "" if kind is None else kind.get("message", ""),
        )
    return found


def environment(requirements: Path) -> Path:
    """A virtual environment in the cache with the packages that test/py pins, made once."""
    pinned = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = cache() / "testpy" / pinned
    with locked(f"testpy-{pinned}", "installing test/py's pytest", print):
        if not home.is_dir():
            print(f"fetching {', '.join(PACKAGES)} for test/py into {home}")
            with whole(home) as draft:
                run([sys.executable, "-m", "venv", draft], timeout=120)
                pip = [draft / "bin" / "python", "-m", "pip", "install", "--quiet"]
                run([*pip, "-c", requirements, *PACKAGES], timeout=600)
    return home


def _check_same(recipe: Recipe, bundle: Bundle) -> None:
    program = recipe.output / "u-boot"
    if program.is_file() and program.read_bytes() == (bundle.path / "u-boot").read_bytes():
        return
    raise HostError(
        f"{recipe.output} does not hold the build of {bundle.path} any more",
        next_step=f"remove {bundle.path}, and run this again: it is built anew",
    )


def _links(original: Path, folder: Path, *, copied: tuple[str, ...]) -> None:
    """A folder like another one, of links; what is copied can be written to."""
    folder.mkdir()
    for path in original.iterdir():
        name = path.name
        inside = tuple(c.partition("/")[2] for c in copied if c.partition("/")[0] == name)
        if not inside:
            (folder / name).symlink_to(path)
        elif "" in inside:
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, folder / name)
        else:
            _links(path, folder / name, copied=inside)


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def _disk(folder: Path, image: Path) -> None:
    """What `virt-make-fs --partition=gpt --type=vfat` does, empty folders too."""
    files = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    build_disk(image, files, size=16 * MiB)
    empty = [path for path in folder.rglob("*") if path.is_dir() and not any(path.iterdir())]
    for path in empty:
        run(["mmd", "-i", f"{image}@@1M", f"::{path.relative_to(folder)}"])


if __name__ == "__main__":
    _disk(Path(sys.argv[-2]), Path(sys.argv[-1]))
