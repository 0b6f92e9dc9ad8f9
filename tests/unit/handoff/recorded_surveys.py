"""Surveys of real kernels with a fault each, and what the table of faults says of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ubtest.cases import handoff_faults, mmu500
from ubtest.cases.handoff_faults import Expected
from ubtest.handoff.survey import Survey

FOLDER = Path(__file__).parent / "surveys"
VERSIONS = ("6.1", "6.12")


@dataclass(frozen=True)
class Recorded:
    """One survey."""

    boot: str
    look: int
    version: str
    expected: Mapping[str, Expected]

    @property
    def survey(self) -> Survey:
        return Survey.load(FOLDER / f"{self.boot}.look{self.look}.{self.version}.tar.gz")

    def __str__(self) -> str:
        return f"{self.boot}.{self.look}.{self.version}"


def _all() -> Iterator[Recorded]:
    for boot in (*handoff_faults.BOOTS, *mmu500.BOOTS):
        for number, look in enumerate(boot.looks):
            for version in VERSIONS:
                yield Recorded(boot.id, number, version, look.expected(version))


RECORDED = tuple(_all())
