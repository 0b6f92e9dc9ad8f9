"""The corpus: mails in the styles of lists, and what must be understood from each."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from ubtest.repro.mail import messages_of, read
from ubtest.repro.message import Evidence
from ubtest.repro.transcript import Transcript
from ubtest.repro.understanding import Understanding, understand

HERE = Path(__file__).parent
MAILS = sorted((HERE / "mails").iterdir())
UNDERSTOOD = yaml.safe_load((HERE / "understood.yaml").read_text())
PLAIN = ("several-boards.eml", "no-reproducer.eml", "two-sticks.eml", "vfio-container.eml")


def of(name: str) -> Understanding:
    return understand(read(HERE / "mails" / name))


def understood(text: str) -> Understanding:
    return understand(messages_of(text.encode(), "mail"))


def place(evidence: Evidence) -> str:
    attachment = f"/{evidence.part}" if evidence.part else ""
    return f"{evidence.message}{attachment}:{evidence.line}"


def rows(understanding: Understanding) -> dict[str, list[str]]:
    """As understood.yaml has them."""
    found: dict[str, list[str]] = {}
    for field in fields(understanding):
        facts = getattr(understanding, field.name)
        if field.name == "transcripts":
            found[field.name] = [line for each in facts for line in dialogue(each)]
        elif field.name == "qemu":
            found[field.name] = [f"{place(e.evidence)} {' '.join(e.words)}" for e in facts]
        elif field.name == "unknown":
            found[field.name] = [f"{place(each)} {each.text.strip()}" for each in facts]
        else:
            found[field.name] = [f"{place(each.evidence)} {each.value}" for each in facts]
    return {name: lines for name, lines in found.items() if lines}


def dialogue(transcript: Transcript) -> list[str]:
    return [
        f"{place(each.evidence)} {each.prompt.value} {each.side.value} {each.shown} {each.command}"
        f" ({len(each.output)})"
        for each in transcript.exchanges
    ]


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.name)
def test_what_a_mail_says_is_understood(path: Path) -> None:
    assert rows(understand(read(path))) == UNDERSTOOD[path.name]


def test_the_table_names_mails_that_exist() -> None:
    assert set(UNDERSTOOD) == {path.name for path in MAILS}
    assert len(MAILS) >= 12


@pytest.mark.parametrize("name", PLAIN)
def test_a_line_number_leads_to_that_line_of_the_file(name: str) -> None:
    _, _, body = (HERE / "mails" / name).read_text().partition("\n\n")
    lines = body.split("\n")
    understanding = of(name)
    evidence = [
        *(fact.evidence for fact in (*understanding.versions, *understanding.expected)),
        *(each.evidence for made in understanding.transcripts for each in made.exchanges),
        *(line.evidence for line in understanding.qemu),
        *understanding.unknown,
    ]
    assert evidence
    for each in evidence:
        assert each.text.strip()[:40] in lines[each.line - 1]


def test_wrapped_lines_are_one_again() -> None:
    (transcript,) = of("two-sticks.eml").transcripts
    failed, error = transcript.exchanges[1].output
    assert failed.endswith("lun0 failed (err=-9223372036854775788/0x8000000000000014)")
    assert error == "Error: Cannot initialize UEFI sub-system, r = 9223372036854775828"


def test_colours_and_clock_times_are_gone() -> None:
    (transcript,) = of("two-sticks.eml").transcripts
    assert transcript.exchanges[0].output[1] == "Bus xhci_pci: Register 8001040 NbrPorts 8"


def test_what_is_quoted_again_is_found_once() -> None:
    commands = [e.command for t in of("thread.mbox").transcripts for e in t.exchanges]
    assert commands.count("usb start") == 1


def test_a_quote_that_says_more_is_kept() -> None:
    mail = "From a@example.org Mon\nFrom: a\nSubject: s\n\nfirst\n\n"
    thread = mail + mail.replace("first", "> => usb info\n> 1: Hub")
    assert len(understood(thread).transcripts) == 1


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("on v2023.01 it fails", ["2023.01"]),
        ("U-Boot SPL 2025.01-rc2-00012-gabc (Jan", ["2025.01-rc2"]),
        ("u-boot 2023.01+dfsg-2 of Debian", ["2023.01"]),
        ("U-Boot v2023.07.02 is out", ["2023.07.02"]),
        ("since 2022.10.", ["2022.10"]),
        ("on 2023.01.15 we met", []),
        ("Buildroot 2023.02 is fine", []),
        ("barebox v2023.02 as well", []),
        ("12023.01 or 2023.13", []),
    ],
)
def test_versions_are_told_from_dates(text: str, versions: list[str]) -> None:
    assert [each.value for each in understood(text).versions] == versions


@pytest.mark.parametrize(
    ("text", "kconfig"),
    [
        ("CONFIG_CMD_USB=y", ["CONFIG_CMD_USB=y"]),
        ("# CONFIG_CMD_USB is not set", ["CONFIG_CMD_USB=n"]),
        ("with CONFIG_CMD_USB enabled", ["CONFIG_CMD_USB=y"]),
        ("CONFIG_CMD_USB is not enabled here", ["CONFIG_CMD_USB=n"]),
        ("without CONFIG_CMD_USB", ["CONFIG_CMD_USB=n"]),
        ("it is about CONFIG_CMD_USB", []),
    ],
)
def test_kconfig_is_read_where_its_value_is_said(text: str, kconfig: list[str]) -> None:
    understanding = understood(text)
    assert [each.value for each in understanding.kconfig] == kconfig
    assert len(understanding.unknown) == (0 if kconfig else 1)


def test_a_patch_is_no_configuration() -> None:
    text = "Hello,\n\n--- a/configs/x_defconfig\n+++ b/configs/x_defconfig\n+CONFIG_CMD_USB=y\n"
    understanding = understood(text)
    assert not understanding.kconfig
    assert [each.value for each in understanding.patches] == ["configs/x_defconfig"]


def test_answers_are_not_the_report() -> None:
    text = (
        "On Mon, 2 Jan 2023, A B <a@example.org> wrote:\n> It should work.\n\nThat fails for me.\n"
    )
    understanding = understood(text)
    assert [each.value for each in understanding.expected] == ["It should work."]
    assert not understanding.actual
    assert [each.value for each in understanding.reported_by] == ["A B <a@example.org>"]


def test_headings_say_what_is_expected() -> None:
    understanding = understood("Expected: a prompt.\nActual:\nit prints err -5 and a dot.\n")
    assert [each.value for each in understanding.expected] == ["a prompt."]
    assert [each.value for each in understanding.actual] == ["it prints err -5 and a dot."]
