"""EFI_SIGNATURE_LIST: the certificates that a firmware trusts (UEFI 2.10 section 32.4.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from ubtest.formats.guid import CERT_X509, Guid, GuidWire
from ubtest.formats.record import U32, FormatError, Record, take


@dataclass(frozen=True)
class SignatureListHeader(Record):
    """The fixed part of a list.

    :param list_size: bytes of the whole list, this header included.
    :param signature_size: bytes of each signature with the 16 of its owner.
    """

    spec_name = "EFI_SIGNATURE_LIST"

    kind: Annotated[Guid, GuidWire("SignatureType")]
    list_size: Annotated[int, U32("SignatureListSize")]
    header_size: Annotated[int, U32("SignatureHeaderSize")]
    signature_size: Annotated[int, U32("SignatureSize")]


@dataclass(frozen=True)
class Signature:
    """One EFI_SIGNATURE_DATA: whose entry it is, and the certificate in DER or the hash."""

    owner: Guid
    data: bytes

    def pack(self) -> bytes:
        return self.owner.wire + self.data


@dataclass(frozen=True)
class SignatureList:
    """One list: signatures of one type and of one size."""

    signatures: tuple[Signature, ...]
    kind: Guid = CERT_X509

    def pack(self) -> bytes:
        """The bytes of the list.

        :raises FormatError: no signatures, or signatures of different sizes.
        """
        sizes = {len(signature.data) for signature in self.signatures}
        if len(sizes) != 1:
            raise FormatError(
                f"EFI_SIGNATURE_LIST: holds signatures of one size, not of {sorted(sizes)} bytes"
            )
        body = b"".join(signature.pack() for signature in self.signatures)
        size = len(body) // len(self.signatures)
        header = SignatureListHeader(self.kind, SignatureListHeader.size() + len(body), 0, size)
        return header.pack() + body

    @classmethod
    def parse(cls, data: bytes, offset: int = 0) -> "SignatureList":
        """Read the list that starts at an offset.

        A signature header, which no type of the specification has, is passed over.

        :raises FormatError: data too short, or sizes that contradict each other.
        """
        header = SignatureListHeader.parse(data, offset)
        fixed = header.size() + header.header_size
        rest = header.list_size - fixed
        size = header.signature_size
        if size < 16 or rest <= 0 or rest % size:
            raise FormatError(
                f"EFI_SIGNATURE_LIST at {offset:#x}: {rest} bytes of signatures "
                f"do not divide into ones of {size}"
            )
        body = take(data, offset + fixed, rest, "EFI_SIGNATURE_LIST: Signatures")
        return cls(
            tuple(
                Signature(Guid(body[at : at + 16]), body[at + 16 : at + size])
                for at in range(0, rest, size)
            ),
            header.kind,
        )


def x509_database(owner: Guid, certificates: Iterable[bytes]) -> bytes:
    """Lists of certificates in DER, one list each because certificates differ in size.

    U-Boot reads any number of lists behind each other (`efi_build_signature_store`,
    lib/efi_loader/efi_signature.c).
    """
    return b"".join(SignatureList((Signature(owner, der),)).pack() for der in certificates)


def parse_database(data: bytes) -> tuple[SignatureList, ...]:
    """All lists of a signature database, such as the variable `db` or U-Boot's capsule key.

    :raises FormatError: data that do not end with the end of a list.
    """
    lists = []
    offset = 0
    while offset < len(data):
        lists.append(SignatureList.parse(data, offset))
        offset += SignatureListHeader.parse(data, offset).list_size
    return tuple(lists)
