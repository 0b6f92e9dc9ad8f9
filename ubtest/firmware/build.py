"""Builds U-Boot outside of its tree and keeps what comes out under a key of its content."""

import hashlib
import json
import os
import re
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ubtest.errors import CaseError, HostError, UbtestError
from ubtest.firmware.bundle import MANIFEST, Bundle, banner, bundles
from ubtest.firmware.config import Kconfig
from ubtest.firmware.folder import disk_full, is_full, locked, whole, writing
from ubtest.firmware.progress import OnProgress, Progress, silent
from ubtest.firmware.recipe import Recipe
from ubtest.firmware.source import Source
from ubtest.project import Project
from ubtest.requirements import BUILD, package_of
from ubtest.run import stream

# What make and U-Boot would take from the user's environment, or from a make that started us
_FOREIGN = (
    *("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GNUMAKEFLAGS", "MAKEFILES", "KBUILD_OUTPUT"),
    *("ARCH", "CC", "HOSTCC", "CFLAGS", "LDFLAGS", "CPPFLAGS", "KCFLAGS", "KCPPFLAGS"),
    *(
        "DEVICE_TREE",
        "EXT_DTB",
        "KCONFIG_CONFIG",
        "KCONFIG_ALLCONFIG",
        "LOCALVERSION",
        "BINMAN_ARGS",
    ),
)
# A step of the build as Kbuild prints it: "  CC      lib/crc32.o"
_STEP = re.compile(r"  [A-Z][\w-]* +\S")
# By the shell and by make
_NOT_FOUND = re.compile(
    r"(\S+): (?:command )?not found$|^make\S* (\S+): No such file", re.MULTILINE
)
_USUAL_STEPS = 850
_KEPT = ("u-boot.bin", ".config", "u-boot.dtb", "tools/mkeficapsule")


def build(
    board: str,
    source: Source,
    *,
    project: Project,
    certificate: Path,
    fingerprint: str,
    variant: str = "",
    jobs: int | None = None,
    on_progress: OnProgress = silent,
) -> Bundle:
    """The board's firmware: the bundle in the cache if there is one, else built.

    :param certificate: signs the capsules that the firmware accepts (PEM).
    :param fingerprint: the certificate's, as the key ring says it.
    :param jobs: compilers at once, by default one a processor.
    :raises CaseError: the fragment or the source is wrong; says which line.
    :raises HostError: a tool is missing, or the disk is full.
    """
    recipe = Recipe.read(
        board,
        variant,
        source,
        project=project,
        certificate=certificate,
        fingerprint=fingerprint,
    )
    if not (recipe.bundle / MANIFEST).is_file():
        with locked(
            f"build-{recipe.output.name}",
            f"building {recipe.name}",
            lambda text: on_progress(Progress(text)),
        ) as lock:
            if not (recipe.bundle / MANIFEST).is_file():
                with writing():
                    processors = len(os.sched_getaffinity(0))
                    Build(recipe, jobs or processors, on_progress, lock).run()
    with writing():
        os.utime(recipe.bundle / MANIFEST)
    return Bundle.open(recipe.bundle)


@dataclass(frozen=True)
class Build:
    """One build in its recipe's folder, whose lock the caller holds.

    The folder is reused from build to build, so that only what changed is compiled.
    """

    recipe: Recipe
    jobs: int
    on_progress: OnProgress
    lock: int

    @property
    def output(self) -> Path:
        return self.recipe.output

    def run(self) -> None:
        """Configure, compile, and put the bundle into its place."""
        self._check()
        unfinished = self.output / ".unfinished"
        if unfinished.exists():
            # Its run was killed: what a compiler was writing then looks newer than its source
            shutil.rmtree(self.output)
        self.output.mkdir(parents=True, exist_ok=True)
        certificate = self.output / "capsule.crt"
        if not certificate.is_file() or not _same(certificate, self.recipe.certificate):
            shutil.copyfile(self.recipe.certificate, certificate)
        unfinished.touch()
        try:
            self._configure(self.recipe.asked(certificate))
            steps = self._compile()
        finally:
            unfinished.unlink(missing_ok=True)
        self._keep(steps)

    def _check(self) -> None:
        if missing := [r.package for r in BUILD if r.found is None]:
            raise HostError(
                "U-Boot cannot be built here: packages are missing",
                next_step="apt-get install " + " ".join(missing),
            )
        tree = self.recipe.source.tree
        if (tree / ".config").exists() or (tree / "include" / "config").exists():
            raise CaseError(
                f"{tree} has been built in place, and then builds nowhere else",
                next_step=f"run `make mrproper` there, or take {tree}@HEAD",
            )

    def _configure(self, asked: Kconfig) -> None:
        self.on_progress(Progress(f"configuring {self.recipe.name}"))
        config = self.output / ".config"
        self._make(self.recipe.defconfig)
        with config.open("a") as file:
            file.write(asked.lines())
        self._make("olddefconfig")
        asked.check_kept(Kconfig.read(config), f"{self.recipe.name}.config")

    def _compile(self) -> int:
        stage = f"compiling U-Boot {self.recipe.source.version} for {self.recipe.name}"
        total = self._steps_to_go()
        began = time.monotonic()
        done = 0

        def count(line: str) -> None:
            nonlocal done
            done += bool(_STEP.match(line))
            self.on_progress(Progress(stage, done, total, time.monotonic() - began))

        self.on_progress(Progress(stage, 0, total))
        self._make(f"-j{self.jobs}", on_line=count)
        for name in ("u-boot.bin", *self.recipe.keep):
            if not (self.output / name).is_file():
                raise CaseError(f"{self.recipe.defconfig} makes no {name}")
        return done if total else 0

    def _steps_to_go(self) -> int:
        """About how many there are; 0 where what is there is only brought up to date."""
        if (self.output / "u-boot.bin").exists():
            return 0
        # A build that was stopped has left its objects
        there = sum(1 for _ in self.output.rglob("*.o"))
        return max(1, _steps_before(self.recipe.board) - there)

    def _make(self, *words: str, on_line: Callable[[str], None] = lambda line: None) -> None:
        last: deque[str] = deque(maxlen=200)

        def take(line: str) -> None:
            last.append(line)
            on_line(line)

        argv = ["make", "-C", str(self.recipe.source.tree), f"O={self.output}"]
        environment: dict[str, str | None] = dict.fromkeys(_FOREIGN)
        environment |= {
            "LC_ALL": "C",
            "SOURCE_DATE_EPOCH": str(self.recipe.source.epoch),
            # The source may be a user's: Python must leave nothing there
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        argv += [f"CROSS_COMPILE={self.recipe.compiler}", *self.recipe.make, *words]
        code = stream(argv, take, env=environment, check=False, pass_fds=(self.lock,))
        if code:
            raise self._explained(list(last))

    def _explained(self, output: Sequence[str]) -> UbtestError:
        text = "\n".join(output)
        if is_full(text):
            # What is there may be cut off, and takes the room that the next try needs
            shutil.rmtree(self.output, ignore_errors=True)
            return disk_full()
        if found := _NOT_FOUND.search(text):
            program = (found[1] or found[2]).rpartition("/")[2]
            return HostError(
                f"U-Boot's build needs `{program}`",
                next_step=f"apt-get install {package_of(program) or program}",
            )
        errors = [line for line in output if re.search(r"\berror:|\*\*\*", line, re.IGNORECASE)]
        return CaseError(
            f"U-Boot {self.recipe.source.version} does not build:\n  "
            + "\n  ".join(errors[:10] or output[-10:]),
            next_step=f"correct the source in {self.recipe.source.tree}, or the fragment",
        )

    def _keep(self, steps: int) -> None:
        with whole(self.recipe.bundle) as draft:
            for name in (*_KEPT, *self.recipe.keep):
                if (self.output / name).is_file():
                    (draft / name).parent.mkdir(exist_ok=True)
                    shutil.copy2(self.output / name, draft / name)
            shutil.copyfile(self.recipe.certificate, draft / "capsule.crt")
            (draft / "fragment.config").write_text(self.recipe.fragment.lines())
            manifest = self._manifest(draft, steps)
            (draft / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")

    def _manifest(self, draft: Path, steps: int) -> dict[str, object]:
        recipe = self.recipe
        files = {
            str(p.relative_to(draft)): p.read_bytes()
            for p in sorted(draft.rglob("*"))
            if p.is_file()
        }
        return {
            "board": recipe.board,
            "variant": recipe.variant,
            "version": recipe.source.version,
            "banner": banner(files["u-boot.bin"]),
            "revision": recipe.source.revision,
            "source": recipe.source.identity,
            "defconfig": recipe.defconfig,
            "compiler": recipe.compiler_version,
            "fragment": recipe.fragment.lines().splitlines(),
            "certificate_fingerprint": recipe.fingerprint,
            "built": datetime.now(UTC).isoformat(timespec="seconds"),
            "key": recipe.key,
            "steps": steps,
            "files": {
                name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
                for name, content in files.items()
            },
        }


def _same(one: Path, other: Path) -> bool:
    return one.read_bytes() == other.read_bytes()


def _steps_before(board: str) -> int:
    """How many steps the board's last full build took, or about what boards take."""
    manifests = bundles().glob(f"{board}*/*/{MANIFEST}")
    steps = [json.loads(path.read_text()).get("steps", 0) for path in manifests]
    return max(steps, default=0) or _USUAL_STEPS
