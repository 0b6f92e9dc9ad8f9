"""Prompts: who asked for the command in a line, and where it ran."""

import re
from collections.abc import Set
from dataclasses import dataclass
from enum import Enum

from ubtest.repro.vocabulary import HOST_PROGRAMS, LINUX_PROGRAMS, UBOOT_COMMANDS


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
class Typed:
    """A line with a prompt.

    :param indent: the spaces before the prompt.
    :param shown: the prompt, "Marvell>>".
    :param command: empty where nothing was typed.
    :param sure: whether prompt and command leave no doubt; else neighbours must say it.
    """

    prompt: Prompt
    indent: int
    shown: str
    command: str
    sure: bool


_UBOOT = re.compile(
    r"(?P<shown>=>|(?:[\w.+-]{1,24}[ -])?[Uu]-?[Bb]oot ?[=#>]?>"
    r"|[A-Z][\w.+-]{1,24}(?: ?=?>{1,2}| #))"
    r"(?: |$)"
)
_NAMED = re.compile(
    r"(?P<shown>\[?[\w.-]{1,40}@[\w.-]{1,60}[: ][^#$\n]{0,80}?(?P<kind>[#$])"  # root@host:~#
    r"|[\w.-]{1,40}:[~/][^#$ \n]{0,80} ?(?P<kind2>[#$])"  # host:~$
    r"|(?:[~/]\S{0,40}|\(initramfs\)) ?(?P<kind3>[#$]?))(?: |$)"  # "/ #" of busybox
)
_BARE = re.compile(r"(?P<shown>[#$])(?: |$)")
_WORD = re.compile(r"(?:\w+=\S* +)*(?:sudo +(?:-\S+ +)*)?(?P<word>\S+)")
QEMU = re.compile(r"(?:\S*/)?(?:qemu-system-\w+|qemu-kvm|kvm)")
_ON_TARGET = re.compile(
    r"/sys/(?:bus|kernel|class|devices|firmware)/|/proc/(?:interrupts|iomem|device-tree)"
    r"|driver_override|vfio|\bdmesg\b|\befibootmgr\b|\bfw_printenv\b"
)


def typed(text: str) -> Typed | None:
    """The prompt and command of a line; None: there is none."""
    stripped = text.lstrip(" ")
    indent = len(text) - len(stripped)
    if indent > 16 or not stripped:
        return None
    if found := _UBOOT.match(stripped):
        command = stripped[found.end() :].strip()
        return Typed(Prompt.UBOOT, indent, found["shown"], command, _is_uboot(found[1], command))
    if found := _NAMED.match(stripped):
        return _linux(found, indent, stripped[found.end() :].strip())
    if found := _BARE.match(stripped):
        prompt = Prompt.LINUX_ROOT if found["shown"] == "#" else Prompt.LINUX_USER
        command = stripped[found.end() :].strip()
        return Typed(prompt, indent, found["shown"], command, _is_shell(command))
    return None


def _linux(found: re.Match[str], indent: int, command: str) -> Typed | None:
    kind = found["kind"] or found["kind2"] or found["kind3"]
    if not kind and found["shown"] != "(initramfs)":
        return None
    prompt = Prompt.LINUX_USER if kind == "$" else Prompt.LINUX_ROOT
    sure = bool(found["kind"]) or _is_shell(command)
    return Typed(prompt, indent, found["shown"], command, sure)


def word_of(command: str) -> str:
    """The program that a command starts, without `sudo` and assignments before it."""
    found = _WORD.match(command)
    return found["word"] if found else ""


def _is_uboot(shown: str, command: str) -> bool:
    word = re.split(r"[\s;]", command, maxsplit=1)[0]
    return word.removesuffix(".b").removesuffix(".l") in UBOOT_COMMANDS or (
        shown != "=>" and "oot" in shown
    )


def _is_shell(command: str) -> bool:
    word = word_of(command)
    return (
        word in LINUX_PROGRAMS
        or word in HOST_PROGRAMS
        or word.startswith(("./", "/"))
        or bool(QEMU.fullmatch(word))
    )


def name_of(shown: str) -> str:
    """Whose prompt it is, "root@host", without the folder; empty where it does not say."""
    found = re.match(r"\[?([\w.-]+(?:@[\w.-]+)?)[: ]", shown)
    return found[1] if found else ""


def side_of(line: Typed, on_target: Set[str], on_host: Set[str]) -> Side:
    """Where a command ran.

    :param on_target: names of prompts behind which something was typed that only a target has.
    :param on_host: names where something was typed that only a host has.
    """
    name = name_of(line.shown)
    if line.prompt is Prompt.UBOOT or name in on_target or is_of_target(line.command):
        return Side.TARGET
    if name in on_host or is_of_host(line.command) or line.prompt is Prompt.LINUX_USER:
        return Side.HOST
    return Side.TARGET


def is_of_target(command: str) -> bool:
    """Whether a command reads or writes what a report only shows of its target."""
    return bool(_ON_TARGET.search(command))


def is_of_host(command: str) -> bool:
    """Whether a command can only be the host's: it builds, or starts QEMU without VFIO."""
    word = word_of(command)
    return (word in HOST_PROGRAMS or bool(QEMU.fullmatch(word))) and not is_of_target(command)
