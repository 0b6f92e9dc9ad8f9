"""A report read and understood, against Python's own email package that only parses it.

Both take the mails of tests/unit/repro/mails. Theirs parses the MIME structure and decodes the
text of each part; ours does the same, and then reads quotes, dialogues and facts.
"""

from email import message_from_bytes, policy
from pathlib import Path

from ratio import compare
from script import parser, start

from ubtest.repro.mail import messages_of
from ubtest.repro.understanding import understand

MAILS = Path(__file__).parents[1] / "tests" / "unit" / "repro" / "mails"


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=20, help="measured rounds (default 20)")
    arguments = options.parse_args()
    mails = [path.read_bytes() for path in sorted(MAILS.glob("*.eml"))]

    def ours() -> None:
        for mail in mails:
            understand(messages_of(mail, "mail"))

    def theirs() -> None:
        for mail in mails:
            for part in message_from_bytes(mail, policy=policy.default).walk():
                if part.get_content_maintype() == "text":
                    part.get_content()

    what = f"{len(mails)} mails of {sum(map(len, mails))} bytes"
    return compare(what, ours, theirs, rounds=arguments.rounds, count=len(mails), target=20)


if __name__ == "__main__":
    start(main)
