"""What must hold after every case, whatever was in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cryptography import x509

from ubtest.crypto.verdict import Answer as Offline
from ubtest.crypto.verdict import Verdict, judge
from ubtest.formats.acceptance import AUTHENTICATE, Target
from ubtest.formats.capsule import CapsuleHeader, FmpCapsuleHeader
from ubtest.formats.record import FormatError
from ubtest.fuzz.finding import Kind, Sighting, crash_site
from ubtest.fuzz.trial import STRIDE, Answer, Outcome
from ubtest.lab.board import FirmwareImage
from ubtest.plugin.known_bugs import known_bug

ERASED = 0xFF


@dataclass(frozen=True)
class Oracle:
    """Holds an outcome against what the specification allows.

    :param trusted: the certificates that the firmware was built with.
    :param version: of the firmware, for its known bugs.
    """

    image: FirmwareImage
    trusted: Sequence[x509.Certificate]
    version: str

    def sighting(
        self, file: bytes, authentic: Callable[[], Sequence[bytes]], outcome: Outcome
    ) -> Sighting | None:
        """What is wrong; None when nothing is.

        :param authentic: gives the images that this case may write.
        """
        if (outcome.changed or outcome.outside) and (kind := self._flash(authentic(), outcome)):
            return Sighting(kind, "")
        if outcome.answer in FAULTS:
            kind, site = FAULTS[outcome.answer]
            return self._known(Sighting(kind, site(outcome.said)), file)
        if outcome.changed:
            return self._written(file, outcome)
        if outcome.answer is Answer.SUCCESS:
            return self._known(Sighting(Kind.NOTHING, ""), file)
        return None

    def _written(self, file: bytes, outcome: Outcome) -> Sighting | None:
        """What wrote an authentic image must be a capsule that may."""
        verdict = self._offline(file)
        if verdict.answer is Offline.REFUSED and not _one_is_good(verdict):
            return Sighting(Kind.ACCEPTED, verdict.rule)
        if verdict.answer is Offline.ACCEPTED and outcome.answer is Answer.REFUSED:
            return Sighting(Kind.REFUSED, "")
        return None

    def _flash(self, authentic: Sequence[bytes], outcome: Outcome) -> Kind | None:
        """Every byte that changed must belong to the image, and the image to a trusted key."""
        now, was = outcome.after, outcome.before
        if outcome.outside:
            return Kind.OUTSIDE
        for image in authentic:
            rest = now[len(image) :]
            if now.startswith(image) and rest in (was[len(image) :], bytes([ERASED]) * len(rest)):
                return None
        return Kind.FORGED

    def _offline(self, file: bytes) -> Verdict:
        """The verdict of our own code, on the capsule as it lies in memory.

        There the firmware does not know where the file ends, so that is not asked.
        """
        data = file.ljust(STRIDE, b"\0")
        header = CapsuleHeader.parse(data)
        if header.image_size > STRIDE:
            data = replace(header, image_size=STRIDE).pack() + data[CapsuleHeader.size() :]
        target = Target((self.image.image_type, self.image.index))
        return judge(data, self.trusted, target, second_opinion=lambda signed: None)

    def _known(self, sighting: Sighting, file: bytes) -> Sighting:
        verdict = self._offline(file)
        for name, kind, looks_like in KNOWN:
            possible = kind is sighting.kind and known_bug(name).affects(self.version)
            if possible and looks_like(file, verdict):
                return replace(sighting, known=name)
        return sighting


FAULTS: dict[Answer, tuple[Kind, Callable[[str], str]]] = {
    Answer.CRASHED: (Kind.CRASH, crash_site),
    Answer.HUNG: (Kind.HANG, lambda said: ""),
}


def _one_is_good(verdict: Verdict) -> bool:
    """Whether a payload of it is good, so that writing is right, whatever comes after it."""
    return any(each.answer is not Offline.REFUSED for each in verdict.payloads)


def _short(file: bytes, verdict: Verdict) -> bool:
    header = CapsuleHeader.parse(file.ljust(STRIDE, b"\0"))
    return min(header.header_size, header.image_size) < CapsuleHeader.size()


def _no_payload(file: bytes, verdict: Verdict) -> bool:
    data = file.ljust(STRIDE, b"\0")
    try:
        at = CapsuleHeader.parse(data).header_size
        return FmpCapsuleHeader.parse(data, at).payload_item_count == 0
    except FormatError:
        return False


def _unreadable(file: bytes, verdict: Verdict) -> bool:
    """The headers are in order, and the signature is one that a parser may stumble over."""
    if verdict.where == AUTHENTICATE and verdict.rule == "signature":
        return not verdict.why.startswith(("the image or the count", "the signature value"))
    return verdict.answer is Offline.UNKNOWN and "beyond the capsule" not in verdict.why


# What a finding looks like that is a known bug; the version decides whether it can be
KNOWN: tuple[tuple[str, Kind, Callable[[bytes, Verdict], bool]], ...] = (
    ("pkcs7-error-aborts", Kind.CRASH, _unreadable),
    ("update-capsule-skips", Kind.NOTHING, _short),
    ("no-payload-is-success", Kind.NOTHING, _no_payload),
)
