"""What this machine has and lacks for the job, and how to get the rest.

`python3 -m ubtest.doctor --install` is the first step of the setup, before there is a virtual
environment: standard library only, here and in what this imports.
"""

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata

from ubtest.errors import HostError, UbtestError
from ubtest.firmware.folder import locked
from ubtest.project import cache
from ubtest.requirements import REQUIREMENTS, Requirement
from ubtest.run import run, stream

_PYTHON = (3, 11)
# One U-Boot: 330 MB of source, 60 MB a build, and room for disks and results
_ROOM = 1_000_000_000

Say = Callable[[str], None]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    :param detail: its version and place; or what is wrong with it.
    """

    ok: bool
    name: str
    detail: str

    def __str__(self) -> str:
        return f"  {'ok     ' if self.ok else 'MISSING'}  {self.name:22} {self.detail}"


def main(arguments: list[str] | None = None) -> int:
    """The command: findings on the screen, 1 if the job cannot run here."""
    words = sys.argv[1:] if arguments is None else arguments
    if words not in ([], ["--install"]):
        print("usage: python3 -m ubtest.doctor [--install]", file=sys.stderr)
        return 2
    try:
        return install(print) if words else examine(print)
    except UbtestError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def examine(say: Say) -> int:
    """Say everything that was looked at; 1 if something is missing."""
    with ThreadPoolExecutor(8) as pool:
        tools = list(pool.map(_tool, REQUIREMENTS))
    findings = [_python(), *tools, *_libraries(), _cache(), _room()]
    for finding in findings:
        say(str(finding))
    if packages := missing():
        say(f"\nget the missing packages:  {_command(packages)}")
    return 0 if all(finding.ok for finding in findings) else 1


def missing() -> list[str]:
    """The Debian packages that are not there."""
    return sorted({r.package for r in REQUIREMENTS if r.found is None})


def install(say: Say) -> int:
    """Install what is missing, as root or through sudo; else say the line that does; 1 then.

    :raises HostError: apt fails.
    """
    python = _python()
    if not python.ok:
        say(str(python))
        return 1
    if not missing():
        return 0
    rights = _rights()
    if rights is None:
        say("ubtest needs packages and may not install them. Paste this line:")
        say(f"  {_command(missing())}")
        return 1
    with locked("install", "installing packages", say):
        # What another run has installed while we waited is not missing any more
        if packages := missing():
            _install(packages, rights, say)
    return 0


def _install(packages: list[str], rights: list[str], say: Say) -> None:
    say(f"installing {len(packages)} Debian packages: {' '.join(packages)}")
    steps = (
        # Ends what an interrupted run has left half done; else nothing
        ["dpkg", "--configure", "-a"],
        ["apt-get", "-q", "update"],
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=600", *_words(packages)],
    )
    for words in steps:
        stream(
            [*rights, *words],
            lambda line: say(f"  {line}"),
            env={"DEBIAN_FRONTEND": "noninteractive"},
            patience=30,
        )
    if left := missing():
        raise HostError(f"apt installed {' '.join(left)}, but what ubtest needs of it is not there")


def _words(packages: list[str]) -> list[str]:
    return ["install", "-y", "--no-install-recommends", *packages]


def _command(packages: list[str]) -> str:
    sudo = "" if os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get {' '.join(_words(packages))}"


def _rights() -> list[str] | None:
    """What goes in front of a command to run it as root; None if nothing does."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and run(["sudo", "-n", "true"], check=False).returncode == 0:
        return ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"]
    return None


def _tool(requirement: Requirement) -> Finding:
    place = requirement.found
    name = requirement.proof.removeprefix("/usr/include/").removeprefix("python:")
    if name.startswith("/"):
        name = name.rpartition("/")[2]
    if place is None:
        return Finding(False, name, f"package {requirement.package}: {requirement.why}")
    version = ""
    if requirement.version:
        done = run([place, *requirement.version], check=False, timeout=10)
        text = done.text + done.stderr.decode(errors="replace")
        found = re.search(r"\d+(?:\.\d+)+", text)
        version = found[0] if found else ""
    return Finding(True, name, f"{version:12} {place}")


def _python() -> Finding:
    version = platform.python_version()
    if sys.version_info >= _PYTHON:
        return Finding(True, "python3", f"{version:12} {sys.executable}")
    wanted = ".".join(map(str, _PYTHON))
    return Finding(False, "python3", f"{sys.executable} is {version}: ubtest needs {wanted}")


def _libraries() -> list[Finding]:
    """The Python packages, where ubtest is installed; the setup runs before it is."""
    try:
        wanted = [r for r in metadata.requires("ubtest") or [] if "extra ==" not in r]
    except metadata.PackageNotFoundError:
        return []
    findings = []
    for requirement in wanted:
        name = re.split(r"[^\w.-]", requirement)[0]
        try:
            findings.append(Finding(True, name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            findings.append(Finding(False, name, "Python package; `make setup` installs it"))
    return findings


def _cache() -> Finding:
    folder = cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(
            False, "cache", f"{folder}: {error.strerror}; set UBTEST_CACHE to a folder of your own"
        )
    return Finding(True, "cache", f"{'writable':12} {folder}")


def _room() -> Finding:
    folder = cache()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB free"
    if free < _ROOM:
        return Finding(False, "disk", f"{text}; U-Boot's source and builds take 1 GB")
    return Finding(True, "disk", text)


if __name__ == "__main__":
    sys.exit(main())
