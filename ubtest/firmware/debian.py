"""U-Boot as Debian packages it: fetched through an apt of our own, the system's stays untouched."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.firmware.folder import locked, whole
from ubtest.project import cache
from ubtest.run import require, run

# Suite -> the version it carries as far as one knows; that suite is asked first, then the others
SUITES = {"trixie": "2025.01", "bookworm": "2023.01", "sid": ""}
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_HELPER = "/usr/lib/apt/apt-helper"

Say = Callable[[str], None]
Stanza = dict[str, str]


def fetch(version: str, say: Say) -> tuple[Path, str]:
    """The unpacked source package of an upstream version, from the cache or the mirror.

    :param version: upstream's, such as "2025.01"; never a Debian revision.
    :returns: the tree, and the revision that came.
    :raises CaseError: a Debian revision was asked for.
    :raises HostError: no Debian machine, no mirror, or no suite has this version.
    """
    if not re.fullmatch(r"\d{4}\.\d{2}(-rc\d+)?", version):
        raise CaseError(
            f"`debian:{version}` is not an upstream version",
            next_step="ask for one like debian:2025.01: Debian's revisions come and go",
        )
    home = cache() / "sources" / "debian" / version
    with locked(f"debian-{version}", f"fetching U-Boot {version}", say):
        if not (home / "revision").is_file():
            with whole(home) as draft:
                revision = _unpack(version, draft, say)
                (draft / "revision").write_text(revision)
    return home / "tree", (home / "revision").read_text()


def _unpack(version: str, draft: Path, say: Say) -> str:
    apt, stanza = _locate(version, say)
    try:
        apt.download(stanza, draft, say)
    except HostError:
        # The mirror may have moved on to the next revision since the lists were fetched
        apt.refresh(say)
        stanza = apt.stanza(version) or stanza
        apt.download(stanza, draft, say)
    say(f"unpacking U-Boot {stanza['Version']}")
    description = draft / "source.dsc"
    description.write_text(dsc(stanza))
    run(["dpkg-source", "-q", "--no-check", "-x", description, draft / "tree"], timeout=600)
    for archive in draft.iterdir():
        if archive.is_file():
            archive.unlink()
    return stanza["Version"]


def _locate(version: str, say: Say) -> tuple["Apt", Stanza]:
    site = mirror()
    complaint = ""
    for suite in sorted(SUITES, key=lambda name: SUITES[name] != version):
        apt = Apt(cache() / "apt" / suite, site, suite)
        stanza = apt.stanza(version)
        if stanza is None:
            said = apt.refresh(say)
            complaint = complaint or said
            stanza = apt.stanza(version)
        if stanza is not None:
            return apt, stanza
    raise HostError(
        f"no U-Boot {version} in {', '.join(SUITES)} of {site}"
        + (f"; apt says: {complaint}" if complaint else ""),
        next_step="check the network, or give a source tree: --source PATH",
    )


@dataclass(frozen=True)
class Apt:
    """An apt with its own sources, lists and cache in one folder, for one suite."""

    folder: Path
    site: str
    suite: str

    def stanza(self, version: str) -> Stanza | None:
        """What the suite's signed index says about the package; None where it has another one."""
        shown = self._run("apt-cache", "showsrc", "--only-source", "u-boot", check=False)
        found = (parse_stanza(text) for text in shown.split("\n\n") if text.strip())
        return next((s for s in found if upstream(s.get("Version", "")) == version), None)

    def refresh(self, say: Say) -> str:
        """Fetch the suite's index again; returns apt's first complaint, or nothing.

        A complaint need not matter: what does, is whether the package is found afterwards.
        """
        say(f"fetching the package lists of {self.suite}")
        said = self._run("apt-get", "-q", "update", check=False)
        return next((line[3:] for line in said.splitlines() if line[:3] in ("W: ", "E: ")), "")

    def download(self, stanza: Stanza, folder: Path, say: Say) -> None:
        """Fetch a package's files and check their hashes.

        The `.dsc` is left out: mirrors drop it now and then, and all it says stands in the index.

        :raises HostError: a file cannot be had.
        """
        # In the folder without the files: apt leaves out what it believes to be there
        uris = self._run(
            "apt-get", "source", "--print-uris", f"u-boot={stanza['Version']}", cwd=folder
        )
        for uri, name, size, digest in re.findall(
            r"^'(\S+)' (\S+) (\d+) SHA256:([0-9a-f]{64})", uris, re.MULTILINE
        ):
            if not name.endswith(".dsc"):
                say(f"downloading {name} ({int(size) / 1e6:.1f} MB)")
                self._run(_HELPER, "download-file", uri, str(folder / name), f"SHA256:{digest}")

    def _run(self, program: str, *words: str, check: bool = True, cwd: Path | None = None) -> str:
        require(program)
        argv = [program, "-c", str(self._configuration()), *words]
        # Translated messages would not matter, translated field names would
        done = run(argv, cwd=cwd, env={"LC_ALL": "C.UTF-8"}, timeout=900, check=check)
        return done.text + done.stderr.decode(errors="backslashreplace")

    def _configuration(self) -> Path:
        for name in ("lists/partial", "archives/partial", "none"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text(
            f"deb-src [signed-by={_KEYRING}] {self.site} {self.suite} main\n"
        )
        path = self.folder / "apt.conf"
        path.write_text(_CONFIGURATION.format(folder=self.folder, sandbox=_sandbox()))
        return path


# The hooks that the system runs after its own update have no business with ours
_CONFIGURATION = """\
Dir::State "{folder}";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}";
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "{folder}/none";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
{sandbox}
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def _sandbox() -> str:
    # As root, apt changes to a user that cannot reach a cache below /root
    return 'APT::Sandbox::User "root";' if os.geteuid() == 0 else ""


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
            next_step="give a source tree instead: --source PATH",
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


def dsc(stanza: Stanza) -> str:
    """The source control file that an index entry stands for, without the file itself in it."""
    fields = {"Format": stanza["Format"], "Source": stanza["Package"]}
    fields |= {n: stanza[n] for n in ("Binary", "Architecture", "Version", "Maintainer")}
    for name in ("Checksums-Sha256", "Files"):
        lines = stanza[name].splitlines()
        fields[name] = "\n".join(line for line in lines if not line.endswith(".dsc"))
    return "".join(f"{name}: {value}\n" for name, value in fields.items())


def upstream(revision: str) -> str:
    """U-Boot's own version in a Debian one: 2025.04~rc1+dfsg-1 is 2025.04-rc1."""
    without_revision = revision.rpartition("-")[0] or revision
    return re.sub(r"[+].*", "", without_revision).replace("~", "-")
