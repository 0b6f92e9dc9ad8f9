"""U-Boot as Debian packages it."""

import re
from pathlib import Path

from ubtest.errors import CaseError, HostError
from ubtest.firmware.apt import Apt, Say, Stanza, mirror
from ubtest.firmware.folder import locked, whole
from ubtest.project import cache
from ubtest.run import run

# Suite -> the version it carries as far as one knows; that suite is asked first, then the others
SUITES = {"trixie": "2025.01", "bookworm": "2023.01", "sid": ""}


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
        _download(apt, stanza, draft, say)
    except HostError:
        # The mirror may have moved on to the next revision since the lists were fetched
        apt.refresh(say)
        stanza = _stanza(apt, version) or stanza
        _download(apt, stanza, draft, say)
    say(f"unpacking U-Boot {stanza['Version']}")
    description = draft / "source.dsc"
    description.write_text(dsc(stanza))
    run(["dpkg-source", "-q", "--no-check", "-x", description, draft / "tree"], timeout=600)
    for archive in draft.iterdir():
        if archive.is_file():
            archive.unlink()
    return stanza["Version"]


def _locate(version: str, say: Say) -> tuple[Apt, Stanza]:
    site = mirror()
    complaint = ""
    for suite in sorted(SUITES, key=lambda name: SUITES[name] != version):
        apt = Apt(cache() / "apt" / suite, site, suite)
        stanza = _stanza(apt, version)
        if stanza is None:
            said = apt.refresh(say)
            complaint = complaint or said
            stanza = _stanza(apt, version)
        if stanza is not None:
            return apt, stanza
    raise HostError(
        f"no U-Boot {version} in {', '.join(SUITES)} of {site}"
        + (f"; apt says: {complaint}" if complaint else ""),
        next_step="check the network, or give a source tree: --source PATH",
    )


def _stanza(apt: Apt, version: str) -> Stanza | None:
    """What the index says about the package; None where the suite has another version."""
    found = apt.stanzas("showsrc", "--only-source", "u-boot")
    return next((s for s in found if upstream(s.get("Version", "")) == version), None)


def _download(apt: Apt, stanza: Stanza, folder: Path, say: Say) -> None:
    """Fetch the package's files and check their hashes.

    The `.dsc` is left out: mirrors drop it now and then, and all it says stands in the index.

    :raises HostError: a file cannot be had.
    """
    # In the folder without the files: apt leaves out what it believes to be there
    uris = apt.run("apt-get", "source", "--print-uris", f"u-boot={stanza['Version']}", cwd=folder)
    for uri, name, size, digest in re.findall(
        r"^'(\S+)' (\S+) (\d+) SHA256:([0-9a-f]{64})", uris, re.MULTILINE
    ):
        if not name.endswith(".dsc"):
            say(f"downloading {name} ({int(size) / 1e6:.1f} MB)")
            apt.download(uri, folder / name, digest)


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
