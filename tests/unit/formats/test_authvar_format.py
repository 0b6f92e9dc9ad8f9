"""Writes of authenticated variables: what is signed and what is handed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ubtest.formats.authvar import (
    APPEND_WRITE,
    IMAGE_SECURITY_DATABASE,
    KEY_DATABASE,
    AuthenticatedWrite,
    Authentication2,
    parse_write,
)
from ubtest.formats.efitime import EfiTime
from ubtest.formats.guid import GLOBAL_VARIABLE
from ubtest.formats.record import FormatError

TIME = EfiTime(2026, 11, 24, 9, 30, 0)


@given(value=st.binary(max_size=64), signature=st.binary(max_size=64))
def test_a_write_comes_back(value, signature):
    write = AuthenticatedWrite("db", value, TIME, signature=signature)
    head, read_signature, read_value = parse_write(write.pack())
    assert (head.time, read_signature, read_value) == (TIME, signature, value)


def test_the_descriptor_has_the_size_of_the_specification():
    assert Authentication2.size() == 16 + 8 + 16


def test_keys_are_global_and_databases_are_not():
    guids = {name: AuthenticatedWrite(name, b"", TIME).guid for name in ("PK", "KEK", "db", "dbx")}
    assert guids == {
        "PK": GLOBAL_VARIABLE,
        "KEK": GLOBAL_VARIABLE,
        "db": IMAGE_SECURITY_DATABASE,
        "dbx": IMAGE_SECURITY_DATABASE,
    }


def test_the_signature_covers_name_namespace_attributes_time_and_value():
    write = AuthenticatedWrite("db", b"value", TIME, KEY_DATABASE | APPEND_WRITE)
    assert write.signed_data() == (
        b"d\0b\0" + IMAGE_SECURITY_DATABASE.wire + b"\x67\0\0\0" + TIME.pack() + b"value"
    )


@pytest.mark.parametrize("size", [0, 39, 41])
def test_a_write_that_is_not_whole_is_refused(size):
    whole = AuthenticatedWrite("PK", b"", TIME, signature=b"signature").pack()
    with pytest.raises(FormatError, match="EFI_VARIABLE_AUTHENTICATION_2"):
        parse_write(whole[:size])
