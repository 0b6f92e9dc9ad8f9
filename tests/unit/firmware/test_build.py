import errno
import hashlib
import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ubtest.errors import CaseError, HostError
from ubtest.firmware import recipe
from ubtest.firmware.build import build
from ubtest.firmware.bundle import Bundle
from ubtest.firmware.progress import Progress
from ubtest.firmware.source import Source, resolve
from ubtest.project import Project

Make = Callable[..., Bundle]


@pytest.fixture
def make(source: Source, project: Project, certificate: Path) -> Make:
    """`build` of the fake board."""
    rest = {"project": project, "certificate": certificate, "fingerprint": "abcd"}
    return partial(build, "fake", source, **rest)


def runs(cache: Path) -> int:
    """How often something was compiled."""
    logs = (cache / "builds").glob("*/runs")
    return sum(len(log.read_text().splitlines()) for log in logs)


def bundles(cache: Path) -> list[Path]:
    """Everything below the bundles' folders, half-written things too."""
    return sorted((cache / "bundles").glob("*/*"))


def test_a_bundle_holds_all_that_is_known(make: Make, source: Source) -> None:
    bundle = make()
    assert (bundle.board, bundle.version, bundle.arch) == ("fake", "2025.01", "arm64")
    assert bundle.config.enabled("CMD_EFIDEBUG")
    assert bundle.banner == "U-Boot 2025.01 (Jan 01 2025 - 00:00:00 +0000)"
    assert bundle.certificate is not None
    assert bundle.certificate.read_text() == "certificate\n"
    manifest = bundle.manifest
    assert manifest["compiler"] == "fake-gcc 1.0"
    assert manifest["source"] == source.identity
    assert manifest["certificate_fingerprint"] == "abcd"
    binary = bundle.binary.read_bytes()
    assert manifest["files"]["u-boot.bin"]["sha256"] == hashlib.sha256(binary).hexdigest()


def test_the_same_input_is_built_once(make: Make, cache: Path) -> None:
    assert make().path == make().path
    assert runs(cache) == 1


def test_each_part_of_the_input_makes_another_bundle(
    make: Make, tree: Path, project: Project, compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {make().path}
    seen.add(make(fingerprint="other").path)
    compiler.write_text("#!/bin/sh\necho fake-gcc 2.0\n")
    seen.add(make().path)
    with (project.boards / "fake.config").open("a") as file:
        file.write("CONFIG_MORE=y\n")
    seen.add(make().path)
    monkeypatch.setattr(recipe, "_STEPS", 99)
    seen.add(make().path)
    (tree / "main.c").write_text("int changed;\n")
    changed = resolve(str(tree), lambda text: None)
    last = build("fake", changed, project=project, certificate=tree / "main.c", fingerprint="abcd")
    assert b"changed" in last.binary.read_bytes()
    assert len({*seen, last.path}) == 6


def test_a_comment_in_the_fragment_makes_no_other_bundle(make: Make, project: Project) -> None:
    before = make().path
    with (project.boards / "fake.config").open("a") as file:
        file.write("# why\n")
    assert make().path == before


def test_the_variant_has_the_last_word(make: Make, project: Project) -> None:
    (project.boards / "fake+quiet.config").write_text("# CONFIG_CMD_EFIDEBUG is not set\n")
    bundle = make(variant="quiet")
    assert bundle.variant == "quiet"
    assert not bundle.config.enabled("CMD_EFIDEBUG")
    assert make().config.enabled("CMD_EFIDEBUG")


@pytest.mark.parametrize("version", ["2025.01", "2026.10"])
def test_the_certificate_is_named_where_this_version_wants_it(
    version: str, tree: Path, project: Project, certificate: Path
) -> None:
    year, month = version.split(".")
    makefile = tree / "Makefile"
    text = makefile.read_text().replace("VERSION = 2025", f"VERSION = {year}")
    makefile.write_text(text.replace("PATCHLEVEL = 01", f"PATCHLEVEL = {month}"))
    with (project.boards / "fake.config").open("a") as file:
        file.write("CONFIG_EFI_CAPSULE_AUTHENTICATE=y\n")
    source = resolve(str(tree), lambda text: None)
    bundle = build("fake", source, project=project, certificate=certificate, fingerprint="abcd")
    name = bundle.config.get("EFI_CAPSULE_CRT_FILE")
    assert name is not None
    assert Path(name).is_absolute() == (version == "2025.01")
    assert (tree / name).read_text() == "certificate\n"


def test_without_authentication_no_certificate_is_named(make: Make) -> None:
    assert make().config.get("EFI_CAPSULE_CRT_FILE") is None


def test_a_line_that_kconfig_drops_is_named(make: Make, project: Project, cache: Path) -> None:
    (project.boards / "fake+bad.config").write_text("CONFIG_BOGUS=y\n")
    with pytest.raises(CaseError, match=r"fake\+bad\.config:\n  CONFIG_BOGUS: wanted y, got n"):
        make(variant="bad")
    assert bundles(cache) == []


def test_a_source_that_does_not_compile_is_named(make: Make, tree: Path, cache: Path) -> None:
    (tree / "main.c").write_text("error\n")
    with pytest.raises(CaseError, match=r"does not build:\n  main\.c:1:1: error: expected ;"):
        make()
    assert bundles(cache) == []
    (tree / "main.c").write_text("int main;\n")
    assert make().binary.is_file()


def test_ctrl_c_leaves_no_process_and_no_bundle(make: Make, tree: Path, cache: Path) -> None:
    def press(now: Progress) -> None:
        if now.done == 2:
            raise KeyboardInterrupt

    (tree / "main.c").write_text("forever\n")
    with pytest.raises(KeyboardInterrupt):
        make(on_progress=press)
    (pid,) = (cache / "builds").glob("*/pid")
    assert not Path("/proc", pid.read_text().strip()).exists()
    assert bundles(cache) == []
    (tree / "main.c").write_text("int main;\n")
    assert make().binary.is_file()


def test_the_compiler_holds_the_lock_too(make: Make, tree: Path, cache: Path) -> None:
    held: list[Path] = []

    def look(now: Progress) -> None:
        if now.done == 2:
            (pid,) = (cache / "builds").glob("*/pid")
            held.extend(
                fd.readlink() for fd in Path("/proc", pid.read_text().strip(), "fd").iterdir()
            )
            raise KeyboardInterrupt

    (tree / "main.c").write_text("forever\n")
    with pytest.raises(KeyboardInterrupt):
        make(on_progress=look)
    assert any(path.suffix == ".lock" for path in held)


def test_what_a_killed_run_left_is_not_built_upon(make: Make, cache: Path) -> None:
    shutil.rmtree(make().path)
    (output,) = (cache / "builds").iterdir()
    (output / ".unfinished").touch()
    (output / "half.o").touch()
    make()
    assert not (output / "half.o").exists()
    assert not (output / ".unfinished").exists()


def test_another_certificate_builds_in_another_folder(make: Make, cache: Path) -> None:
    make()
    make(fingerprint="other")
    assert len(list((cache / "builds").iterdir())) == 2


def test_a_second_builder_waits_and_takes_what_the_first_made(make: Make, cache: Path) -> None:
    compiling, waiting = threading.Event(), threading.Event()
    first: list[Bundle] = []

    def hold(now: Progress) -> None:
        if now.done:
            compiling.set()
            assert waiting.wait(10)

    def look(now: Progress) -> None:
        if now.stage.startswith("waiting for process") and "building fake" in now.stage:
            waiting.set()

    thread = threading.Thread(target=lambda: first.append(make(on_progress=hold)))
    thread.start()
    assert compiling.wait(10)
    second = make(on_progress=look)
    thread.join()
    assert [second.path] == [bundle.path for bundle in first]
    assert runs(cache) == 1


def test_a_full_disk_is_the_hosts_fault(
    make: Make, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("shutil.copy2", full)
        with pytest.raises(HostError, match="is full"):
            make()
    assert bundles(cache) == []
    assert make().binary.is_file()


def test_a_compiler_that_finds_the_disk_full_says_so(make: Make, tree: Path, cache: Path) -> None:
    makefile = tree / "Makefile"
    good = makefile.read_text()
    makefile.write_text(
        good.replace("int main", "x").replace("expected ;", "No space left on device")
    )
    (tree / "main.c").write_text("error\n")
    with pytest.raises(HostError, match="is full"):
        make()
    assert list((cache / "builds").iterdir()) == []


def test_a_program_that_the_build_misses_is_named(make: Make, tree: Path) -> None:
    makefile = tree / "Makefile"
    makefile.write_text(makefile.read_text().replace("all:\n", "all:\n\t@cert-to-efi-sig-list.x\n"))
    with pytest.raises(HostError, match=r"needs `cert-to-efi-sig-list\.x`"):
        make()


def test_a_tree_that_was_built_in_place_is_refused(make: Make, tree: Path) -> None:
    (tree / ".config").touch()
    with pytest.raises(CaseError, match="built in place") as caught:
        make()
    assert "mrproper" in caught.value.next_step


def test_an_unknown_board_lists_the_known_ones(
    make: Make, source: Source, project: Project
) -> None:
    with pytest.raises(CaseError) as caught:
        build("none", source, project=project, certificate=Path(), fingerprint="")
    assert "fake" in caught.value.next_step


def test_a_board_must_say_how_it_is_built(make: Make, project: Project) -> None:
    (project.boards / "fake.config").write_text("CONFIG_X=y\n")
    with pytest.raises(CaseError, match="does not say its defconfig"):
        make()


def test_a_missing_compiler_is_named(make: Make, compiler: Path) -> None:
    compiler.unlink()
    with pytest.raises(HostError, match="fake-gcc` is missing"):
        make()


def test_progress_counts_and_estimates(make: Make) -> None:
    seen: list[Progress] = []
    make(on_progress=seen.append)
    assert seen[-1].done == 1
    assert seen[-1].total > 100
    assert Progress("x", 50, 200, 10).left == 30
    assert Progress("x", 5, 200, 10).left is None
    assert Progress("x", 300, 200, 10).left is None
