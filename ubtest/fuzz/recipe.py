"""The recipe of a finding: what somebody else needs to see it again, in a file that reads well."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from ubtest.errors import CaseError, writing
from ubtest.firmware.bundle import Bundle
from ubtest.fuzz.case import Case
from ubtest.fuzz.finding import Finding
from ubtest.fuzz.minimise import differing
from ubtest.fuzz.mutation import Mutation

NAME = "recipe.yaml"
ORIGINAL, SMALLEST, CONSOLE = "original.cap", "smallest.cap", "console.txt"


@dataclass(frozen=True)
class Setting:
    """Where a campaign ran.

    :param board: its file, as it was named.
    """

    board: str
    firmware: Bundle
    seed: int
    mix: str


@dataclass(frozen=True)
class Recipe:
    """What a replay needs of a recipe.

    :param capsule: the file to send.
    """

    board: str
    seed: int
    mix: str
    case: Case
    finding: str
    capsule: Path

    @classmethod
    def read(cls, path: Path) -> "Recipe":
        """Read `recipe.yaml`, or the one in a folder.

        :raises CaseError: it is none, or its capsule is missing.
        """
        path = path / NAME if path.is_dir() else path
        try:
            said = yaml.safe_load(path.read_text(encoding="utf-8"))
            made = said["made of"]
            mutations = tuple(Mutation(**each) for each in made["mutations"])
            case = Case(int(made["case"]), str(made["good capsule"]), mutations)
            capsule = path.parent / said["capsule"]["file"]
            recipe = cls(
                said["board"], int(made["seed"]), made["mix"], case, said["finding"], capsule
            )
        except OSError as error:
            raise CaseError(f"cannot read {path}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError, LookupError, TypeError, ValueError) as error:
            raise CaseError(f"{path} is not a recipe of `ubtest fuzz`: {error!r}") from error
        if not capsule.is_file():
            raise CaseError(f"{capsule} is missing", next_step="keep it beside its recipe")
        return recipe


def write(folder: Path, finding: Finding, good: bytes, setting: Setting) -> None:
    """Write the recipe with the capsule, and what the firmware said.

    :param good: the good capsule that the case is made of.
    :raises HostError: it cannot be written.
    """
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ORIGINAL).write_bytes(finding.file)
        if finding.smallest is not None:
            (folder / SMALLEST).write_bytes(finding.smallest)
        if finding.said:
            (folder / CONSOLE).write_text(finding.said + "\n", encoding="utf-8")
        text = yaml.safe_dump(_content(folder, finding, good, setting), sort_keys=False, width=100)
        (folder / NAME).write_text(text, encoding="utf-8")


def _content(folder: Path, finding: Finding, good: bytes, setting: Setting) -> dict[str, Any]:
    smallest = finding.smallest
    file = finding.file if smallest is None else smallest
    firmware = setting.firmware
    config = (firmware.binary.parent / ".config").read_bytes()
    content: dict[str, Any] = {"finding": str(finding)}
    if finding.known:
        content["known bug"] = finding.known
    return content | {
        "seen": finding.count,
        "seen alone on a fresh board": {None: "not tried", True: "yes", False: "no"}[finding.alone],
        "board": setting.board,
        "firmware": {
            "version": firmware.version,
            "banner": firmware.banner,
            "source": str(firmware.manifest.get("source", "unknown")),
            "compiler": str(firmware.manifest.get("compiler", "unknown")),
            "binary sha256": hashlib.sha256(firmware.binary.read_bytes()).hexdigest(),
            "config sha256": hashlib.sha256(config).hexdigest(),
            "config": list(firmware.manifest.get("fragment", [])),
        },
        "made of": {
            "seed": setting.seed,
            "mix": setting.mix,
            "case": finding.case.number,
            "good capsule": finding.case.good,
            "mutations": [asdict(each) for each in finding.case.mutations],
        },
        "needed": None if finding.needed is None else [asdict(each) for each in finding.needed],
        "capsule": {
            "file": ORIGINAL if smallest is None else SMALLEST,
            "bytes": len(file),
            "bytes other than the good one's": differing(file, good),
            "sha256": hashlib.sha256(file).hexdigest(),
        },
        "replay": f"ubtest fuzz capsule --replay {folder / NAME}",
    }
