"""What one board run knows: the board, its firmware, where results go, what did not run."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from labgrid.exceptions import InvalidConfigError, NoSupplierFoundError
from labgrid.pytestplugin.hooks import LABGRID_ENV_KEY

from ubtest.crypto.keyring import KeyRing
from ubtest.errors import CaseError
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.recipe import check_current
from ubtest.firmware.versions import traits
from ubtest.lab.board import Board
from ubtest.media.content import Content
from ubtest.plugin.capabilities import Capabilities
from ubtest.project import Project


@dataclass
class BoardRun:
    """One pytest run on one board."""

    env_file: Path
    board: Board
    firmware: Bundle
    folder: Path
    capabilities: Capabilities
    not_run: dict[str, str] = field(default_factory=dict)  # node id -> why
    untouched: Content | None = None  # flash of a board that is still as new at the prompt
    inside: object = None  # what made the disk that this board has
    shared_linux: bool = False  # the kernel that runs is the one of the fixture `linux`


RUN: pytest.StashKey[BoardRun] = pytest.StashKey()
FOLDER: pytest.StashKey[Path] = pytest.StashKey()
FAILED: pytest.StashKey[bool] = pytest.StashKey()  # of a test whose body did not pass


def open_run(config: pytest.Config) -> BoardRun:
    """Find board and firmware of this run and make sure that they fit each other.

    :raises CaseError: the board file or the firmware given is wrong.
    :raises HostError: no firmware, key or QEMU here.
    """
    env = config.stash[LABGRID_ENV_KEY]
    config.add_cleanup(env.cleanup)
    env_file = Path(config.getoption("lg_env"))
    try:
        target = env.get_target()
        if target is None:
            raise CaseError(f"{env_file} has no target `main`")
        board = Board(target)
    except (InvalidConfigError, NoSupplierFoundError) as error:
        raise CaseError(f"{env_file}: {error.msg}") from error
    project = Project.find(env_file)
    if path := config.getoption("firmware"):
        board.machine.bundle = Bundle.open(path)
    else:
        check_current(board.machine.bundle, project)
    firmware = board.machine.bundle
    board.machine.check_host()
    _check_certificate(firmware, KeyRing.load(project.keys))
    capabilities = Capabilities(firmware.config, board.features, firmware.traits.needs)
    return BoardRun(env_file, board, firmware, config.stash[FOLDER], capabilities)


def _check_certificate(firmware: Bundle, keyring: KeyRing) -> None:
    """A firmware with another certificate inside would refuse all our capsules, rightly."""
    inside = firmware.certificate_fingerprint
    ours = keyring["trusted"].fingerprint
    if traits(firmware.version).capsule_key == "binary" and inside not in (None, ours):
        raise CaseError(
            f"{firmware.path} trusts the certificate {inside}, the key ring's is {ours}",
            next_step=f"build it again: ubtest firmware build {firmware.board}",
        )


def board_run(config: pytest.Config) -> BoardRun:
    """The run that this pytest is.

    :raises CaseError: pytest was started without a board.
    """
    run = config.stash.get(RUN, None)
    if run is None:
        raise CaseError(
            "this test needs a board",
            next_step="name its file: pytest --lg-env boards/qemu-arm64.yaml",
        )
    return run
