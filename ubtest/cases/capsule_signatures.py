"""The capsule table, part 2: the signature. Read it like part 1."""

from collections.abc import Callable
from dataclasses import replace

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options

from ubtest.cases.capsule_case import ALL, BOTH, Bench, Case, Effect, Make, resigned, signature
from ubtest.crypto.pkcs7 import sign
from ubtest.crypto.signature_parts import IN_SIGNER, signature_parts
from ubtest.crypto.variants import DETACHED, issued_by, sign_as, signer
from ubtest.formats.capsule import Capsule
from ubtest.formats.der import Element
from ubtest.formats.status import SECURITY_VIOLATION, SUCCESS

WRITTEN = Effect.WRITTEN
VERIFY = "UEFI 23.1.4: the signature covers image and MonotonicCount"
ONE_HASH = "U-Boot efi_signature.c: detached data are hashed with SHA-256 alone"
RSA_ALONE = "U-Boot pkcs7_parser.c: rsaEncryption alone"
CHAIN = "U-Boot efi_signature.c, efi_signature_verify: up to a certificate that is trusted"
ABORTS = "pkcs7-error-aborts"
DER = "RFC 2315 section 9.1, X.690"


def with_signature(make: Callable[[Bench, bytes], bytes]) -> Make:
    """The good payload with the signature that is made of the data to sign."""

    def whole(bench: Bench) -> bytes:
        payload = bench.plain
        made = make(bench, payload.signed_data())
        return Capsule((replace(payload, signature=made),)).pack()

    return whole


def _by(*names: str, **options: object) -> Make:
    """Signed by keys of the ring."""
    return with_signature(
        lambda bench, data: sign_as(data, [signer(bench.keys[n]) for n in names], **options)  # type: ignore[arg-type]
    )


def _chain(length: int, root: str, *, whole: bool = True) -> Make:
    """Signed at the end of a chain of certificates that starts at a key of the ring."""

    def make(bench: Bench, data: bytes) -> bytes:
        links = [signer(bench.keys[root])]
        for number in range(1, length):
            links.append(issued_by(links[-1], f"link {number}"))
        extra = [certificate for certificate, _ in links[1:-1]] if whole else []
        return sign_as(data, [links[-1]], extra=extra)

    return with_signature(make)


def _elliptic(bench: Bench, data: bytes) -> bytes:
    leaf = issued_by(signer(bench.keys["trusted"]), "elliptic", elliptic=True)
    return sign_as(data, [leaf])


def _as_text(bench: Bench) -> bytes:
    """An image with line ends, signed as S/MIME text is: the ends are converted first."""
    payload = replace(bench.plain, image=b"line\n" * 100)
    options = (PKCS7Options.DetachedSignature, PKCS7Options.NoCapabilities)
    made = sign_as(payload.signed_data(), [signer(bench.keys["trusted"])], options=options)
    return Capsule((replace(payload, signature=made),)).pack()


def _flip(part: str, at: int = -1) -> Make:
    """One bit of the value of a part, counted from its end."""

    def edit(der: bytes) -> bytes:
        where = signature_parts(der)[part]
        position = where.end + at
        return der[:position] + bytes([der[position] ^ 1]) + der[position + 1 :]

    return signature(edit)


def _each_part(
    edit: Callable[[bytes, Element], bytes], what: str, parts: tuple[str, ...]
) -> tuple[Case, ...]:
    """The same damage to every part of the signature, one row each."""

    def row(part: str) -> Case:
        made = signature(lambda der: edit(der, signature_parts(der)[part]))
        return Case(f"{part}: {what}", made, SECURITY_VIOLATION, DER, bug=ABORTS)

    return tuple(row(part) for part in parts)


PARTS = (
    "ContentInfo",
    "contentType",
    "content",
    "SignedData",
    "version",
    "digestAlgorithms",
    "inner contentInfo",
    "certificates",
    "signerInfos",
    "SignerInfo",
    *IN_SIGNER,
)

# fmt: off
CONTENT = (
    Case("the good one", resigned(), SUCCESS, VERIFY, WRITTEN, paths=ALL),
    Case("over other data", with_signature(lambda bench, data: sign(bench.keys["trusted"], b"other")),
         SECURITY_VIOLATION, VERIFY, paths=ALL),
    Case("over nothing", with_signature(lambda bench, data: sign(bench.keys["trusted"], b"")),
         SECURITY_VIOLATION, VERIFY),
    Case("over the image without the count",
         with_signature(lambda bench, data: sign(bench.keys["trusted"], data[:-8])),
         SECURITY_VIOLATION, VERIFY),
    Case("over the count in front of the image",
         with_signature(lambda bench, data: sign(bench.keys["trusted"], data[-8:] + data[:-8])),
         SECURITY_VIOLATION, VERIFY),
    Case("over the image header, too",
         with_signature(lambda bench, data: sign(bench.keys["trusted"],
                                                 bench.plain.header.pack() + data)),
         SECURITY_VIOLATION, VERIFY),
    Case("over the image as text, with CR LF", _as_text, SECURITY_VIOLATION, VERIFY),
)

SIGNERS = (
    Case("trusted-second", _by("trusted-second"), SUCCESS, VERIFY, WRITTEN),
    Case("RSA 4096", _by("rsa4096"), SUCCESS, VERIFY, WRITTEN, paths=BOTH),
    Case("untrusted", _by("untrusted"), SECURITY_VIOLATION, VERIFY, paths=ALL),
    Case("untrusted, with the trusted certificate beside it",
         with_signature(lambda bench, data: sign_as(data, [signer(bench.keys["untrusted"])],
                        extra=[bench.keys["trusted"].certificate])),
         SECURITY_VIOLATION, VERIFY, paths=BOTH),
    Case("trusted, with another certificate beside it",
         with_signature(lambda bench, data: sign_as(data, [signer(bench.keys["trusted"])],
                        extra=[bench.keys["untrusted"].certificate])),
         SUCCESS, VERIFY, WRITTEN),
    Case("two trusted signers", _by("trusted", "trusted-second"), SUCCESS, CHAIN, WRITTEN),
    Case("a trusted and an untrusted signer", _by("trusted", "untrusted"), SUCCESS, CHAIN, WRITTEN),
    Case("two untrusted signers", _by("untrusted", "untrusted"), SECURITY_VIOLATION, VERIFY),
    Case("chain of 2 from a trusted certificate", _chain(2, "trusted"), SUCCESS, CHAIN, WRITTEN,
         paths=ALL),
    Case("chain of 3 from a trusted certificate", _chain(3, "trusted"), SUCCESS, CHAIN, WRITTEN),
    Case("chain of 3 with its middle missing", _chain(3, "trusted", whole=False),
         SECURITY_VIOLATION, CHAIN),
    Case("chain of 2 from an untrusted certificate", _chain(2, "untrusted"), SECURITY_VIOLATION,
         CHAIN, paths=BOTH),
)

ALGORITHMS = (
    Case("SHA-384", _by("trusted", digest=hashes.SHA384()), SECURITY_VIOLATION, ONE_HASH),
    Case("SHA-512", _by("trusted", digest=hashes.SHA512()), SECURITY_VIOLATION, ONE_HASH, paths=ALL),
    Case("RSA-PSS", _by("trusted", pss=True), SECURITY_VIOLATION, RSA_ALONE, bug=ABORTS),
    Case("EC P-256 below a trusted certificate", with_signature(_elliptic), SECURITY_VIOLATION,
         RSA_ALONE, bug=ABORTS),
    Case("without authenticated attributes", _by("trusted",
         options=(*DETACHED[:2], PKCS7Options.NoAttributes)), SUCCESS, VERIFY, WRITTEN),
    Case("without the certificate", _by("trusted", options=(*DETACHED, PKCS7Options.NoCerts)),
         SECURITY_VIOLATION, CHAIN),
)

TAMPERED = (
    Case("encryptedDigest, last bit", _flip("encryptedDigest"), SECURITY_VIOLATION, VERIFY, paths=ALL),
    Case("encryptedDigest, first byte", _flip("encryptedDigest", -256), SECURITY_VIOLATION, VERIFY),
    Case("encryptedDigest, all zero", signature(lambda der: der[:-256] + bytes(256)),
         SECURITY_VIOLATION, VERIFY),
    Case("authenticatedAttributes, last bit", _flip("authenticatedAttributes"), SECURITY_VIOLATION,
         VERIFY),
    Case("issuerAndSerialNumber, last bit", _flip("issuerAndSerialNumber"), SECURITY_VIOLATION, VERIFY),
    Case("certificate, last bit", _flip("certificates"), SECURITY_VIOLATION,
         "U-Boot x509_public_key.c: a self-signed certificate must verify itself", bug=ABORTS),
)

SHAPE = (
    Case("no byte", signature(lambda der: b""), SECURITY_VIOLATION, DER, paths=ALL),
    Case("one byte", signature(lambda der: der[:1]), SECURITY_VIOLATION, DER),
    Case("zeros", signature(lambda der: bytes(len(der))), SECURITY_VIOLATION, DER, bug=ABORTS),
    Case("ones", signature(lambda der: b"\xff" * len(der)), SECURITY_VIOLATION, DER, bug=ABORTS),
    Case("text", signature(lambda der: b"no signature " * 100), SECURITY_VIOLATION, DER, bug=ABORTS),
    Case("a certificate instead", lambda bench: signature(
         lambda der: bench.keys["trusted"].der)(bench), SECURITY_VIOLATION, DER, bug=ABORTS),
    Case("half of it", signature(lambda der: der[: len(der) // 2]), SECURITY_VIOLATION, DER, paths=ALL, bug=ABORTS),
    Case("all but the last byte", signature(lambda der: der[:-1]), SECURITY_VIOLATION, DER, bug=ABORTS),
    Case("cut where it is too short for the parser", signature(lambda der: der[:14]),
         SECURITY_VIOLATION, "U-Boot efi_signature.c, efi_parse_pkcs7_header: at least 128 bytes"),
    *_each_part(lambda der, part: der[: part.body] + bytes(len(der) - part.body),
                "zeros behind its header", PARTS[:-1]),
    *_each_part(lambda der, part: der[: part.at + 1] + b"\x84\xff\xff\xff\xff" + der[part.body :],
                "length 2^32 - 1", PARTS),
)
# fmt: on

SIGNATURES = {
    "content": CONTENT,
    "signers": SIGNERS,
    "algorithms": ALGORITHMS,
    "tampered": TAMPERED,
    "shape": SHAPE,
}
