"""Everything that a campaign needs on one board: opened together, and gone together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import writing
from ubtest.firmware.bundle import Bundle
from ubtest.fuzz import recipe as recipes
from ubtest.fuzz.campaign import Campaign, Pace
from ubtest.fuzz.case import Cases
from ubtest.fuzz.corpus import Corpus
from ubtest.fuzz.finding import Finding, Sighting
from ubtest.fuzz.oracle import Oracle
from ubtest.fuzz.recipe import Recipe, Setting
from ubtest.fuzz.trial import Trials
from ubtest.lab.open_board import open_board
from ubtest.project import Project

NEEDS = ("EFI_CAPSULE_AUTHENTICATE", "EFI_RUNTIME_UPDATE_CAPSULE", "CMD_EFIDEBUG", "HUSH_PARSER")


@dataclass
class Bench:
    """One board with the cases for it."""

    setting: Setting
    cases: Cases
    trials: Trials
    oracle: Oracle

    @classmethod
    @contextmanager
    def open(cls, board: str, firmware: Path | None, seed: int, mix: str) -> Iterator["Bench"]:
        """Open a board by its name or file, and leave nothing of it behind.

        :raises CaseError: the board or the firmware does not do.
        """
        path = Path(board)
        if path.suffix != ".yaml":
            path = Project.find().boards / f"{board}.yaml"
        bundle = Bundle.open(firmware) if firmware else None
        with open_board(path, bundle) as opened:
            bundle = opened.machine.bundle
            bundle.require(configs=NEEDS)
            ring = KeyRing.load(Project.find(path).keys)
            image = opened.image
            corpus = Corpus(ring, image.image_type, image.index)
            yield cls(
                Setting(board, bundle, seed, mix),
                Cases(corpus, seed, mix),
                Trials(opened),
                Oracle(image, corpus.certificates, bundle.version),
            )

    def campaign(
        self,
        folder: Path,
        on_finding: Callable[[Finding], None],
        on_pace: Callable[[Pace], None],
    ) -> Campaign:
        """A campaign whose findings are written as soon as they are seen."""

        def found(finding: Finding) -> None:
            self.keep(folder, [finding])
            on_finding(finding)

        return Campaign(self.cases, self.trials, self.oracle, on_finding=found, on_pace=on_pace)

    def replay(self, recipe: Recipe) -> Sighting | None:
        """What the capsule of a recipe does on a board that has just booted."""
        file = recipe.capsule.read_bytes()
        outcome = self.trials.alone(file)
        return self.oracle.sighting(file, lambda: self.cases.authentic(recipe.case), outcome)

    def keep(self, folder: Path, findings: Sequence[Finding]) -> None:
        """Write the recipes of findings, over what was written of them before."""
        for finding in findings:
            good = self.cases.corpus.good(finding.case.good, finding.case.number).capsule.pack()
            name = f"{finding.first.kind.name.lower()}-{finding.case.number}"
            recipes.write(folder / name, finding, good, self.setting)

    def results(self, root: Path) -> Path:
        """A new folder for one campaign.

        :raises HostError: it cannot be made.
        """
        started = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        stem = f"{started}-{Path(self.setting.board).stem}-seed{self.setting.seed}"
        with writing(root):
            for number in count(1):
                folder = root / (stem if number == 1 else f"{stem}-{number}")
                try:
                    folder.mkdir(parents=True)
                    return folder
                except FileExistsError:
                    continue  # another campaign started in the same second
        raise AssertionError("count() does not end")
