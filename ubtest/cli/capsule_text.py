"""What `ubtest capsule` prints about verdicts and breakages."""

from collections.abc import Iterator, Mapping, Sequence

from cryptography import x509

from ubtest.cases.breakages import Breakage
from ubtest.crypto.verdict import Answer, Verdict
from ubtest.formats.acceptance import Target
from ubtest.formats.status import status_name

EXIT_CODES = {Answer.ACCEPTED: 0, Answer.REFUSED: 1, Answer.UNKNOWN: 2}


def status_text(status: int | None) -> str:
    """An EFI_STATUS by its name; None is that there is no CapsuleXXXX."""
    return "nothing: there is no CapsuleXXXX" if status is None else status_name(status)


def verdict_lines(
    name: str, verdict: Verdict, trusted: Sequence[x509.Certificate], target: Target
) -> Iterator[str]:
    """A verdict, why, and under which assumptions."""
    status = ""
    if verdict.answer is Answer.REFUSED:
        status = f" with {status_text(verdict.status)}" if verdict.status else ""
    yield f"{name}: {verdict.answer.value}{status}"
    if verdict.rule:
        yield f"  rule       {verdict.rule} ({verdict.where})"
    if not verdict.payloads or verdict.answer is Answer.UNKNOWN:
        yield f"  why        {verdict.why}"
    for payload in verdict.payloads:
        yield f"  payload {payload.number:<2} {payload.answer.value}: {payload.why}"
    for note in verdict.notes:
        yield f"  note       {note}"
    yield f"  trusts     {', '.join(each.subject.rfc4514_string() for each in trusted)}"
    if target.image is None:
        yield "  not asked  whether the firmware has this GUID and index (--board)"
    if target.lowest_version is None:
        yield "  not asked  the firmware's lowest supported version (--lsv)"


def breakage_lines(breakages: Mapping[str, Breakage]) -> Iterator[str]:
    """The table of breakages."""
    width = max(map(len, breakages))
    yield f"{'name':<{width}}  {'U-Boot must answer':<18}  what is changed in a good capsule"
    for name, each in breakages.items():
        answer = "no CapsuleXXXX" if each.answer is None else status_name(each.answer)
        bug = f" ({each.bug})" if each.bug else ""
        yield f"{name:<{width}}  {answer:<18}  {each.changes}{bug}"
