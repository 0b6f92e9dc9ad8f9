"""`ubtest capsule`: what it writes, says and answers, and that no file makes it fall over."""

import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ubtest.cases.breakages import BREAKAGES
from ubtest.cli import main
from ubtest.crypto.keyring import KeyRing
from ubtest.formats.capsule import Capsule
from ubtest.formats.fmp import FmpPayload
from ubtest.formats.guid import Guid
from ubtest.run import Finished, run

QEMU = Guid.of("058b7d83-50d5-4c47-a195-60d86ad341c4")
BOARD = f"""\
targets:
  main:
    options:
      firmware-image: {{image-type: {QEMU}, index: 1}}
"""
NAMED = """\
targets:
  main:
    options:
      firmware-image: {fw-name: SANDBOX-UBOOT, compatible: sandbox, index: 1}
"""


@pytest.fixture(scope="session")
def project(ring: KeyRing, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one board, with the session's keys and a good capsule `good.cap`."""
    root = tmp_path_factory.mktemp("project")
    (root / "keys").symlink_to(ring.folder)
    (root / "boards").mkdir()
    (root / "boards" / "one.yaml").write_text(BOARD)
    (root / "boards" / "named.yaml").write_text(NAMED)
    (root / "boards" / "odd.yaml").write_text("- a list")
    (root / "boards" / "bare.yaml").write_text("targets: {main: {}}")
    (root / "image").write_bytes(b"firmware" * 10)
    return root


@pytest.fixture(autouse=True)
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.chdir(project)


def capsule(*words: str | Path) -> int:
    return main(["capsule", *map(str, words)])


@pytest.fixture
def good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "good.cap"
    options = ("--board", "one", "--sign", "trusted", "--fw-version", "7")
    assert capsule("build", "image", "-o", path, *options) == 0
    capsys.readouterr()
    return path


@pytest.mark.parametrize("command", ["", "build", "sign", "show", "verify", "damage"])
def test_each_help_teaches_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        capsule(*command.split(), "--help")
    assert ended.value.code == 0
    assert f"example:\n  ubtest capsule {command}" in capsys.readouterr().out


def test_what_is_built_is_what_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "u.cap"
    guid = ("--guid", str(QEMU), "--index", "3", "--instance", "0x2")
    assert capsule("build", "image", "-o", path, *guid, "--fw-version", "5", "--lsv", "4") == 0
    (payload,) = Capsule.parse(path.read_bytes()).payloads
    assert payload == FmpPayload(
        QEMU, b"firmware" * 10, 3, 2, fw_version=5, lowest_supported_version=4
    )
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_board_names_guid_and_index(good: Path) -> None:
    (payload,) = Capsule.parse(good.read_bytes()).payloads
    assert (payload.image_type, payload.index) == (QEMU, 1)


COMPUTED = ("--fw-name", "SANDBOX-UBOOT", "--compatible", "sandbox")
OWN = ("--namespace", "1d64ee27-4a8f-4b2c-9f7e-6c4dd2a1b5f3")


@pytest.mark.parametrize("way", [COMPUTED, ("--board", "named")], ids=["name", "board"])
@pytest.mark.parametrize(
    ("namespace", "guid"),
    [
        ((), "985f2937-7c2e-5e9a-8a5e-8e063312964b"),
        (OWN, "df075455-ba4a-5f2c-a409-b36552dfa833"),
    ],
)
def test_a_guid_is_computed(
    way: tuple[str, ...], namespace: tuple[str, ...], guid: str, tmp_path: Path
) -> None:
    path = tmp_path / "u.cap"
    assert capsule("build", "image", "-o", path, *way, *namespace, "--sign", "trusted") == 0
    (payload,) = Capsule.parse(path.read_bytes()).payloads
    assert (str(payload.image_type), payload.index) == (guid, 1)
    assert capsule("verify", path, "--board", "named", *namespace) == 0
    assert capsule("verify", path, "--board", "named", *(() if namespace else OWN)) == 1


def test_built_and_signed_is_accepted(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert capsule("verify", good, "--board", "one", "--lsv", "7") == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{good}: accepted\n")
    assert "not asked" not in said


def test_somebody_elses_pem_files(ring: KeyRing, tmp_path: Path) -> None:
    key, other = ring["untrusted"], ring["trusted"]
    path, again = tmp_path / "a.cap", tmp_path / "b.cap"
    pair = ("--key", key.private_key_path, "--cert", key.certificate_path)
    assert capsule("build", "image", "-o", path, "--guid", QEMU, *pair) == 0
    assert capsule("verify", path, "--cert", key.certificate_path) == 0
    assert capsule("verify", path, "--cert", other.certificate_path) == 1
    assert capsule("sign", path, "-o", again, "--sign", "trusted", "--monotonic-count", "9") == 0
    assert capsule("verify", again) == 0
    assert Capsule.parse(again.read_bytes()).payloads[0].monotonic_count == 9


@pytest.mark.parametrize("name", BREAKAGES)
def test_each_breakage_by_name(
    name: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.cap"
    assert capsule("damage", good, "-o", broken, "--how", name) == 0
    assert BREAKAGES[name].changes in capsys.readouterr().out
    assert broken.read_bytes() != good.read_bytes()
    assert capsule("verify", broken, "--board", "one") == (0 if name == "zero-payloads" else 1)


def test_the_list_of_breakages_is_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert capsule("damage", "--list") == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(BREAKAGES)


def test_show_says_who_signed_and_json_says_the_same(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert capsule("show", good) == 0
    assert "CN=trusted" in capsys.readouterr().out
    assert capsule("show", good, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["size"], shown["findings"]) == (good.stat().st_size, [])
    fields = {field["name"]: field for part in shown["parts"] for field in part["fields"]}
    assert fields["FwVersion"]["value"] == 7
    assert fields["subject"]["value"] == "CN=trusted"
    assert capsule("verify", good, "--json") == 0
    assert json.loads(capsys.readouterr().out)["answer"] == "accepted"


def test_show_ends_with_1_when_it_found_something(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.cap"
    capsule("damage", good, "-o", broken, "--how", "offset-beyond")
    assert capsule("show", broken) == 1
    assert "ItemOffsetList[0] leads beyond the file" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["build", "sign", "damage"])
def test_nothing_is_overwritten_unless_forced(how: str, good: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.cap"
    there.write_bytes(b"mine")
    words: dict[str, tuple[str | Path, ...]] = {
        "build": ("build", "image", "--guid", QEMU),
        "sign": ("sign", good, "--sign", "trusted"),
        "damage": ("damage", good, "--how", "empty"),
    }
    assert capsule(*words[how], "-o", there) == 2
    assert there.read_bytes() == b"mine"
    assert capsule(*words[how], "-o", there, "--force") == 0
    assert there.read_bytes() != b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good.cap", "there.cap"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("build image -o x", "whose firmware it is, is not said"),
        ("build image -o x --guid 12", "is not a GUID"),
        ("build image -o x --fw-name N", "belong together"),
        ("build image -o x --board one --fw-name N --compatible c", "a GUID of their own"),
        ("build image -o x --board named --namespace 12", "--namespace: EFI_GUID"),
        ("build image -o x --board none", "the boards are: bare, named, odd, one"),
        ("build image -o x --board odd", "is not a board file"),
        ("build image -o x --board bare", "has no firmware-image"),
        ("build none -o x --board one", "cannot read none: No such file"),
        ("build . -o x --board one", "is not a regular file"),
        ("build /dev/zero -o x --board one", "is not a regular file"),
        ("build image -o none/x --board one", "cannot write none/x: No such file"),
        ("build image -o x --board one --key image", "either --sign, or --key with --cert"),
        ("build image -o x --board one --key image --cert image", "image holds no certificate"),
        ("build image -o x --board one --sign nobody", "'nobody' is not declared"),
        ("build image -o x --board one --lsv 3", "--lsv has no place without --fw-version"),
        ("sign image -o x --sign trusted", "image is not a sound capsule"),
        ("sign image -o x", "who signs is not said"),
        ("damage image", "belong together"),
        ("damage image -o x --how none", "no breakage is called 'none'"),
        ("damage image -o x --how empty", "image is not a sound capsule"),
        ("show none", "cannot read none"),
        ("verify none", "cannot read none"),
        ("verify image --cert image", "image holds no certificate in PEM"),
        ("verify image --cert none", "cannot read none"),
    ],
)
def test_a_mistake_is_a_message(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert capsule(*words.split()) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not Path("x").exists()


def test_a_key_that_cannot_be_used_is_a_message(
    ring: KeyRing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, other = ring["trusted"], ring["untrusted"]
    locked, curve = tmp_path / "locked.key", tmp_path / "curve.key"
    run(
        [
            "openssl",
            "rsa",
            "-aes128",
            "-passout",
            "pass:x",
            "-in",
            key.private_key_path,
            "-out",
            locked,
        ]
    )
    run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", curve])
    for path, message in (
        (locked, "is protected by a password"),
        (curve, "is not an RSA key"),
        (other.private_key_path, "does not belong to"),
        (Path("image"), "holds no private key in PEM"),
    ):
        pair = ("--key", path, "--cert", key.certificate_path)
        assert capsule("build", "image", "-o", tmp_path / "x", "--guid", QEMU, *pair) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("number", ["--index=256", "--index=-1", "--fw-version=0x100000000"])
def test_a_number_that_does_not_fit_is_a_usage_error(number: str) -> None:
    with pytest.raises(SystemExit) as ended:
        capsule("build", "image", "-o", "x", "--guid", QEMU, number)
    assert ended.value.code == 2


def test_a_signature_would_not_mend_a_broken_capsule(good: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.cap"
    capsule("damage", good, "-o", broken, "--how", "header-size-8")
    assert capsule("sign", broken, "-o", tmp_path / "x", "--sign", "trusted") == 2


def test_a_fifo_does_not_wait_for_a_writer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert capsule("show", tmp_path / "fifo") == 2
    assert "is not a regular file" in capsys.readouterr().err


def in_a_process(*words: str | Path, memory: int = 512 << 20, **env: str) -> Finished:
    """The command with no more address space than that, in bytes."""
    code = (
        "import resource, sys; from ubtest.cli import main\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    argv = [sys.executable, "-c", code, "capsule", *words]
    return run(argv, env=env, check=False, timeout=20)


@pytest.mark.parametrize(("command", "said"), [("show", b"empty"), ("verify", b"refused")])
def test_a_name_of_any_bytes_is_printed(command: str, said: bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\x1b[2J.cap")
    path.write_bytes(b"")
    ended = in_a_process(command, path, PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert said in ended.stdout
    assert b"\x1b" not in ended.stdout


@pytest.mark.parametrize("command", ["show", "verify"])
@pytest.mark.parametrize("head", [0, 28, 100, 10**6])
def test_a_sparse_file_of_4_gib_takes_no_memory(
    command: str, head: int, good: Path, tmp_path: Path
) -> None:
    path = tmp_path / "sparse.cap"
    path.write_bytes(good.read_bytes()[:head])
    os.truncate(path, 4 << 30)
    ended = in_a_process(command, path)
    path.unlink()
    assert ended.returncode in (0, 1, 2)
    assert b"Traceback" not in ended.stderr


def test_what_is_held_in_memory_has_a_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"")
    os.truncate(large, 4 << 30)
    for words in (
        ("build", large, "--guid", QEMU),
        ("sign", large, "--sign", "trusted"),
        ("damage", large, "--how", "empty"),
    ):
        assert capsule(*words, "-o", tmp_path / "x") == 2
        assert "more than 256 MiB are not taken" in capsys.readouterr().err


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_file_ends_in_an_exit_code(
    data: st.DataObject, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wire = bytearray(good.read_bytes())
    if data.draw(st.booleans()):
        wire = bytearray(data.draw(st.binary(max_size=200)))
    else:
        at = data.draw(st.integers(0, len(wire) - 1))
        wire[at : at + 4] = data.draw(st.binary(max_size=8))
    path = tmp_path / "any.cap"
    path.write_bytes(wire)
    assert capsule("show", path) in (0, 1)
    assert capsule("verify", path) in (0, 1, 2)
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
