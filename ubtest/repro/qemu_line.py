"""Command lines of QEMU in a report, as words: nothing of them is run."""

from dataclasses import dataclass

from ubtest.repro.message import Evidence


@dataclass(frozen=True)
class QemuLine:
    """One command line, continued lines put together.

    :param words: as a shell would split them; the program is the first.
    """

    words: tuple[str, ...]
    evidence: Evidence
