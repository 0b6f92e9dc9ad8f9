"""Debian's archive through an apt of our own: no root, the system's stays untouched."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import HostError
from ubtest.run import require, run

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_HELPER = "/usr/lib/apt/apt-helper"
SOURCES = ""

Say = Callable[[str], None]
Stanza = dict[str, str]


@dataclass(frozen=True)
class Apt:
    """An apt with its own sources, lists and cache in one folder, for one suite.

    :param site: the mirror's address.
    :param architecture: whose packages it knows, in Debian's words; SOURCES for source packages.
    """

    folder: Path
    site: str
    suite: str
    architecture: str = SOURCES

    def stanzas(self, *query: str) -> list[Stanza]:
        """What the suite's signed index says to a query of apt-cache; empty when nothing."""
        shown = self.run("apt-cache", *query, check=False)
        return [s for text in shown.split("\n\n") if "Package" in (s := parse_stanza(text))]

    def package(self, name: str) -> Stanza | None:
        """The newest binary package of a name; None where the suite has none."""
        found = self.stanzas("show", "--no-all-versions", name)
        return found[0] if found else None

    def refresh(self, say: Say) -> str:
        """Fetch the suite's index again; returns apt's first complaint, or nothing.

        A complaint need not matter: what does, is whether the package is found afterwards.
        """
        say(f"fetching the package lists of {self.suite}")
        said = self.run("apt-get", "-q", "update", check=False)
        return next((line[3:] for line in said.splitlines() if line[:3] in ("W: ", "E: ")), "")

    def fetch(self, package: Stanza, folder: Path, say: Say) -> Path:
        """Download a binary package and check its hash.

        :returns: the `.deb` in the folder.
        :raises HostError: it cannot be had, as when the mirror has moved on since `refresh`.
        """
        path = folder / Path(package["Filename"]).name
        say(f"downloading {path.name} ({int(package['Size']) / 1e6:.1f} MB)")
        self.download(f"{self.site}/{package['Filename']}", path, package["SHA256"])
        return path

    def download(self, uri: str, path: Path, sha256: str) -> None:
        """Download a file and check its hash.

        :raises HostError: it cannot be had, or is another one.
        """
        try:
            self.run(_HELPER, "download-file", uri, str(path), f"SHA256:{sha256}")
        except HostError as error:
            raise HostError(
                error.message, next_step="check the network and the mirror, then try again"
            ) from error

    def run(self, program: str, *words: str, check: bool = True, cwd: Path | None = None) -> str:
        """Run one of apt's programs with our configuration; returns all that it said.

        :raises HostError: no such program, or (with ``check``) it failed.
        """
        require(program)
        argv = [program, "-c", str(self._configuration()), *words]
        # Translated messages would not matter, translated field names would
        done = run(argv, cwd=cwd, env={"LC_ALL": "C.UTF-8"}, timeout=900, check=check)
        return done.text + done.stderr.decode(errors="backslashreplace")

    def _configuration(self) -> Path:
        for name in ("lists/partial", "archives/partial", "none"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        kind = "deb" if self.architecture else "deb-src"
        (self.folder / "sources.list").write_text(
            f"{kind} [signed-by={_KEYRING}] {self.site} {self.suite} main\n"
        )
        path = self.folder / "apt.conf"
        settings = [_CONFIGURATION.replace("FOLDER", str(self.folder))]
        if self.architecture:
            settings.append(_ARCHITECTURE.replace("ARCHITECTURE", self.architecture))
        if os.geteuid() == 0:
            # As root, apt changes to a user that cannot reach a cache below /root
            settings.append('APT::Sandbox::User "root";\n')
        path.write_text("".join(settings))
        return path


# The hooks that the system runs after its own update have no business with ours
_CONFIGURATION = """\
Dir::State "FOLDER";
Dir::State::lists "FOLDER/lists";
Dir::State::status "FOLDER/status";
Dir::Cache "FOLDER";
Dir::Etc::SourceList "FOLDER/sources.list";
Dir::Etc::SourceParts "FOLDER/none";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
_ARCHITECTURE = """\
#clear APT::Architectures;
APT::Architectures { "ARCHITECTURE"; };
APT::Architecture "ARCHITECTURE";
"""


def mirror() -> str:
    """The Debian mirror that this machine's own apt uses, so that a user's choice is honoured.

    :raises HostError: this is no Debian, or its apt has no Debian mirror.
    """
    require("apt-get")
    listed = run(["apt-get", "update", "--print-uris"], check=False).text
    pattern = r"'(\S+?)/dists/(?:bookworm|trixie|forky|sid|(?:old)*stable|testing|unstable)/"
    sites = re.findall(pattern, listed)
    # Other archives use Debian's suite names too, Debian's own mirrors end in its name
    sites.sort(key=lambda site: not site.endswith("/debian"))
    if not sites or not _KEYRING.is_file():
        raise HostError(
            "this machine's apt knows no Debian mirror",
            next_step="give a tree of your own instead: a path in place of debian:VERSION",
        )
    return str(sites[0])


def parse_stanza(text: str) -> Stanza:
    """The fields of one entry of a package index; continuation lines keep their line breaks."""
    fields: Stanza = {}
    name = ""
    for line in text.strip().splitlines():
        if line[0].isspace():
            fields[name] += f"\n{line}"
        else:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields
