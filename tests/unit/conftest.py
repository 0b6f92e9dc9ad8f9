"""What the unit tests share."""

import shutil
import signal
from pathlib import Path

import pytest

from ubtest.crypto.keyring import KeyRing

# A run in the background of a shell ignores Ctrl-C, and what tests start to stop it would, too
signal.signal(signal.SIGINT, signal.default_int_handler)

KEYS = """\
{name}:
  algorithm: rsa
  bits: 2048
  subject: {name}
  days: 30
  trusted: {trusted}
  purpose: unit tests
"""


@pytest.fixture(scope="session")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """Keys `trusted`, `trusted-second` and `untrusted`, made once; tests only read them."""
    folder = tmp_path_factory.mktemp("keys")
    declared = {"trusted": "true", "trusted-second": "true", "untrusted": "false"}
    (folder / "keyring.yaml").write_text(
        "".join(KEYS.format(name=name, trusted=trusted) for name, trusted in declared.items())
    )
    ring = KeyRing.load(folder)
    ring.make(lambda name: None)
    return ring


@pytest.fixture
def ring_folder(ring: KeyRing, tmp_path: Path) -> Path:
    """A copy of the ring's folder that a test may damage."""
    return shutil.copytree(ring.folder, tmp_path / "keys")
