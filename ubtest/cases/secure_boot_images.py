"""Images on a platform whose keys are enrolled, and what its databases hold.

Read a row as: WHAT -> starts or not, with this in db and dbx. UEFI 2.10 section 32.5.3.3 says that
an image starts when db knows its signer or its digest, and dbx knows neither.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ubtest.crypto.authenticode import image_digest, signed_image
from ubtest.crypto.keyring import KeyRing
from ubtest.probe.orders import Orders, told
from ubtest.uefi.secure_boot import certificate_digests, certificates, digests

Bytes = Callable[[KeyRing, bytes], bytes]


def plain(keys: KeyRing, image: bytes) -> bytes:
    return image


def nothing(keys: KeyRing, image: bytes) -> bytes:
    return b""


def signed(*names: str) -> Bytes:
    def make(keys: KeyRing, image: bytes) -> bytes:
        for name in names:
            image = signed_image(keys[name], image)
        return image

    return make


def signed_other(keys: KeyRing, image: bytes) -> bytes:
    """The image in another one's signature: it was changed after it was signed."""
    other = signed_image(keys["db"], told(image, Orders(nonce="signed")))
    return told(other, Orders(nonce=nonce_of(image)))


def nonce_of(image: bytes) -> str:
    """The nonce in a probe's orders."""
    return image.split(b"nonce=")[-1].split(b" ")[0].decode()


def holds(*names: str) -> Bytes:
    """A database with the certificates of keys."""
    return lambda keys, image: certificates(*(keys[name] for name in names))


def holds_digest(keys: KeyRing, image: bytes) -> bytes:
    return digests(image_digest(image))


def holds_another_digest(keys: KeyRing, image: bytes) -> bytes:
    return digests(image_digest(told(image, Orders(nonce="another"))))


def holds_certificate_digest(keys: KeyRing, image: bytes) -> bytes:
    return certificate_digests(keys["db"])


OWN = holds("db")


@dataclass(frozen=True)
class Row:
    """One image.

    :param image: makes what is on the disk from the probe.
    :param starts: whether it must run.
    :param db: makes what db holds; the certificate of the key `db`, unless told.
    :param dbx: makes what dbx holds.
    """

    what: str
    image: Bytes
    starts: bool
    db: Bytes = OWN
    dbx: Bytes = nothing


ROWS = (
    Row("signed by db", signed("db"), True),
    Row("signed by the second of db", signed("db-second"), True, db=holds("db", "db-second")),
    Row("digest in db", plain, True, db=holds_digest),
    Row("signed by db, another digest in dbx", signed("db"), True, dbx=holds_another_digest),
    Row("signed by db, another certificate in dbx", signed("db"), True, dbx=holds("untrusted")),
    Row("two signatures, the second by db", signed("untrusted", "db"), True),
    Row("not signed", plain, False),
    Row("another digest in db", plain, False, db=holds_another_digest),
    Row("signed by a stranger", signed("untrusted"), False),
    Row("signed by KEK", signed("kek"), False),
    Row("signed by PK", signed("pk"), False),
    Row("signed by db, changed after it", signed_other, False),
    Row("nothing in db", signed("db"), False, db=nothing),
    Row("signed by db, certificate in dbx", signed("db"), False, dbx=holds("db")),
    Row("signed by db, digest in dbx", signed("db"), False, dbx=holds_digest),
    Row("signed by db, digest of it in dbx", signed("db"), False, dbx=holds_certificate_digest),
    Row("digest in db and in dbx", plain, False, db=holds_digest, dbx=holds_digest),
)
