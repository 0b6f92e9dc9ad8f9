import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.firmware.apt import Stanza, parse_stanza
from ubtest.firmware.debian import dsc, fetch, upstream
from ubtest.run import run

ENTRY = """\
Package: u-boot
Binary: u-boot, u-boot-qemu
Version: 2025.01-3+deb13u1
Maintainer: A. Person <a@example.org>
Architecture: linux-any all
Format: 3.0 (quilt)
Files:
 82fbae83a04f7d35ec1fe70ded8b7e27 4329 u-boot_2025.01-3+deb13u1.dsc
 a9b03ef9a6a0fce2f913abc97a6f4bc5 32890299 u-boot_2025.01.orig.tar.bz2
Checksums-Sha256:
 21dbfd7fe193b127636814284b10938258 4329 u-boot_2025.01-3+deb13u1.dsc
 cdef7d507c93f1bbd9f015ea9bc21fa074 32890299 u-boot_2025.01.orig.tar.bz2
Homepage: https://example.org
"""


@pytest.mark.parametrize(
    ("revision", "version"),
    [
        ("2025.01-3+deb13u1", "2025.01"),
        ("2023.01+dfsg-2+deb12u3", "2023.01"),
        ("2025.04~rc1+dfsg-1", "2025.04-rc1"),
        ("2025.07-1", "2025.07"),
    ],
)
def test_the_upstream_version_in_a_debian_one(revision: str, version: str) -> None:
    assert upstream(revision) == version


@pytest.mark.parametrize("version", ["2025.01-3+deb13u1", "trixie", "", "../2025.01"])
def test_only_upstream_versions_can_be_asked_for(cache: Path, version: str) -> None:
    with pytest.raises(CaseError, match="not an upstream version"):
        fetch(version, lambda text: None)


def test_the_control_file_is_written_without_itself() -> None:
    text = dsc(parse_stanza(ENTRY))
    assert "Source: u-boot\n" in text
    assert "\n cdef7d507c93" in text
    assert "\n a9b03ef9a6a0" in text
    assert ".dsc" not in text
    assert "Homepage" not in text


def test_dpkg_source_takes_our_control_file(tmp_path: Path) -> None:
    archives = {
        "u-boot_2025.01.orig.tar.gz": archive(
            "gz", {"u-boot-2025.01/Makefile": "VERSION = 2025\n"}
        ),
        "u-boot_2025.01-1.debian.tar.xz": archive(
            "xz", {"debian/source/format": "3.0 (quilt)\n", "debian/patches/series": ""}
        ),
    }
    for name, content in archives.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "source.dsc").write_text(dsc(stanza_of(archives)))
    run(["dpkg-source", "-q", "--no-check", "-x", tmp_path / "source.dsc", tmp_path / "tree"])
    assert (tmp_path / "tree" / "Makefile").read_text() == "VERSION = 2025\n"


def stanza_of(archives: dict[str, bytes]) -> Stanza:
    def lines(algorithm: str) -> str:
        return "".join(
            f"\n {hashlib.new(algorithm, content).hexdigest()} {len(content)} {name}"
            for name, content in archives.items()
        )

    changes = {"Version": "2025.01-1", "Files": lines("md5"), "Checksums-Sha256": lines("sha256")}
    return parse_stanza(ENTRY) | changes


def archive(compression: str, files: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=f"w:{compression}") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return made.getvalue()
