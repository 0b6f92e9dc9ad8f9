"""EFI_GUID and the ones that everybody knows (UEFI 2.10 appendix A and the sections named)."""

import uuid
from dataclasses import dataclass
from typing import Self

from ubtest.formats.record import FormatError, Wire


@dataclass(frozen=True, order=True)
class Guid:
    """An EFI_GUID: the first three groups are little-endian on the wire, the rest are not.

    :param wire: the 16 bytes as they are in memory and in files.
    :raises FormatError: not 16 bytes.
    """

    wire: bytes

    def __post_init__(self) -> None:
        if len(self.wire) != 16:
            raise FormatError(f"EFI_GUID: has {len(self.wire)} bytes, must have 16")

    @classmethod
    def of(cls, text: str) -> Self:
        """The GUID that is written like `6dcbd5ed-e82d-4c44-bda1-7194199ad92a`, in either case.

        :raises FormatError: the text is not a GUID.
        """
        try:
            value = uuid.UUID(text)
        except ValueError:
            raise FormatError(f"EFI_GUID: {text!r} is not a GUID") from None
        if str(value) != text.lower():
            raise FormatError(f"EFI_GUID: {text!r} is not written 8-4-4-4-12")
        return cls(value.bytes_le)

    @property
    def name(self) -> str | None:
        """What the specification or U-Boot calls it, when it is a well-known one."""
        return WELL_KNOWN.get(self)

    def __str__(self) -> str:
        return str(uuid.UUID(bytes_le=self.wire))

    def __repr__(self) -> str:
        return f"Guid.of({str(self)!r})"


class GuidWire(Wire[Guid]):
    """A GUID as a field of a record."""

    @property
    def size(self) -> int:
        return 16

    def pack(self, value: Guid) -> bytes:
        return value.wire

    def unpack(self, raw: bytes) -> Guid:
        return Guid(raw)

    def show(self, value: Guid) -> str:
        return f"{value} ({value.name})" if value.name else str(value)


ZERO = Guid(bytes(16))
FMP_CAPSULE = Guid.of("6dcbd5ed-e82d-4c44-bda1-7194199ad92a")  # section 23.3
CAPSULE_REPORT = Guid.of("39b68c46-f7fb-441b-b6ec-16b0f69821f3")  # section 8.5.6
GLOBAL_VARIABLE = Guid.of("8be4df61-93ca-11d2-aa0d-00e098032b8c")  # section 3.3
CERT_TYPE_PKCS7 = Guid.of("4aafd29d-68df-49ee-8aa9-347d375665a7")  # section 8.2.2
CERT_X509 = Guid.of("a5c059a1-94e4-4aa7-87b5-ab155c2bf072")  # section 32.4.1
CERT_SHA256 = Guid.of("c1c41626-504c-4092-aca9-41f936934328")  # section 32.4.1
CERT_X509_SHA256 = Guid.of("3bd2a492-96c0-4079-b420-fcf98ef103ed")  # section 32.4.1
ESP_TYPE = Guid.of("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")  # section 5.3.3

# What else a capsule or its certificate can be; `show` and `verify` name them
CERT_TYPE_RSA2048_SHA256 = Guid.of("a7717414-c616-4977-9420-844712a735bf")  # section 32.2.4
JSON_CAPSULE = Guid.of("67d6f4cd-d6b8-4573-bf4a-de5e252d61ae")  # section 23.5
UX_CAPSULE = Guid.of("3b8c8162-188c-46a4-aec9-be43f1d65697")  # Windows and fwupd
EDK2_CAPSULE = Guid.of("3b6686bd-0d76-4030-b70e-b5519e2fc5a0")  # firmware volumes
INTEL_CAPSULE = Guid.of("539182b9-abb5-4391-b69a-e3a943f72fcc")
APTIO_SIGNED_CAPSULE = Guid.of("4a3ca68b-7723-48fb-803d-578cc1fec44d")
APTIO_UNSIGNED_CAPSULE = Guid.of("14eebb90-890a-43db-aed1-5d3c4588a418")
FW_ACCEPT = Guid.of("0c996046-bcc0-4d04-85ec-e1fcedf1c6f8")  # U-Boot's include/fwu.h
FW_REVERT = Guid.of("acd58b4b-c0e8-475f-99b5-6b3f7e07aaf0")  # U-Boot's include/fwu.h

WELL_KNOWN = {
    ZERO: "zero",
    FMP_CAPSULE: "EFI_FIRMWARE_MANAGEMENT_CAPSULE_ID_GUID",
    CAPSULE_REPORT: "EFI_CAPSULE_REPORT_GUID",
    GLOBAL_VARIABLE: "EFI_GLOBAL_VARIABLE",
    CERT_TYPE_PKCS7: "EFI_CERT_TYPE_PKCS7_GUID",
    CERT_X509: "EFI_CERT_X509_GUID",
    CERT_SHA256: "EFI_CERT_SHA256_GUID",
    CERT_X509_SHA256: "EFI_CERT_X509_SHA256_GUID",
    ESP_TYPE: "EFI_PART_TYPE_EFI_SYSTEM_PART_GUID",
    CERT_TYPE_RSA2048_SHA256: "EFI_CERT_TYPE_RSA2048_SHA256_GUID",
    JSON_CAPSULE: "EFI_JSON_CAPSULE_ID_GUID",
    UX_CAPSULE: "WINDOWS_UX_CAPSULE_GUID",
    EDK2_CAPSULE: "EFI_CAPSULE_GUID",
    INTEL_CAPSULE: "INTEL_CAPSULE_GUID",
    APTIO_SIGNED_CAPSULE: "APTIO_SIGNED_CAPSULE_GUID",
    APTIO_UNSIGNED_CAPSULE: "APTIO_UNSIGNED_CAPSULE_GUID",
    FW_ACCEPT: "FWU_OS_REQUEST_FW_ACCEPT_GUID",
    FW_REVERT: "FWU_OS_REQUEST_FW_REVERT_GUID",
}
