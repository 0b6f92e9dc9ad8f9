"""The capsules that count, and what the offline verdict says about them on this firmware."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ubtest.crypto.verdict import Verdict, judge
from ubtest.formats.acceptance import Item, OuterHeaders, Target
from ubtest.formats.guid import Guid
from ubtest.formats.record import FormatError
from ubtest.plugin.known_bugs import known_bug
from ubtest.preflight import commands
from ubtest.preflight.facts import CapsuleFile, Facts, Unread, Volume
from ubtest.preflight.request_checks import taken, target


@dataclass(frozen=True)
class Judged:
    file: CapsuleFile
    verdict: Verdict | Unread


def searched(facts: Facts) -> Volume | None:
    """The partition whose capsules count: the boot device, or the one that should be it."""
    if not facts.systems:
        return None
    there = taken(facts)
    return there if there and there.files else target(facts)


def files_of(facts: Facts) -> Sequence[CapsuleFile]:
    """The capsules that count: those that lie on the disk, and the user's."""
    volume = searched(facts)
    there = list(volume.files) if volume else []
    own = facts.capsule
    if own and not any(own.content == each.content for each in there):
        there.append(own)
    return there


def first_item(each: CapsuleFile) -> Item | None:
    if isinstance(each.content, Unread):
        return None
    outer = OuterHeaders(each.content)
    try:
        item = Item(outer, outer.items.start, Target())
        return item if outer.items and item.header.version == 3 else None
    except FormatError:
        return None


def judged(facts: Facts) -> Iterable[Judged]:
    trusted = () if isinstance(facts.trusted, Unread) else facts.trusted
    for each in files_of(facts):
        if isinstance(each.content, Unread):
            yield Judged(each, each.content)
        else:
            yield Judged(each, judge(each.content, trusted, _target(facts, each)))


def _target(facts: Facts, each: CapsuleFile) -> Target:
    """What the firmware is known to be, as far as it matters for this capsule."""
    item = first_item(each)
    lowest = None
    if item and not isinstance(facts.lowest, Unread):
        lowest = facts.lowest.get((item.header.image_type, item.header.index), 0)
    if known_bug("no-versions").affects(facts.version):
        lowest = None
    return Target(wanted(facts, item), lowest)


def wanted(facts: Facts, item: Item | None) -> tuple[Guid, int] | None:
    """The image that a capsule should be for; None: that is not known.

    The ESRT has no index, so that of an image which the board file does not name is not asked.
    """
    said = None if isinstance(facts.image, Unread) else facts.image
    if isinstance(facts.esrt, Unread):
        return said
    types = [each.image_type for each in facts.esrt]
    if item and item.header.image_type in types:
        return said if said and said[0] == item.header.image_type else None
    if said and said[0] in types:
        return said
    return (types[0], 1) if types else None


def rebuilt(facts: Facts, each: CapsuleFile, image: str) -> list[str]:
    """A capsule that fits this firmware, of an image that the user has."""
    item = first_item(each)
    assert item is not None  # the headers were good enough for this question
    to = wanted(facts, item) or (item.header.image_type, item.header.index)
    options = ["--guid", str(to[0]), "--index", str(to[1])]
    lowest = 0 if isinstance(facts.lowest, Unread) else facts.lowest.get(to, 0)
    version = max(lowest, item.version[0])
    options += ["--fw-version", str(version)] if version else []
    return ["build", image, "-o", "NEW.cap", *options, *commands.signer(facts)]
