"""Every public name shows how it is used; that the examples run is tested where they stand."""

import pytest

import robust_train


@pytest.mark.parametrize("name", dir(robust_train))
def test_every_public_name_has_an_example(name):
    text = getattr(robust_train, name).__doc__ or ""
    assert "\n    Example:\n        >>> " in text, "add an Example: of a few lines that shows its use"
