"""A signed capsule: built in this process, against one mkeficapsule process each.

mkeficapsule is taken from $UBTEST_MKEFICAPSULE, else from the PATH.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ratio import compare

from ubtest.crypto.keyring import KeyRing
from ubtest.crypto.pkcs7 import signed
from ubtest.formats.capsule import Capsule, FmpPayload
from ubtest.formats.guid import Guid

TYPE = Guid.of("00112233-4455-6677-8899-aabbccddeeff")
KEYS = """\
signer: {algorithm: rsa, bits: 2048, subject: signer, days: 30, trusted: true, purpose: benchmark}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="measured rounds (default 30)")
    parser.add_argument("--count", type=int, default=10, help="capsules a round (default 10)")
    parser.add_argument("--size", type=int, default=4096, help="bytes of an image (default 4096)")
    arguments = parser.parse_args()
    tool = os.environ.get("UBTEST_MKEFICAPSULE") or shutil.which("mkeficapsule")
    if tool is None:
        parser.error("mkeficapsule is missing: set UBTEST_MKEFICAPSULE")
    with tempfile.TemporaryDirectory() as name:
        return measure(Path(name), tool, arguments.rounds, arguments.count, arguments.size)


def measure(folder: Path, tool: str, rounds: int, count: int, size: int) -> int:
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
    return compare(what, ours, theirs, rounds=rounds, target=1.0)


if __name__ == "__main__":
    sys.exit(main())
