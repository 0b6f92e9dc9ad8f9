"""Writes of authenticated variables on a platform whose keys are enrolled, row by row.

Read a row as: a good write to VARIABLE, but DIFFERS -> taken or refused, because WHY. A taken write
makes of the variable what the row says; a refused one leaves what was enrolled, byte for byte.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ubtest.crypto.authvar import signed_write, wrapped_write
from ubtest.crypto.keyring import KeyRing
from ubtest.formats.authvar import APPEND_WRITE, KEY_DATABASE, AuthenticatedWrite
from ubtest.formats.efitime import EfiTime
from ubtest.formats.guid import CERT_X509
from ubtest.formats.varstore import RUNTIME_ACCESS, TIME_BASED_AUTHENTICATED
from ubtest.uefi.secure_boot import ENROLLED

SECOND_LATER = replace(ENROLLED, second=ENROLLED.second + 1)
DAY_EARLIER = EfiTime(2025, 12, 31)
NEXT_YEAR = EfiTime(2027, 1, 1)

SETVARIABLE = "UEFI 8.2.2 EFI_VARIABLE_AUTHENTICATION_2"
TIME = "UEFI 8.2.2: pads, nanosecond, zone and daylight are zero"
OWNERS = "UEFI 8.2.2: PK and KEK answer to PK, the databases to KEK"
MONOTONIC = "UEFI 8.2.2: the time is later than that of the last write"
COVERED = "UEFI 8.2.2: the digest covers name, namespace, attributes, time and value"
ATTRIBUTES = "UEFI 8.2.1: the attributes of a variable do not change"
EITHER = "U-Boot efi_variable_authenticate(): KEK, then PK"
BOTH_FORMS = "U-Boot efi_parse_pkcs7_header(): SignedData with or without ContentInfo"

ABORTS = "pkcs7-error-aborts"
APPENDS = "append-not-covered"
UNCHECKED = "variable-certificate-unchecked"

Make = Callable[[KeyRing, AuthenticatedWrite], AuthenticatedWrite]


class Content(enum.Enum):
    """What the variable holds after a write that is taken."""

    NEW = "the new content"
    LONGER = "the new content behind what was there"
    GONE = "the variable does not exist"


@dataclass(frozen=True)
class Row:
    """One write.

    :param variable: PK, KEK, db or dbx.
    :param differs: what is different from a good write.
    :param make: from a later, unsigned write of new content to what is handed over.
    :param becomes: what a taken write makes of the variable; None: it must be refused.
    :param why: section of the UEFI specification 2.10, or the place in U-Boot.
    :param bug: name in known_bugs.yaml.
    """

    variable: str
    differs: str
    make: Make
    becomes: Content | None
    why: str
    bug: str | None = None


def by(signer: str, **fields: Any) -> Make:
    """Signed by a key of the ring, with these fields already changed."""
    return lambda keys, write: signed_write(keys[signer], replace(write, **fields))


def then(signer: str, **fields: Any) -> Make:
    """Signed by a key of the ring, and changed after it."""
    return lambda keys, write: replace(signed_write(keys[signer], write), **fields)


def signed_as(signer: str, **fields: Any) -> Make:
    """With the signature of another write."""

    def make(keys: KeyRing, write: AuthenticatedWrite) -> AuthenticatedWrite:
        other = signed_write(keys[signer], replace(write, **fields))
        return replace(write, signature=other.signature)

    return make


def in_content_info(signer: str) -> Make:
    return lambda keys, write: wrapped_write(keys[signer], write)


def shortened(signer: str, by: int) -> Make:
    """The signature is longer than the certificate length says, by so many bytes."""

    def make(keys: KeyRing, write: AuthenticatedWrite) -> AuthenticatedWrite:
        good = signed_write(keys[signer], write)
        return replace(good, certificate_length=24 + len(good.signature) - by)

    return make


APPEND = KEY_DATABASE | APPEND_WRITE
PLAIN = KEY_DATABASE & ~TIME_BASED_AUTHENTICATED
NOT_RUNTIME = KEY_DATABASE & ~RUNTIME_ACCESS
NEW, LONGER, GONE = Content

ROWS = (
    Row("db", "nothing: by KEK", by("kek"), NEW, OWNERS),
    Row("db", "by PK", by("pk"), NEW, EITHER),
    Row("db", "ContentInfo around the signature", in_content_info("kek"), NEW, BOTH_FORMS),
    Row("db", "one second later", by("kek", time=SECOND_LATER), NEW, MONOTONIC),
    Row(
        "db", "appended", by("kek", attributes=APPEND), LONGER, "UEFI 8.2.6: APPEND_WRITE", APPENDS
    ),
    Row("db", "empty value", by("kek", value=b""), GONE, "UEFI 8.2.2: no value deletes"),
    Row("db", "by db itself", by("db"), None, OWNERS),
    Row("db", "by the new certificate itself", by("db-second"), None, OWNERS),
    Row("db", "by a stranger", by("untrusted"), None, OWNERS),
    Row("db", "appended by a stranger", by("untrusted", attributes=APPEND), None, OWNERS),
    Row("db", "deleted by a stranger", by("untrusted", value=b""), None, OWNERS),
    Row("db", "no signature", then("kek", signature=b""), None, SETVARIABLE),
    Row("db", "the time of what is there", by("kek", time=ENROLLED), None, MONOTONIC),
    Row("db", "a day earlier", by("kek", time=DAY_EARLIER), None, MONOTONIC),
    Row("db", "value changed after signing", then("kek", value=b"changed"), None, COVERED),
    Row("db", "time changed after signing", then("kek", time=NEXT_YEAR), None, COVERED),
    Row(
        "db", "appended, signed for a write", then("kek", attributes=APPEND), None, COVERED, APPENDS
    ),
    Row("db", "signed for dbx", signed_as("kek", name="dbx"), None, COVERED),
    Row("db", "signed for KEK, by PK", signed_as("pk", name="KEK"), None, COVERED),
    Row("db", "Pad1 set", by("kek", time=replace(NEXT_YEAR, pad1=1)), None, TIME),
    Row("db", "Nanosecond set", by("kek", time=replace(NEXT_YEAR, nanosecond=1)), None, TIME),
    Row("db", "TimeZone set", by("kek", time=replace(NEXT_YEAR, time_zone=60)), None, TIME),
    Row("db", "Daylight set", by("kek", time=replace(NEXT_YEAR, daylight=1)), None, TIME),
    Row("db", "Pad2 set", by("kek", time=replace(NEXT_YEAR, pad2=1)), None, TIME),
    Row(
        "db", "dwLength without a signature", then("kek", certificate_length=24), None, SETVARIABLE
    ),
    Row("db", "dwLength of 23", then("kek", certificate_length=23), None, SETVARIABLE),
    Row("db", "dwLength of 0", then("kek", certificate_length=0), None, SETVARIABLE),
    Row("db", "dwLength one too small", shortened("kek", 1), None, SETVARIABLE, ABORTS),
    Row("db", "dwLength one too large", shortened("kek", -1), None, SETVARIABLE, ABORTS),
    Row(
        "db", "dwLength behind the data", then("kek", certificate_length=1 << 16), None, SETVARIABLE
    ),
    Row("db", "dwLength at its end", then("kek", certificate_length=0xFFFFFFFF), None, SETVARIABLE),
    Row("db", "CertType X509", then("kek", certificate_type=CERT_X509), None, SETVARIABLE),
    Row(
        "db",
        "wCertificateType PKCS_SIGNED_DATA",
        then("kek", certificate_kind=2),
        None,
        SETVARIABLE,
        UNCHECKED,
    ),
    Row(
        "db",
        "wRevision 1.0",
        then("kek", certificate_revision=0x0100),
        None,
        SETVARIABLE,
        UNCHECKED,
    ),
    Row("db", "not authenticated", by("kek", attributes=PLAIN), None, ATTRIBUTES),
    Row("db", "not for runtime", by("kek", attributes=NOT_RUNTIME), None, ATTRIBUTES),
    Row("dbx", "nothing: by KEK", by("kek"), NEW, OWNERS),
    Row("dbx", "by db", by("db"), None, OWNERS),
    Row("dbx", "signed for db", signed_as("kek", name="db"), None, COVERED),
    Row("KEK", "nothing: by PK", by("pk"), NEW, OWNERS),
    Row("KEK", "appended by PK", by("pk", attributes=APPEND), LONGER, OWNERS, APPENDS),
    Row("KEK", "by KEK itself", by("kek"), None, OWNERS),
    Row("KEK", "by db", by("db"), None, OWNERS),
    Row("KEK", "signed for db", signed_as("pk", name="db"), None, COVERED),
    Row("PK", "nothing: by PK", by("pk"), NEW, OWNERS),
    Row("PK", "empty value", by("pk", value=b""), GONE, "UEFI 32.3.4: clearing the platform key"),
    Row("PK", "by KEK", by("kek"), None, OWNERS),
    Row("PK", "by the new key itself", by("db-second"), None, OWNERS),
    Row("PK", "empty value by KEK", by("kek", value=b""), None, OWNERS),
    Row("PK", "empty value of the same time", by("pk", value=b"", time=ENROLLED), None, MONOTONIC),
)
