"""What was typed at a prompt and what came back, as a report quotes it."""

from dataclasses import dataclass
from enum import Enum

from ubtest.repro.message import Evidence


class Prompt(Enum):
    """Who asked for a command."""

    UBOOT = "uboot"
    LINUX_ROOT = "linux-root"
    LINUX_USER = "linux-user"
    UNKNOWN = "unknown"  # output before the first prompt


class Side(Enum):
    """Where a command ran; nothing from a mail is run on the host."""

    HOST = "host"
    TARGET = "target"


@dataclass(frozen=True)
class Exchange:
    """One command and its output.

    :param shown: the prompt as the report has it, "Marvell>>".
    :param command: empty for output before the first prompt.
    """

    prompt: Prompt
    side: Side
    shown: str
    command: str
    output: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True)
class Transcript:
    """Exchanges that stand together in one report."""

    exchanges: tuple[Exchange, ...]
