import shutil
from pathlib import Path

import pytest

from ubtest.errors import CaseError
from ubtest.firmware.source import Source, resolve
from ubtest.run import run


def source_of(text: str | Path) -> Source:
    return resolve(str(text), lambda said: None)


def git(tree: Path, *words: str) -> str:
    identity = ["-c", "user.name=U. Boot", "-c", "user.email=u@example.org"]
    return run(["git", "-C", tree, *identity, *words]).text.strip()


@pytest.fixture
def repository(tree: Path) -> Path:
    git(tree, "init", "-q")
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "first")
    git(tree, "tag", "first")
    return tree


def test_a_plain_folder_is_known_by_its_content(cache: Path, tree: Path, tmp_path: Path) -> None:
    shutil.copytree(tree, tmp_path / "copy")
    before = source_of(tree)
    assert (before.version, before.revision, before.tree) == ("2025.01", "", tree)
    assert source_of(tmp_path / "copy").identity == before.identity
    (tree / "main.c").write_text("int other;\n")
    assert source_of(tree).identity != before.identity


def test_a_candidate_says_so(cache: Path, tree: Path) -> None:
    makefile = tree / "Makefile"
    makefile.write_text(makefile.read_text().replace("EXTRAVERSION =", "EXTRAVERSION = -rc2"))
    assert source_of(tree).version == "2025.01-rc2"


def test_a_clean_checkout_is_known_by_its_commit(cache: Path, repository: Path) -> None:
    source = source_of(repository)
    assert source.revision == git(repository, "rev-parse", "HEAD")
    assert source.identity == f"checkout:{source.revision}"


@pytest.mark.parametrize("name", ["main.c", "new.c"])
def test_each_change_of_a_checkout_counts(cache: Path, repository: Path, name: str) -> None:
    seen = {source_of(repository).identity}
    for content in ("one\n", "two\n"):
        (repository / name).write_text(content)
        seen.add(source_of(repository).identity)
    assert len(seen) == 3


def test_ignored_files_do_not_count(cache: Path, repository: Path) -> None:
    (repository / ".git" / "info" / "exclude").write_text("*.o\n")
    before = source_of(repository)
    (repository / "main.o").write_text("object\n")
    assert source_of(repository) == before


def test_a_revision_is_exported_and_the_checkout_left_alone(cache: Path, repository: Path) -> None:
    (repository / "main.c").write_text("not committed\n")
    source = source_of(f"{repository}@first")
    assert (source.tree / "main.c").read_text() == "int main;\n"
    assert cache in source.tree.parents
    assert source.revision == git(repository, "rev-parse", "first")
    assert source.epoch == int(git(repository, "log", "-1", "--format=%ct"))
    assert git(repository, "status", "--porcelain") == "M main.c"
    assert source_of(f"{repository}@first") == source


def test_a_folder_may_have_an_at_in_its_name(cache: Path, tree: Path) -> None:
    named = tree.with_name("u-boot@work")
    tree.rename(named)
    assert source_of(named).tree == named


@pytest.mark.parametrize("name", ["none", "--all", "first:main.c"])
def test_an_unknown_revision_is_named(cache: Path, repository: Path, name: str) -> None:
    with pytest.raises(CaseError, match="finds no revision"):
        source_of(f"{repository}@{name}")


def test_a_revision_that_is_not_u_boot_leaves_nothing(cache: Path, repository: Path) -> None:
    git(repository, "rm", "-q", "Makefile")
    git(repository, "commit", "-q", "-m", "no more")
    with pytest.raises(CaseError, match="u-boot@HEAD is not a U-Boot tree"):
        source_of(f"{repository}@HEAD")
    assert list((cache / "sources" / "git").iterdir()) == []


def test_other_folders_are_refused(cache: Path, tmp_path: Path, tree: Path) -> None:
    with pytest.raises(CaseError, match="not a U-Boot tree"):
        source_of(tmp_path)
    shutil.rmtree(tree / "include" / "u-boot")
    with pytest.raises(CaseError, match="not a U-Boot tree"):
        source_of(tree)


@pytest.mark.parametrize("text", ["/does/not/exist", "nothing", "nowhere@HEAD", "", "@HEAD"])
def test_what_is_no_source_is_told_the_forms(cache: Path, text: str) -> None:
    with pytest.raises(CaseError) as caught:
        source_of(text)
    assert "debian:VERSION" in caught.value.next_step
