"""Each parser, fed every beginning of a good input, says what is missing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from ubtest.formats.capsule import Capsule, CapsuleResult, FmpPayload
from ubtest.formats.fmp import FmpState
from ubtest.formats.gpt import Gpt, GptPartition
from ubtest.formats.guid import ESP_TYPE, GLOBAL_VARIABLE
from ubtest.formats.record import FormatError
from ubtest.formats.siglist import Signature, SignatureList
from ubtest.formats.varstore import Variable, pack_variables, parse_variables

PAYLOAD = FmpPayload(ESP_TYPE, b"image", signature=b"signature", fw_version=1, vendor_code=b"v")
CAPSULE = Capsule((PAYLOAD, replace(PAYLOAD, signature=None)))
PARTITION = GptPartition("p", ESP_TYPE, ESP_TYPE, 34, 40)
(_, HEAD), (_, TAIL) = Gpt(ESP_TYPE, (PARTITION,), 100).pack()
VARIABLE = Variable("Name", GLOBAL_VARIABLE, 7, 0, b"data")

INPUTS: dict[str, tuple[bytes, Callable[[bytes], object]]] = {
    "capsule": (CAPSULE.pack(), Capsule.parse),
    "payload": (PAYLOAD.pack(), FmpPayload.parse),
    "capsule result": (bytes(48), CapsuleResult.parse),
    "fmp state": (bytes(16), FmpState.parse),
    "signature list": (
        SignatureList((Signature(ESP_TYPE, b"one"), Signature(ESP_TYPE, b"two"))).pack(),
        SignatureList.parse,
    ),
    "variables": (pack_variables([VARIABLE, VARIABLE]), parse_variables),
    "partition": (PARTITION.pack(), GptPartition.parse),
    "head of a disk": (HEAD, lambda head: Gpt.parse(head, TAIL)),
    "tail of a disk": (TAIL, lambda tail: Gpt.parse(HEAD, tail)),
}


@pytest.mark.parametrize("name", INPUTS)
def test_every_truncation_is_a_format_error(name: str) -> None:
    good, parse = INPUTS[name]
    parse(good)
    for length in range(len(good)):
        with pytest.raises(FormatError):
            parse(good[:length])
