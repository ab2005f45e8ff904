"""Means and Gaussian processes are SciPy's and scikit-learn's, as `tests/parity/means_and_processes.py` stored them.

`PARITY_MEANS_AND_PROCESSES` names another file of results; `make parity` sets it to fresh ones.
"""

import os
from pathlib import Path

import means_and_processes as parity  # tests/parity is on the path: pyproject.toml
import numpy as np
import pytest
from dlnotes import covariances, means, processes

PARITY = Path(__file__).parent / "parity"
STORED, FRESH = PARITY / "means_and_processes.npz", os.environ.get("PARITY_MEANS_AND_PROCESSES")
with np.load(FRESH or STORED) as file:
    REFERENCES = dict(file)


@pytest.mark.parametrize("name", parity.MEANS)
def test_a_mean_is_the_librarys(name):
    ours = eval(parity.MEANS[name][0], vars(means) | vars(covariances) | vars(parity))
    np.testing.assert_allclose(ours, REFERENCES[f"mean/{name}"], rtol=1e-13)


@pytest.mark.parametrize("name", parity.KERNELS)
def test_a_process_is_the_librarys(name):
    function = eval(parity.KERNELS[name][0], vars(processes))
    near = dict(rtol=1e-10, atol=1e-12)
    observed = function, parity.TIMES, parity.VALUES
    np.testing.assert_allclose(function(parity.TIMES), REFERENCES[f"{name}/matrix"], **near)
    mean, covariance = processes.condition(*observed, parity.NEW_TIMES, noise=parity.NOISE)
    np.testing.assert_allclose(mean, REFERENCES[f"{name}/mean"], **near)
    np.testing.assert_allclose(covariance, REFERENCES[f"{name}/covariance"], **near)
    value, gradient = processes.log_marginal_likelihood(*observed, noise=parity.NOISE)
    assert value == pytest.approx(float(REFERENCES[f"{name}/likelihood"]), rel=1e-12)
    ours = dict(zip(map(str, function.values), gradient, strict=False))
    if name == "product":  # the second variance is a factor of the first, and scikit-learn has one
        ours.pop("variance_2")
    if name == "matern 7/2":  # scikit-learn differentiates this one numerically
        near = dict(rtol=1e-4)
    np.testing.assert_allclose(list(ours.values()), REFERENCES[f"{name}/gradient"], **near)


def test_every_result_is_compared():
    parts = ("matrix", "mean", "covariance", "likelihood", "gradient")
    expected = {f"mean/{name}" for name in parity.MEANS} | {f"{name}/{p}" for name in parity.KERNELS for p in parts}
    assert set(REFERENCES) - {"versions"} == expected


if FRESH:

    def test_the_stored_results_are_those_of_the_libraries_now():
        with np.load(STORED) as stored:
            assert str(stored["versions"]) == str(REFERENCES["versions"])
            for name in set(REFERENCES) - {"versions"}:
                np.testing.assert_allclose(stored[name], REFERENCES[name], rtol=1e-11, atol=1e-13)
