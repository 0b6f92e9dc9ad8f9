"""Small signed capsules: built in this process, against one mkeficapsule process each.

Both sign with the same key, the same kind of signature (detached PKCS#7, SHA-256, with content
type and signing time) and write a file each. Afterwards the files are compared: all fields are
the same in both, and openssl verifies the signatures of a sample of either. mkeficapsule is the one
of the newest QEMU bundle; $UBTEST_MKEFICAPSULE names another.
"""

import argparse
import os
import random
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from ratio import compare
from script import parser, start

from ubtest.crypto.keyring import Key, KeyRing
from ubtest.crypto.pkcs7 import signed
from ubtest.crypto.second_opinion import openssl_refuses
from ubtest.crypto.verification import Signed
from ubtest.errors import CaseError
from ubtest.firmware.bundle import find
from ubtest.formats.capsule import Capsule, FmpPayload
from ubtest.formats.guid import Guid

TYPE = Guid.of("00112233-4455-6677-8899-aabbccddeeff")
KEYS = """\
signer: {algorithm: rsa, bits: 2048, subject: signer, days: 30, trusted: true, purpose: benchmark}
"""


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=3, help="measured rounds (default 3)")
    options.add_argument("--count", type=int, default=1000, help="capsules a round (default 1000)")
    options.add_argument("--size", type=int, default=4096, help="bytes of an image (default 4096)")
    options.add_argument("--sample", type=int, default=20, help="given to openssl (default 20)")
    arguments = options.parse_args()
    tool = os.environ.get("UBTEST_MKEFICAPSULE") or find("qemu-arm64").mkeficapsule
    if tool is None:
        options.error("mkeficapsule is missing: set UBTEST_MKEFICAPSULE")
    with tempfile.TemporaryDirectory() as name:
        return measure(Path(name), tool, arguments)


def measure(folder: Path, tool: str | Path, arguments: argparse.Namespace) -> int:
    count, size = arguments.count, arguments.size
    (folder / "keyring.yaml").write_text(KEYS)
    ring = KeyRing.load(folder)
    ring.make(lambda name: None)
    key = ring["signer"]
    image = folder / "image"
    image.write_bytes(os.urandom(size))

    def ours() -> None:
        for number in range(count):
            payload = FmpPayload(TYPE, image.read_bytes(), monotonic_count=number)
            (folder / f"ours{number}").write_bytes(Capsule((signed(key, payload),)).pack())

    def theirs() -> None:
        for number in range(count):
            subprocess.run(
                [
                    *(tool, "--guid", str(TYPE), "--index", "1"),
                    *("--monotonic-count", str(number)),
                    *("--private-key", key.private_key_path),
                    *("--certificate", key.certificate_path),
                    *(image, folder / f"theirs{number}"),
                ],
                check=True,
            )

    what = f"{count} signed capsules of {size} bytes (theirs: {tool})"
    status = compare(what, ours, theirs, rounds=arguments.rounds, count=count, target=1 / 3)
    check_same(folder, key, count, arguments.sample)
    return status


def check_same(folder: Path, key: Key, count: int, sample: int) -> None:
    """Compare every pair of files, and have openssl verify some.

    :raises CaseError: what was measured is not the same thing.
    """
    chosen = set(random.sample(range(count), min(sample, count)))
    for number in range(count):
        ours, theirs = (
            Capsule.parse((folder / f"{whose}{number}").read_bytes())
            for whose in ("ours", "theirs")
        )
        if unsigned(ours) != unsigned(theirs):
            raise CaseError(f"capsule {number} of ours is another one than mkeficapsule's")
        if number in chosen:
            check_signature(ours, key)
            check_signature(theirs, key)
    print(f"  all {2 * count} compared: same fields; openssl verified {2 * len(chosen)}")


def unsigned(capsule: Capsule) -> Capsule:
    """The same capsule without the bytes in which two signatures differ."""
    return replace(
        capsule, payloads=tuple(replace(each, signature=None) for each in capsule.payloads)
    )


def check_signature(capsule: Capsule, key: Key) -> None:
    (payload,) = capsule.payloads
    if payload.signature is None:
        raise CaseError("a capsule without a signature")
    data = payload.signed_data()
    if reason := openssl_refuses(Signed(payload.signature, lambda: [data], (key.certificate,))):
        raise CaseError(f"openssl does not verify a capsule: {reason}")


if __name__ == "__main__":
    start(main)
