"""Calls of PyTorch and scikit-learn that must give the numbers of `dlnotes.losses`, and the inputs of both.

    python tests/parity/losses.py tests/parity/losses.npz

writes what the libraries return (`make parity` does it anew).
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

WEIGHTS = np.array([0.5, 1.0, 3.0, 0.25, 2.0])

# name: (call of ours, library, its call).  `z` are logits, `y` labels, `p` probabilities, `how` the reduction.
CALLS = {
    "log_sigmoid": ("log_sigmoid(z)", "torch", "F.logsigmoid(z)"),
    "softplus": ("softplus(z)", "torch", "F.softplus(z, threshold=1e9)"),
    "softmax": ("softmax(z)", "torch", "F.softmax(z, -1)"),
    "log_softmax": ("log_softmax(z)", "torch", "F.log_softmax(z, -1)"),
    "log_sum_exp": ("log_sum_exp(z)", "torch", "torch.logsumexp(z, -1)"),
    "entropy": ("entropy(p)", "torch", "torch.distributions.Categorical(p).entropy()"),
    "divergence": ("kl_divergence(q, p)", "torch", "F.kl_div(p.log(), q, reduction='none').sum(-1)"),
    "binary": (
        "binary_cross_entropy_with_logits(binary, z, reduction=how)",
        "torch",
        "F.binary_cross_entropy_with_logits(z, binary, reduction=how)",
    ),
    "binary weighted": (  # PyTorch's mean divides by the number of labels, ours by their weights
        "binary_cross_entropy_with_logits(binary, z, class_weights=(1, 3), reduction='none')",
        "torch",
        "F.binary_cross_entropy_with_logits(z, binary, pos_weight=torch.tensor(3.0), reduction='none')",
    ),
    "binary p": (
        "binary_cross_entropy(binary, p, reduction=how)",
        "torch",
        "F.binary_cross_entropy(p, binary, reduction=how)",
    ),
    "binary p mean": ("binary_cross_entropy(binary[:, 0], p[:, 0])", "sklearn", "log_loss(binary[:, 0], p[:, 0])"),
    "classes": ("cross_entropy_with_logits(y, z, reduction=how)", "torch", "F.cross_entropy(z, y, reduction=how)"),
    "classes weighted": (
        "cross_entropy_with_logits(y, z, class_weights=WEIGHTS, reduction=how)",
        "torch",
        "F.cross_entropy(z, y, weight=WEIGHTS, reduction=how)",
    ),
    "classes smoothed": (
        "cross_entropy_with_logits(y, z, class_weights=WEIGHTS, label_smoothing=0.1, reduction=how)",
        "torch",
        "F.cross_entropy(z, y, weight=WEIGHTS, label_smoothing=0.1, reduction=how)",
    ),
    "soft labels": ("cross_entropy_with_logits(q, z, reduction=how)", "torch", "F.cross_entropy(z, q, reduction=how)"),
    "pixels": (
        "cross_entropy_with_logits(mask, image, axis=1, ignore_index=-1, class_weights=WEIGHTS, reduction=how)",
        "torch",
        "F.cross_entropy(image, mask, ignore_index=-1, weight=WEIGHTS, reduction=how)",
    ),
    "classes p": ("cross_entropy(y, p)", "sklearn", "log_loss(y, p, labels=range(5))"),
    "classes p weighted": (
        "cross_entropy(y, p, class_weights=WEIGHTS)",
        "sklearn",
        "log_loss(y, p, labels=range(5), sample_weight=WEIGHTS[y])",
    ),
}  # fmt: skip
GRADIENTS = {
    "binary": ("binary_cross_entropy_with_logits_gradient(binary, z)", "z"),
    "classes smoothed": (
        "cross_entropy_with_logits_gradient(y, z, class_weights=WEIGHTS, label_smoothing=0.1)",
        "z",
    ),
    "soft labels": ("cross_entropy_with_logits_gradient(q, z)", "z"),
    "pixels": (
        "cross_entropy_with_logits_gradient(mask, image, axis=1, ignore_index=-1, class_weights=WEIGHTS)",
        "image",
    ),
}
"""The mean loss of these calls is differentiated with respect to its logits."""

SCALES = {"usual": 2.0, "large": 200.0}
REDUCTIONS = ("mean", "sum", "none")


def inputs(scale):
    """Return the arrays that the calls name, with logits of that size."""
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), size=(2, 60))
    binary = (rng.random((60, 5)) < 0.4).astype(float)
    return {
        "z": scale * rng.normal(size=(60, 5)),
        "y": rng.integers(5, size=60),
        "binary": binary,
        "p": p,
        "q": q,
        "image": scale * rng.normal(size=(3, 5, 6, 7)),
        "mask": rng.integers(-1, 5, size=(3, 6, 7)),
        "WEIGHTS": WEIGHTS,
    }


def cases():
    """Yield name of the case, call of ours, library, its call, scale of the logits, and reduction."""
    for name, (ours, library, theirs) in CALLS.items():
        for size, scale in SCALES.items():
            for how in REDUCTIONS if "how" in ours else ("",):
                yield f"{name}/{size}/{how}", ours, library, theirs, scale, how


def main(file):
    """Record what the libraries return."""
    import sklearn.metrics
    import torch

    found = {}
    scope = {"torch": torch, "F": torch.nn.functional, "log_loss": sklearn.metrics.log_loss}
    for name, _, library, call, scale, how in cases():
        arrays = inputs(scale)
        if library == "torch":
            arrays = {key: torch.from_numpy(array) for key, array in arrays.items()}
        found[name] = np.asarray(eval(call, scope | arrays | {"how": how}))
    for name, (_, variable) in GRADIENTS.items():
        for size, scale in SCALES.items():
            arrays = {key: torch.from_numpy(array) for key, array in inputs(scale).items()}
            arrays[variable].requires_grad_()
            eval(CALLS[name][2], scope | arrays | {"how": "mean"}).backward()
            found[f"{name}/{size}/gradient"] = arrays[variable].grad.numpy()
    versions = f"torch {version('torch')}, scikit-learn {version('scikit-learn')}"
    np.savez_compressed(file, versions=np.array(versions), **found)
    print(f"{len(found)} losses of {versions}: {file}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
