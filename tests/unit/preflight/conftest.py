"""A board on which a capsule would be taken."""

import pytest
from recorded import good


@pytest.fixture
def key(ring):
    return ring["trusted"]


@pytest.fixture
def facts(key):
    return good(key)
