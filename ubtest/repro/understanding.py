"""What a report says, each fact with the line that says it."""

from dataclasses import dataclass

from ubtest.repro.message import Evidence, Found
from ubtest.repro.qemu_line import QemuLine
from ubtest.repro.transcript import Transcript


@dataclass(frozen=True)
class Understanding:
    """All that was found in a report; a fact that stands there twice is here once.

    :param versions: of U-Boot, "2023.01-rc2".
    :param kernels: versions of Linux, "6.1.0".
    :param commits: hashes, as long as the report has them.
    :param boards: defconfigs without "_defconfig", or boards by their name.
    :param kconfig: "CONFIG_CMD_USB=y"; "CONFIG_X=n" for "# CONFIG_X is not set".
    :param shell: commands on the host. They are for the reader, and are never run.
    :param expected: what should happen, in the report's words.
    :param actual: what happens instead.
    :param reported_by: "Name <address>".
    :param fixes: "1b7e469a665 (\"subject\")".
    :param patches: the files that attached or inline patches change.
    :param unknown: lines that look technical and were not understood.
    """

    versions: tuple[Found, ...] = ()
    kernels: tuple[Found, ...] = ()
    commits: tuple[Found, ...] = ()
    boards: tuple[Found, ...] = ()
    kconfig: tuple[Found, ...] = ()
    qemu: tuple[QemuLine, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    shell: tuple[Found, ...] = ()
    expected: tuple[Found, ...] = ()
    actual: tuple[Found, ...] = ()
    reported_by: tuple[Found, ...] = ()
    fixes: tuple[Found, ...] = ()
    links: tuple[Found, ...] = ()
    patches: tuple[Found, ...] = ()
    unknown: tuple[Evidence, ...] = ()
