"""What a U-Boot does with a capsule, payload by payload: accepted, or refused and by which rule."""

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509

from ubtest.crypto.second_opinion import openssl_refuses
from ubtest.crypto.verification import Signed, Undecided, chunks, reason_to_refuse
from ubtest.formats import status
from ubtest.formats.acceptance import (
    AUTHENTICATE,
    OUTER_RULES,
    PAYLOAD_RULES,
    VERSION_RULES,
    Item,
    OuterHeaders,
    Refusal,
    Target,
    refusal,
)
from ubtest.formats.explain import SHOWN_SIGNATURE
from ubtest.formats.guid import FW_ACCEPT, FW_REVERT
from ubtest.formats.record import Bytes, FormatError

MAX_PAYLOADS = 64


class Answer(enum.Enum):
    """What the firmware does, as far as the file tells."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class PayloadVerdict:
    """One payload.

    :param why: for a refusal the field, for an acceptance who signed.
    """

    number: int
    answer: Answer
    why: str


@dataclass(frozen=True)
class Verdict:
    """A whole capsule.

    :param status: EFI_STATUS in CapsuleXXXX; None: no CapsuleXXXX, or it cannot be told.
    :param rule: the rule that is broken; empty when none is.
    :param payloads: those that U-Boot gets to; each is written before it looks at the next one.
    :param notes: what a reader should know besides.
    """

    answer: Answer
    status: int | None
    rule: str
    where: str
    why: str
    payloads: tuple[PayloadVerdict, ...] = ()
    notes: tuple[str, ...] = ()


Opinion = Callable[[Signed], str | None]


def judge(
    data: Bytes,
    trusted: Sequence[x509.Certificate],
    target: Target,
    *,
    second_opinion: Opinion = openssl_refuses,
) -> Verdict:
    """What a U-Boot that trusts these certificates does with a capsule on disk.

    :param second_opinion: asked about each signature that was found good.
    :raises HostError: there is no openssl.
    """
    outer = OuterHeaders(data)
    done: list[PayloadVerdict] = []
    budget = _Budget(len(data))
    try:
        if found := refusal(OUTER_RULES, outer):
            if found.rule == "capsule type" and outer.header.guid in (FW_ACCEPT, FW_REVERT):
                raise Undecided(
                    f"{outer.header.guid.name} is for a U-Boot with CONFIG_FWU_MULTI_BANK_UPDATE, "
                    "which decides by the state of its banks; any other answers UNSUPPORTED"
                )
            return _refused(found, done)
        for number in _bounded(outer.items):
            item = Item(outer, number, target)
            if found := _payload(item, trusted, second_opinion, budget):
                done.append(PayloadVerdict(len(done), Answer.REFUSED, found.detail))
                return _refused(found, done)
            done.append(PayloadVerdict(len(done), Answer.ACCEPTED, _described(item)))
    except FormatError as error:
        why = f"U-Boot reads beyond the capsule here, and what is in memory decides: {error}"
        return Verdict(Answer.UNKNOWN, None, "", "", why, tuple(done))
    except Undecided as undecided:
        return Verdict(Answer.UNKNOWN, None, "", "", str(undecided), tuple(done))
    return _accepted(outer, done)


def _bounded(items: range) -> Iterable[int]:
    if len(items) > MAX_PAYLOADS:
        raise Undecided(
            f"{len(items)} payloads are more than the {MAX_PAYLOADS} that are looked at"
        )
    return items


class _Budget:
    """Payloads that overlap could be hashed for ever; honest ones are hashed once."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise Undecided("the payloads overlap; no tool writes that, and it is not looked at")


def _payload(
    item: Item, trusted: Sequence[x509.Certificate], second_opinion: Opinion, budget: _Budget
) -> Refusal | None:
    """The rule that a payload breaks.

    :raises Undecided: it cannot be told, or the two opinions differ.
    """
    if found := refusal(PAYLOAD_RULES, item):
        return found
    start, end = item.signature
    if end - start > SHOWN_SIGNATURE:
        return _bad_signature(f"AuthInfo.CertData is longer than {SHOWN_SIGNATURE} bytes")
    budget.take(item.end - start)
    signed = Signed(item.data[start:end], lambda: _content(item), trusted)
    if reason := reason_to_refuse(signed):
        return _bad_signature(reason)
    if reason := second_opinion(signed):
        raise Undecided(f"by U-Boot's rules the signature is good, openssl says: {reason}")
    if item.version[1] > item.end - end:
        raise Undecided("HeaderSize of the MSS1 header leads beyond the image; U-Boot follows it")
    return refusal(VERSION_RULES, item)


def _content(item: Item) -> Iterable[bytes]:
    """What is signed: all behind the signature, then the count (`efi_capsule_authenticate`)."""
    yield from chunks(item.data, item.signature[1], item.end)
    yield item.authentication.monotonic_count.to_bytes(8, "little")


def _bad_signature(reason: str) -> Refusal:
    return Refusal("signature", status.SECURITY_VIOLATION, AUTHENTICATE, reason)


def _described(item: Item) -> str:
    version, size = item.version
    image = item.end - item.signature[1] - size
    return (
        f"{item.header.image_type}, index {item.header.index}, version {version}, "
        f"{image} bytes of image"
    )


def _refused(found: Refusal, done: Sequence[PayloadVerdict]) -> Verdict:
    written = [each.number for each in done if each.answer is Answer.ACCEPTED]
    notes = []
    if written:
        notes.append(f"payload {', '.join(map(str, written))}: written before this one is refused")
    if found.note:
        notes.append(found.note)
    return Verdict(
        Answer.REFUSED,
        found.status,
        found.rule,
        found.where,
        found.detail,
        tuple(done),
        tuple(notes),
    )


def _accepted(outer: OuterHeaders, done: Sequence[PayloadVerdict]) -> Verdict:
    notes = []
    if not done:
        notes.append("PayloadItemCount is 0: nothing is verified, nothing written (a known bug)")
    if outer.items.start:
        notes.append(f"{outer.items.start} embedded drivers are not loaded")
    return Verdict(
        Answer.ACCEPTED, status.SUCCESS, "", "", "no rule is broken", tuple(done), tuple(notes)
    )
