"""The same random directions in every run: a check by finite differences shall not fail once in a thousand."""

import pytest

import autograd


@pytest.fixture(autouse=True)
def seeded():
    """check_grads draws from the library's generator."""
    autograd.manual_seed(0)
