"""What is handed to SetVariable() for an authenticated variable: a descriptor with the signature,
then the value (UEFI 2.10 section 8.2.2)."""

from dataclasses import dataclass, field
from typing import Annotated

from ubtest.formats.efitime import EfiTime
from ubtest.formats.fmp import WIN_CERT_REVISION_2_0, WIN_CERT_TYPE_EFI_GUID
from ubtest.formats.guid import CERT_TYPE_PKCS7, GLOBAL_VARIABLE, Guid, GuidWire
from ubtest.formats.record import U16, U32, Nested, Record, take
from ubtest.formats.varstore import (
    BOOTSERVICE_ACCESS,
    NON_VOLATILE,
    RUNTIME_ACCESS,
    TIME_BASED_AUTHENTICATED,
)

APPEND_WRITE = 0x40
KEY_DATABASE = NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS | TIME_BASED_AUTHENTICATED

IMAGE_SECURITY_DATABASE = Guid.of("d719b2cb-3d3a-4596-a3bc-dad00e67656f")  # section 32.4.1
DATABASES = ("db", "dbx", "dbt", "dbr")  # named under it; PK and KEK are global variables


@dataclass(frozen=True)
class Authentication2(Record):
    """The descriptor in front of the signature.

    :param time: must be later than that of the variable's last change.
    :param length: bytes of the certificate with its own 24 bytes of header.
    """

    spec_name = "EFI_VARIABLE_AUTHENTICATION_2"

    time: Annotated[EfiTime, Nested("TimeStamp", EfiTime)]
    length: Annotated[int, U32("AuthInfo.Hdr.dwLength")]
    revision: Annotated[int, U16("AuthInfo.Hdr.wRevision")]
    kind: Annotated[int, U16("AuthInfo.Hdr.wCertificateType")]
    cert_type: Annotated[Guid, GuidWire("AuthInfo.CertType")]


CERTIFICATE_HEADER_SIZE = Authentication2.size() - EfiTime.size()


@dataclass(frozen=True)
class AuthenticatedWrite:
    """One write: a good one by default, and any broken one by `dataclasses.replace()`.

    :param value: the variable's new value; empty deletes it.
    :param signature: detached PKCS#7 in DER over :meth:`signed_data`.
    :param certificate_length: computed when packed, unless it is given.
    """

    name: str
    value: bytes = field(repr=False)
    time: EfiTime
    attributes: int = KEY_DATABASE
    signature: bytes = field(default=b"", repr=False)

    certificate_length: int | None = None
    certificate_revision: int = WIN_CERT_REVISION_2_0
    certificate_kind: int = WIN_CERT_TYPE_EFI_GUID
    certificate_type: Guid = CERT_TYPE_PKCS7

    @property
    def guid(self) -> Guid:
        """The namespace that the specification gives the name."""
        return IMAGE_SECURITY_DATABASE if self.name in DATABASES else GLOBAL_VARIABLE

    def signed_data(self) -> bytes:
        """What the signature covers: name without its terminating zero, namespace, attributes,
        time and value."""
        return b"".join(
            (
                self.name.encode("utf-16-le"),
                self.guid.wire,
                self.attributes.to_bytes(4, "little"),
                self.time.pack(),
                self.value,
            )
        )

    def pack(self) -> bytes:
        """The bytes for SetVariable().

        :raises FormatError: a value does not fit into its field.
        """
        length = self.certificate_length
        if length is None:
            length = CERTIFICATE_HEADER_SIZE + len(self.signature)
        head = Authentication2(
            self.time,
            length,
            self.certificate_revision,
            self.certificate_kind,
            self.certificate_type,
        )
        return head.pack() + self.signature + self.value


def parse_write(data: bytes) -> tuple[Authentication2, bytes, bytes]:
    """Descriptor, signature and value of a write; the name is not in it.

    :raises FormatError: it ends within the descriptor, or its length contradicts the data.
    """
    head = Authentication2.parse(data)
    size = head.length - CERTIFICATE_HEADER_SIZE
    signature = take(data, head.size(), size, "EFI_VARIABLE_AUTHENTICATION_2: CertData")
    return head, signature, data[head.size() + size :]
