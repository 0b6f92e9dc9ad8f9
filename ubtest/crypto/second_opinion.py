"""What openssl thinks of a signature that was found good: two programs do not err alike."""

import contextlib
import subprocess
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from ubtest.crypto.verification import Signed, wrapped
from ubtest.run import spawn

TIMEOUT = 60


def openssl_refuses(signed: Signed) -> str | None:
    """Why openssl refuses a signature; None when it takes it.

    The content goes through a pipe, so that it is neither in memory nor on disk a second time.
    Validity, purpose and a root on top are not asked for, because U-Boot does not ask either.

    :raises HostError: there is no openssl.
    """
    with tempfile.TemporaryDirectory(prefix="ubtest-") as name:
        signature, trusted = Path(name) / "signature", Path(name) / "trusted.pem"
        signature.write_bytes(wrapped(signed.signature))
        trusted.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in signed.trusted))
        command: list[str | Path] = [
            *("openssl", "cms", "-verify", "-binary", "-inform", "DER"),
            *("-in", signature, "-content", "/dev/stdin", "-CAfile", trusted),
            *("-no-CApath", "-no-CAstore", "-purpose", "any", "-partial_chain", "-no_check_time"),
        ]
        with spawn(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                for chunk in signed.content():
                    pipe.write(chunk)
            said = process.stderr.read().decode(errors="backslashreplace")
            process.wait(TIMEOUT)
    if process.returncode == 0:
        return None
    return said.strip().splitlines()[-1] if said.strip() else f"exit code {process.returncode}"
