"""The keys of the test bench: declared in `keys/keyring.yaml`, made on demand."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ubtest.crypto.declaration import read_declarations
from ubtest.crypto.key import Key
from ubtest.errors import CaseError, HostError
from ubtest.formats.guid import ZERO, Guid
from ubtest.formats.siglist import x509_database

__all__ = ["Key", "KeyRing"]


@dataclass(frozen=True)
class KeyRing:
    """All declared keys, by name.

    :param folder: the project's `keys/`; the keys are in `generated/` below it.
    """

    folder: Path
    keys: tuple[Key, ...]

    @classmethod
    def load(cls, folder: Path) -> "KeyRing":
        """Read the declarations; the keys are read when they are used.

        :param folder: holds `keyring.yaml`.
        :raises CaseError: the declarations are wrong; names file and line.
        """
        declarations = read_declarations(folder / "keyring.yaml")
        return cls(folder, tuple(Key(each, folder / "generated") for each in declarations))

    @property
    def generated(self) -> Path:
        """Where the keys are."""
        return self.folder / "generated"

    def __getitem__(self, name: str) -> Key:
        """A key by its declared name.

        :raises CaseError: not declared; lists what is.
        """
        for key in self.keys:
            if key.name == name:
                return key
        names = ", ".join(key.name for key in self.keys)
        raise CaseError(
            f"the key {name!r} is not declared in {self.folder / 'keyring.yaml'}",
            next_step=f"declare it there, or use one of: {names}",
        )

    def __iter__(self) -> Iterator[Key]:
        return iter(self.keys)

    def make(self, on_made: Callable[[str], None]) -> None:
        """Make the keys that are declared and missing; safe beside a second process.

        :param on_made: told the name of each key after it was made.
        :raises HostError: the folder cannot be written, or a key in it cannot be used.
        """
        try:
            with self._locked():
                for key in self.keys:
                    if key.make():
                        on_made(key.name)
        except OSError as error:
            raise HostError(
                f"cannot write keys into {self.generated}: {error.strerror}",
                next_step="give this user write permission, or space, there",
            ) from error

    def trusted_esl(self, owner: Guid = ZERO) -> bytes:
        """The certificates that the firmware trusts, as it wants them: one signature list each.

        :raises HostError: a trusted key is missing.
        """
        return x509_database(owner, [key.der for key in self.trusted])

    @property
    def trusted(self) -> tuple[Key, ...]:
        """The keys that the firmware under test is built with."""
        return tuple(key for key in self.keys if key.declaration.trusted)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.generated.mkdir(mode=0o700, exist_ok=True)
        self.generated.chmod(0o700)
        lock = os.open(self.generated / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
