"""The good capsules that a campaign starts from, made anew for each case.

Each case has images of its own. So what is in flash afterwards says which case wrote it, and
whether a trusted key ever signed it: the mutations have no key.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options
from cryptography.x509.oid import NameOID

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.variants import DETACHED, Signer, sign_as, signer
from ubtest.errors import CaseError
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import Guid
from ubtest.fuzz.tlv import parse, walk

UTC_TIME = 0x17
_BARE = (*DETACHED[:2], PKCS7Options.NoAttributes)
_IMAGE = 64  # bytes: an accepted one is written to flash, which is slow


@dataclass(frozen=True)
class Good:
    """A capsule before it is broken.

    :param authentic: the images in it that a trusted key signed, in the order of the payloads.
    """

    name: str
    capsule: Capsule
    authentic: tuple[bytes, ...]


Sign = Callable[[bytes], bytes]


class Corpus:
    """Makes the good capsules for one board; equal arguments give equal bytes.

    :param keys: `trusted`, `trusted-second` and `untrusted` are asked for.
    """

    def __init__(self, keys: KeyRing, image_type: Guid, index: int) -> None:
        self._keys = keys
        self._image_type = image_type
        self._index = index
        self._makers: dict[str, Callable[[int], Good]] = {
            "signed": lambda n: self._of("signed", n, self._timed("trusted")),
            "versioned": lambda n: self._of("versioned", n, self._timed("trusted"), fw_version=n),
            "bare": lambda n: self._of("bare", n, self._bare("trusted")),
            "second key": lambda n: self._of("second key", n, self._timed("trusted-second")),
            "two signers": lambda n: self._of("two signers", n, self._bare("untrusted", "trusted")),
            "chain": lambda n: self._of("chain", n, self._chain),
            "two payloads": self._two,
            "vendor code": lambda n: self._of(
                "vendor code", n, self._timed("trusted"), vendor_code=b"vendor"
            ),
            "unsigned": lambda n: self._of("unsigned", n, None),
            "untrusted": lambda n: self._of("untrusted", n, self._timed("untrusted")),
        }

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._makers)

    def good(self, name: str, number: int) -> Good:
        """The good capsule of a name, for the case of that number.

        :raises CaseError: no such name.
        """
        try:
            make = self._makers[name]
        except KeyError:
            raise CaseError(
                f"no good capsule is called {name!r}", next_step=f"one of {', '.join(self.names)}"
            ) from None
        return make(number)

    @property
    def certificates(self) -> list[x509.Certificate]:
        """Those that the firmware trusts."""
        return [key.certificate for key in self._keys.trusted]

    def _of(
        self,
        name: str,
        number: int,
        sign: Sign | None,
        *,
        fw_version: int | None = None,
        vendor_code: bytes = b"",
    ) -> Good:
        payload = self._plain(
            f"{name}, case {number}. ", fw_version=fw_version, vendor_code=vendor_code
        )
        if sign is not None:
            payload = replace(payload, signature=sign(payload.signed_data()))
        authentic = () if name in ("unsigned", "untrusted") else (payload.image,)
        return Good(name, Capsule((payload,)), authentic)

    def _two(self, number: int) -> Good:
        plain = [self._plain(f"payload {which}, case {number}. ") for which in (1, 2)]
        sign = self._timed("trusted")
        payloads = [replace(each, signature=sign(each.signed_data())) for each in plain]
        return Good("two payloads", Capsule(tuple(payloads)), tuple(each.image for each in plain))

    def _plain(
        self, image: str, *, fw_version: int | None = None, vendor_code: bytes = b""
    ) -> FmpPayload:
        content = (image.encode() * _IMAGE)[:_IMAGE]
        return FmpPayload(
            self._image_type, content, self._index, fw_version=fw_version, vendor_code=vendor_code
        )

    def _timed(self, name: str) -> Sign:
        """With signed attributes; the signing time is one of the key's own, not now."""
        who = signer(self._keys[name])
        return lambda data: _at_its_time(sign_as(data, [who]), who)

    def _bare(self, *names: str) -> Sign:
        """Without attributes, so without a time."""
        who = [signer(self._keys[name]) for name in names]
        return lambda data: sign_as(data, who, options=_BARE)

    def _chain(self, data: bytes) -> bytes:
        """By a key below a trusted certificate."""
        below, above = self._below
        return _at_its_time(sign_as(data, [below], extra=above), below)

    @cached_property
    def _below(self) -> tuple[Signer, Sequence[x509.Certificate]]:
        certificate, issuer = signer(self._keys["trusted"])
        _, key = signer(self._keys["untrusted"])
        assert isinstance(issuer, rsa.RSAPrivateKey)
        issued = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ubtest below")]))
            .issuer_name(certificate.subject)
            .public_key(key.public_key())
            .serial_number(0x1234)
            .not_valid_before(certificate.not_valid_before_utc)
            .not_valid_after(certificate.not_valid_after_utc)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()),
                critical=False,
            )
            .sign(issuer, hashes.SHA256())
        )
        return (issued, key), [certificate]


def _at_its_time(der: bytes, who: Signer) -> bytes:
    """A signature of one signer as if made an hour after its certificate: always the same bytes."""
    certificate, key = who
    assert isinstance(key, rsa.RSAPrivateKey)
    time = certificate.not_valid_before_utc + datetime.timedelta(hours=1)
    tree = parse(der)
    (info,) = (node for path, node in walk(tree) if path == "1.0.4.0")
    assert info.children is not None
    attributes, encrypted = info.children[3], info.children[5]
    for _, node in walk(attributes):
        if node.tag[0] == UTC_TIME:
            node.value = time.strftime("%y%m%d%H%M%SZ").encode()
    # RFC 2315 section 9.3: what is signed has the tag of a SET, not the one it is stored with
    signed = b"\x31" + attributes.encode()[1:]
    encrypted.value = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return tree.encode()
