"""The losses have the values and gradients of PyTorch and scikit-learn, as `tests/parity/losses.py` stored them.

`PARITY_LOSSES` names another file of values; `make parity` sets it to fresh ones.
"""

import os
from pathlib import Path

import dlnotes
import losses as parity  # tests/parity is on the path: pyproject.toml
import numpy as np
import pytest

PARITY = Path(__file__).parent / "parity"
STORED, FRESH = PARITY / "losses.npz", os.environ.get("PARITY_LOSSES")
with np.load(FRESH or STORED) as file:
    REFERENCES = dict(file)
CASES = {name: (call, scale, how) for name, call, _, _, scale, how in parity.cases()}
CASES |= {
    f"{name}/{size}/gradient": (call, scale, "mean")
    for name, (call, _) in parity.GRADIENTS.items()
    for size, scale in parity.SCALES.items()
}


def value(call, scale, how):
    return np.asarray(eval(call, vars(dlnotes) | parity.inputs(scale) | {"how": how}))


@pytest.mark.parametrize("name", CASES)
def test_the_value_is_the_librarys(name):
    ours, theirs = value(*CASES[name]), REFERENCES[name]
    assert ours.shape == theirs.shape
    # Ours is the more accurate one (test_losses.py): PyTorch's gradient is p - y, which cancels.
    absolute = 2e-16 if name.endswith("gradient") else 1e-13 if "/large/" in name else 1e-15
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=absolute)


def test_every_call_is_stored_and_every_stored_value_is_compared():
    assert set(REFERENCES) - {"versions"} == set(CASES)


if FRESH:

    def test_the_stored_values_are_those_of_the_libraries_now():
        with np.load(STORED) as stored:
            assert str(stored["versions"]) == str(REFERENCES["versions"])
            for name in CASES:
                np.testing.assert_allclose(stored[name], REFERENCES[name], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "option", "another"),
    [
        ("classes/usual/none", "(y, z", "((y + 1) % 5, z"),
        ("classes smoothed/usual/mean", "0.1", "0.2"),
        ("classes weighted/usual/mean", "WEIGHTS", "WEIGHTS**2"),
        ("pixels/usual/mean", "ignore_index=-1", "ignore_index=-1, label_smoothing=0.01"),
        ("pixels/usual/mean", "axis=1", "axis=1, reduction='sum'"),
        ("binary weighted/usual/", "(1, 3)", "(3, 1)"),
    ],
)
def test_a_changed_option_is_seen(name, option, another):
    call, scale, how = CASES[name]
    assert call.count(option) == 1
    changed = call.replace(option, another)
    if "reduction='sum'" in changed:
        changed = changed.replace(", reduction=how", "")
    assert not np.allclose(value(changed, scale, how), REFERENCES[name], rtol=1e-3)
