"""`ubtest kernel`: what a user sees."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from fake_kernel import RELEASE, image

from ubtest.cli import main

Make = Callable[..., Path]


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers of signals stay as they were."""
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)


@pytest.mark.parametrize(
    "command", ["kernel", "kernel get", "kernel show", "kernel list", "kernel prune"]
)
def test_each_help_teaches_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert f"example:\n  ubtest {command}" in capsys.readouterr().out


def test_get_prints_the_folder_and_says_what_came(
    make_tree: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_tree()
    assert main(["kernel", "get", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert (Path(out.strip()) / "Image").read_bytes() == image()
    assert f"Linux {RELEASE} ({folder})" in err
    assert main(["kernel", "list"]) == 0
    assert out.strip() in capsys.readouterr().out


def test_show_says_what_is_in_it_and_what_is_not(
    make_tree: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_tree(config="CONFIG_MODULES=y\nCONFIG_VFIO=m\n# CONFIG_KVM is not set\n")
    main(["kernel", "get", str(folder)])
    capsys.readouterr()
    assert main(["kernel", "show", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"release          {RELEASE}" in said
    assert f"lib/modules/{RELEASE}/kernel/vfio/vfio-pci.ko" in said
    assert "busybox is also: [ [[ ash base64 cat" in said
    lines = {" ".join(line.split()) for line in said.splitlines()}
    assert "CONFIG_VFIO m devices for users" in lines
    assert "CONFIG_KVM is not set guests" in lines
    assert any(line.startswith("not in it nvme: this kernel has none") for line in lines)
    assert not any(line.startswith("not in it vfio-pci") for line in lines)
    assert not any(line.startswith("not in it virtio_pci") for line in lines)  # it is built in


def test_prune_says_what_would_go(make_tree: Make, capsys: pytest.CaptureFixture[str]) -> None:
    main(["kernel", "get", str(make_tree())])
    capsys.readouterr()
    assert main(["kernel", "prune", "--dry-run"]) == 0
    assert "0.0 MB  would be freed" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["get", "show"])
@pytest.mark.parametrize("origin", ["debian:6.1.0-50", "/none", "debian:"])
def test_a_mistake_is_two_lines_and_no_traceback(
    verb: str, origin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernel", verb, origin]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[1].startswith("  -> ")
    assert "debian:6.1" in said[1]
