"""Named breakages: what each changes in a good signed capsule, and what U-Boot must answer.

For trying a board, a script or a colleague's code by hand. The capsule table has many more rows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ubtest.errors import CaseError
from ubtest.formats import status
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import CERT_X509, ZERO, Guid

# Nobody's image: a random one
OTHER = Guid.of("c4b2c1c3-8a0e-4b1d-9f0b-2f0a5f3e7d11")


@dataclass(frozen=True)
class Breakage:
    """One way to break a capsule.

    :param changes: what is different afterwards, by the names of the specification.
    :param break_it: makes the bytes of the broken capsule from a good one.
    :param answer: EFI_STATUS in CapsuleXXXX that is right; None: there must be no CapsuleXXXX.
    :param today: what U-Boot 2025.01 answers instead, where it has a bug there.
    :param bug: that bug, in a few words.
    """

    changes: str
    break_it: Callable[[Capsule], bytes]
    answer: int | None
    today: int | None = None
    bug: str = ""

    @property
    def seen(self) -> int | None:
        """What U-Boot 2025.01 answers, when it answers."""
        return self.answer if self.today is None else self.today


def _outer(**fields: Any) -> Callable[[Capsule], bytes]:
    return lambda good: replace(good, **fields).pack()


def _payload(change: Callable[[FmpPayload], dict[str, Any]]) -> Callable[[Capsule], bytes]:
    """Change the first payload."""

    def break_it(good: Capsule) -> bytes:
        first, *rest = good.payloads
        return replace(good, payloads=(replace(first, **change(first)), *rest)).pack()

    return break_it


def _flipped(data: bytes | None, what: str) -> bytes:
    if not data:
        raise CaseError(
            f"this capsule has no {what} to flip a bit in", next_step="break a signed one"
        )
    return data[:-1] + bytes([data[-1] ^ 1])


BREAKAGES = {
    "unsigned": Breakage(
        "no signature, and ImageCapsuleSupport says so",
        _payload(lambda good: {"signature": None, "support": None}),
        status.SECURITY_VIOLATION,
    ),
    "flip-image": Breakage(
        "one bit in the last byte of the image",
        _payload(lambda good: {"image": _flipped(good.image, "image")}),
        status.SECURITY_VIOLATION,
    ),
    "flip-signature": Breakage(
        "one bit in the last byte of the signature",
        _payload(lambda good: {"signature": _flipped(good.signature, "signature")}),
        status.SECURITY_VIOLATION,
    ),
    "monotonic-count": Breakage(
        "MonotonicCount is one more than what was signed",
        _payload(lambda good: {"monotonic_count": (good.monotonic_count + 1) % (1 << 64)}),
        status.SECURITY_VIOLATION,
    ),
    "certificate-type": Breakage(
        "AuthInfo.CertType is that of an X.509 certificate, not PKCS#7",
        _payload(lambda good: {"certificate_type": CERT_X509}),
        status.SECURITY_VIOLATION,
    ),
    "short-certificate": Breakage(
        "AuthInfo.Hdr.dwLength covers its own header and no signature",
        _payload(lambda good: {"certificate_length": 24}),
        status.SECURITY_VIOLATION,
    ),
    "long-certificate": Breakage(
        "AuthInfo.Hdr.dwLength leads far beyond the payload",
        _payload(lambda good: {"certificate_length": 0xFFFFFF00}),
        status.SECURITY_VIOLATION,
        bug="2025.01 can crash",
    ),
    "long-image": Breakage(
        "UpdateImageSize leads far beyond the file",
        _payload(lambda good: {"image_size": 0x7FFFFFFF}),
        status.SECURITY_VIOLATION,
        bug="2025.01 can crash",
    ),
    "wrong-guid": Breakage(
        "UpdateImageTypeId is that of no image",
        _payload(lambda good: {"image_type": OTHER}),
        status.UNSUPPORTED,
    ),
    "wrong-index": Breakage(
        "UpdateImageIndex is one more",
        _payload(lambda good: {"index": (good.index + 1) % 256}),
        status.UNSUPPORTED,
    ),
    "wrong-instance": Breakage(
        "UpdateHardwareInstance is 2; U-Boot's images have 1",
        _payload(lambda good: {"hardware_instance": 2}),
        status.UNSUPPORTED,
    ),
    "version-2": Breakage(
        "Version of the image header is 2",
        _payload(lambda good: {"header_version": 2}),
        status.UNSUPPORTED,
    ),
    "management-version-2": Breakage(
        "Version of the firmware management header is 2",
        _outer(fmp_version=2),
        status.UNSUPPORTED,
    ),
    "capsule-guid": Breakage("CapsuleGuid is all zero", _outer(guid=ZERO), status.UNSUPPORTED),
    "header-size-0": Breakage("HeaderSize is 0", _outer(header_size=0), status.INVALID_PARAMETER),
    "header-size-8": Breakage(
        "HeaderSize is 8, inside the header of 28 bytes", _outer(header_size=8), status.UNSUPPORTED
    ),
    "offset-beyond": Breakage(
        "ItemOffsetList[0] leads beyond the capsule",
        lambda good: replace(
            good, item_offsets=(len(good.pack()), *(0,) * (len(good.payloads) - 1))
        ).pack(),
        status.INVALID_PARAMETER,
    ),
    "zero-payloads": Breakage(
        "PayloadItemCount is 0; the payload is still there",
        _outer(payload_item_count=0),
        status.SECURITY_VIOLATION,
        today=status.SUCCESS,
        bug="2025.01 answers SUCCESS and writes nothing",
    ),
    "truncated": Breakage(
        "the second half of the file is missing",
        lambda good: (whole := good.pack())[: len(whole) // 2],
        None,
    ),
    "empty": Breakage("the file has 0 bytes", lambda good: b"", None),
}


def breakage(name: str) -> Breakage:
    """A breakage by its name.

    :raises CaseError: there is none of that name; lists all.
    """
    try:
        return BREAKAGES[name]
    except KeyError:
        raise CaseError(
            f"no breakage is called {name!r}", next_step=f"use one of: {', '.join(BREAKAGES)}"
        ) from None
