"""Means, covariance functions and Gaussian processes as SciPy and scikit-learn compute them.

    python tests/parity/means_and_processes.py tests/parity/means_and_processes.npz

writes what the libraries return (`make parity` does it anew).
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

RNG = np.random.default_rng(0)
DATA, WEIGHTS = RNG.uniform(0.1, 9, size=(4, 6)), RNG.uniform(0.1, 2, size=6)
TIMES, VALUES = np.sort(RNG.uniform(0, 5, size=12)), RNG.normal(size=12)
NEW_TIMES, NOISE = np.linspace(-1, 7, 15), 0.3

# name: (call of ours, call of SciPy)
MEANS = {
    "geometric": ("geometric_mean(DATA, axis=1, weights=WEIGHTS)", "stats.gmean(DATA, axis=1, weights=WEIGHTS)"),
    "harmonic": ("harmonic_mean(DATA, axis=1, weights=WEIGHTS)", "stats.hmean(DATA, axis=1, weights=WEIGHTS)"),
    "cubic": ("power_mean(DATA, 3, axis=0)", "stats.pmean(DATA, 3, axis=0)"),
    "inverse": ("power_mean(DATA, -2.5, axis=1, weights=WEIGHTS)", "stats.pmean(DATA, -2.5, axis=1, weights=WEIGHTS)"),
    "quadratic": ("quadratic_mean(DATA, axis=0)", "stats.pmean(DATA, 2, axis=0)"),
    "correlation": ("correlation(DATA[0], DATA[1])", "stats.pearsonr(DATA[0], DATA[1]).statistic"),
}
# name: (ours, scikit-learn's)
KERNELS = {
    "squared exponential": ("squared_exponential(2, 0.7)", "Constant(2) * RBF(0.7)"),
    "ornstein uhlenbeck": ("ornstein_uhlenbeck(2, 0.7)", "Constant(2) * Matern(0.7, nu=0.5)"),
    "matern 1/2": ("matern(0.5, 2, 0.7)", "Constant(2) * Matern(0.7, nu=0.5)"),
    "matern 3/2": ("matern(1.5, 2, 0.7)", "Constant(2) * Matern(0.7, nu=1.5)"),
    "matern 5/2": ("matern(2.5, 2, 0.7)", "Constant(2) * Matern(0.7, nu=2.5)"),
    "matern 7/2": ("matern(3.5, 2, 0.7)", "Constant(2) * Matern(0.7, nu=3.5)"),
    "periodic": ("periodic(2, 0.7, 1.3)", "Constant(2) * ExpSineSquared(0.7, 1.3)"),
    "white noise": ("white_noise(2)", "White(2)"),
    "sum": (
        "squared_exponential(2, 0.7) + periodic(0.5, 1.1, 1.3)",
        "Constant(2) * RBF(0.7) + Constant(0.5) * ExpSineSquared(1.1, 1.3)",
    ),
    "product": (
        "matern(1.5, 2, 0.7) * periodic(1, 1.1, 1.3)",
        "Constant(2) * Matern(0.7, nu=1.5) * ExpSineSquared(1.1, 1.3)",
    ),
}  # fmt: skip


def main(file):
    """Record what the libraries return."""
    from scipy import stats
    from sklearn.gaussian_process import GaussianProcessRegressor, kernels

    names = {"Constant": kernels.ConstantKernel, "White": kernels.WhiteKernel}
    names |= {name: getattr(kernels, name) for name in ("RBF", "Matern", "ExpSineSquared")}
    found = {
        f"mean/{name}": eval(call, {"stats": stats, "DATA": DATA, "WEIGHTS": WEIGHTS})
        for name, (_, call) in MEANS.items()
    }
    for name, (_, call) in KERNELS.items():
        kernel = eval(call, names)
        process = GaussianProcessRegressor(kernel, alpha=NOISE, optimizer=None).fit(TIMES[:, None], VALUES)
        mean, covariance = process.predict(NEW_TIMES[:, None], return_cov=True)
        value, gradient = process.log_marginal_likelihood(kernel.theta, eval_gradient=True)
        found |= {
            f"{name}/matrix": kernel(TIMES[:, None]),
            f"{name}/mean": mean,
            f"{name}/covariance": covariance,
            f"{name}/likelihood": np.array(value),
            f"{name}/gradient": gradient,
        }
    versions = f"scipy {version('scipy')}, scikit-learn {version('scikit-learn')}"
    np.savez_compressed(file, versions=np.array(versions), **found)
    print(f"{len(found)} results of {versions}: {file}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
