"""What can be wrong with an outcome, and how two findings are told apart."""

import enum
import re
from collections import Counter
from dataclasses import dataclass, field, replace

from ubtest.fuzz.case import Case
from ubtest.fuzz.mutation import Mutation


class Kind(enum.Enum):
    """The ways in which a firmware fails a case, the worst first."""

    FORGED = "wrote what no trusted key signed"
    ACCEPTED = "accepted what the offline verdict refuses"
    OUTSIDE = "changed the flash outside of the image"
    REFUSED = "refused the capsule and changed the flash"
    CRASH = "crashed"
    HANG = "did not come back"
    NOTHING = "reported success and wrote nothing"


@dataclass(frozen=True)
class Sighting:
    """One case that went wrong.

    :param site: where: of a crash its address, of a wrong acceptance the rule.
    :param known: the bug of known_bugs.yaml that looks like it, where the version has it.
    """

    kind: Kind
    site: str
    known: str | None = None

    @property
    def key(self) -> tuple[Kind, str]:
        """Equal for sightings of one class."""
        return self.kind, self.site or self.known or ""

    def __str__(self) -> str:
        known = f", looks like the known bug {self.known}" if self.known else ""
        return f"{self.kind.value}{f' ({self.site})' if self.site else ''}{known}"


@dataclass
class Finding:
    """A class of sightings, with its first case.

    :param said: the end of the console, where the firmware crashed or hung.
    :param looks: how often it was seen looking like which known bug.
    :param alone: whether the case does it on a board that has just booted; None: not tried yet.
    :param smallest: the case with as few bytes as possible other than the good capsule's.
    :param needed: the mutations that are left of it.
    """

    first: Sighting
    case: Case
    file: bytes
    said: str
    looks: "Counter[str | None]" = field(default_factory=Counter)
    alone: bool | None = None
    smallest: bytes | None = None
    needed: tuple[Mutation, ...] | None = None

    @property
    def count(self) -> int:
        """How often it was seen."""
        return self.looks.total()

    @property
    def known(self) -> str | None:
        """The known bug that most of its sightings look like: a case may have two faults."""
        return max(self.looks, key=self.looks.__getitem__, default=self.first.known)

    def __str__(self) -> str:
        return str(replace(self.first, known=self.known))


# What U-Boot's exception handlers and a sanitizer print; the first that is found names the place
_SITES = (
    re.compile(r"ERROR: (?P<what>AddressSanitizer: [\w-]+)[\s\S]*?#\d+ \S+ in (?P<at>\S+)"),
    re.compile(r"(?P<what>esr 0x\w+)[\s\S]*?elr: (?P<pc>\w+) lr : \w+ \(reloc\)"),
    re.compile(r"(?P<what>Segmentation violation|Illegal instruction|Bus error)[\s\S]*?"
               r"pc_reloc = 0x(?P<pc>\w+)"),
)  # fmt: skip
_PLACED = 1 << 32  # a program that the kernel puts elsewhere each time, as it does with ASAN's
_NEAR = 0xFF  # one loop reads beyond the end of memory in this or in that instruction


def crash_site(said: str) -> str:
    """What a crash is recognised by: its kind and the address in the binary, else its last line."""
    for pattern in _SITES:
        if found := pattern.search(said):
            names = found.groupdict()
            return f"{names['what']} at {names.get('at') or _address(int(names['pc'], 16))}"
    lines = said.strip().splitlines()
    return re.sub(r"(0x)?[0-9a-f]*\d[0-9a-f]*", "N", lines[-1])[:80] if lines else "silence"


def _address(pc: int) -> str:
    return f"0x...{pc & 0xFFF:03x}" if pc >= _PLACED else f"{pc & ~_NEAR:#x} and behind"
