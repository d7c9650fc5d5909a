"""Every sabotage of tests/sabotage.py is up to date; and, in the slow test, noticed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("sabotage", Path(__file__).parent / "sabotage.py")
sabotage = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sabotage)


@pytest.mark.parametrize("entry", sabotage.SABOTAGES, ids=lambda entry: entry.what)
def test_the_text_to_be_replaced_stands_in_the_file_once(entry):
    assert not sabotage.out_of_date(entry)
    assert entry.new != entry.old
    for path in entry.tests.split():
        assert (sabotage.ROOT / path).exists(), f"{entry.what}: there is no {path}"


@pytest.mark.slow
def test_every_sabotage_is_noticed():
    missed = [f"{entry.what}: {by}" for entry, caught, by, _ in sabotage.outcomes(sabotage.SABOTAGES) if not caught]
    assert not missed, "\n".join(missed)
