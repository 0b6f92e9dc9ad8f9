"""UEFI Secure Boot on a live firmware: keys, databases, and which images it starts
(UEFI 2.10 sections 32.3 to 32.5)."""

import hashlib
from dataclasses import dataclass

from ubtest.crypto.authvar import signed_write
from ubtest.crypto.key import Key
from ubtest.errors import FirmwareError
from ubtest.formats.authvar import APPEND_WRITE, AuthenticatedWrite
from ubtest.formats.efitime import EfiTime
from ubtest.formats.guid import CERT_SHA256, CERT_X509_SHA256, GLOBAL_VARIABLE, Guid
from ubtest.formats.siglist import Signature, SignatureList, x509_database
from ubtest.formats.varstore import TIME_BASED_AUTHENTICATED
from ubtest.lab.board import Board
from ubtest.uefi import variables

OWNER = Guid.of("7a4d2c1e-5b0f-4c3a-9d61-0e8f2b7c9a35")  # whose entries in the databases are ours
_MODES = ("SecureBoot", "SetupMode", "AuditMode", "DeployedMode")
ENROLLED = EfiTime(2026, 1, 1)  # when; later writes have to say something later
LATER = EfiTime(2026, 1, 2)
LAST = EfiTime(2099, 1, 1)

_FLAGS = {1: "-nv", 2: "-bs", 4: "-rt", TIME_BASED_AUTHENTICATED: "-at", APPEND_WRITE: "-a"}


@dataclass(frozen=True)
class State:
    """The variables that say what is enforced (section 3.3)."""

    secure_boot: int
    setup_mode: int
    audit_mode: int
    deployed_mode: int


SETUP_MODE = State(secure_boot=0, setup_mode=1, audit_mode=0, deployed_mode=0)
USER_MODE = State(secure_boot=1, setup_mode=0, audit_mode=0, deployed_mode=0)


def state(board: Board) -> State:
    """What the firmware says that it enforces.

    :raises FirmwareError: one of the four variables is missing or not one byte.
    """

    found = variables.read_any(board.uboot, *_MODES)

    def value(name: str) -> int:
        variable = found.get((name, GLOBAL_VARIABLE))
        if variable is None or len(variable.data) != 1:
            raise FirmwareError(f"{name} is {variable}: must be a variable of one byte")
        return variable.data[0]

    return State(*map(value, _MODES))


def certificates(*keys: Key) -> bytes:
    """The value of a database that holds the certificates of keys."""
    return x509_database(OWNER, (key.der for key in keys))


def digests(*hashes: bytes) -> bytes:
    """The value of a database that holds SHA-256 digests of images."""
    return SignatureList(tuple(Signature(OWNER, each) for each in hashes), CERT_SHA256).pack()


def certificate_digests(*keys: Key) -> bytes:
    """The value of a dbx that revokes the certificates of keys at all times: SHA-256 of what is
    signed in them, and a zero time (EFI_CERT_X509_SHA256, section 32.4.1)."""
    revoked = (
        hashlib.sha256(key.certificate.tbs_certificate_bytes).digest() + EfiTime().pack()
        for key in keys
    )
    signatures = tuple(Signature(OWNER, each) for each in revoked)
    return SignatureList(signatures, CERT_X509_SHA256).pack()


def write(board: Board, write: AuthenticatedWrite) -> bool:
    """Hand a write to SetVariable(); whether the firmware says that it took it."""
    data, at = write.pack(), board.load_address
    if command := board.machine.put(data, at):
        board.uboot.check(command)
    flags = " ".join(flag for bit, flag in _FLAGS.items() if write.attributes & bit)
    line = f"setenv -e -guid {write.guid} {flags} -i {at:x}:{len(data):x} {write.name}"
    return bool(board.uboot.command(line).status == 0)


def value(board: Board, name: str) -> bytes | None:
    """What a key or a database holds; None where the firmware has none."""
    found = variables.read(board.uboot, name, AuthenticatedWrite(name, b"", ENROLLED).guid)
    return found.data if found else None


@dataclass(frozen=True)
class Platform:
    """Who owns the platform, who may change the databases, and whose images are started."""

    pk: Key
    kek: Key
    db: Key

    @property
    def content(self) -> dict[str, bytes]:
        """What :meth:`enrol` writes unless told, in its order."""
        keys = {"db": self.db, "KEK": self.kek, "PK": self.pk}
        return {name: certificates(key) for name, key in keys.items()}

    def enrol(self, board: Board, db: bytes | None = None, dbx: bytes = b"") -> None:
        """Write the databases, KEK and last PK, which ends setup mode.

        :param db: what is in it in place of the certificate of :attr:`db`.
        :param dbx: what is in it; empty for none.
        :raises FirmwareError: the firmware refuses one of them, or holds something else after.
        """
        usual = self.content
        allowed = usual["db"] if db is None else db
        for name, content in {"dbx": dbx, **usual, "db": allowed}.items():
            if content:
                self.must_take(board, name, content, self.pk)

    def put(self, board: Board, name: str, content: bytes) -> None:
        """Let a database hold just that on a platform that is enrolled, as if it had been enrolled
        so: what it held is deleted, and with it the time of that.

        :param content: empty for none.
        :raises FirmwareError: as :meth:`must_take`.
        """
        if value(board, name) is not None:
            self.must_take(board, name, b"", self.kek, LAST)
        if content:
            self.must_take(board, name, content, self.kek)

    def must_take(
        self, board: Board, name: str, content: bytes, signer: Key, time: EfiTime = ENROLLED
    ) -> None:
        """Write one of them as it has to be.

        :param content: empty to delete it.
        :raises FirmwareError: the firmware refuses it, or holds something else after.
        """
        plain = AuthenticatedWrite(name, content, time)
        taken = write(board, signed_write(signer, plain))
        if not taken or value(board, name) != (content or None):
            raise FirmwareError(
                f"the firmware did not take {name}", tail=board.uboot.transcript.tail()
            )
