"""Deep-learning notes, derived and run: the package that the book's chapters share."""

from dlnotes.activations import log_sigmoid, log_softmax, log_sum_exp, sigmoid, softmax, softplus
from dlnotes.descent import Trajectory, minibatches, minimize
from dlnotes.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_gradient,
    cross_entropy,
    cross_entropy_with_logits,
    cross_entropy_with_logits_gradient,
    entropy,
    kl_divergence,
)
from dlnotes.network import Network
from dlnotes.objectives import Objective
from dlnotes.optimizers import (
    CATALOGUE,
    adadelta,
    adagrad,
    adam,
    adamw,
    amsgrad,
    gradient_descent,
    momentum,
    nadam,
    nesterov,
    rmsprop,
)
from dlnotes.rules import Rule
from dlnotes.symbolic import Equations, equations

__all__ = [
    "CATALOGUE",
    "Equations",
    "Network",
    "Objective",
    "Rule",
    "Trajectory",
    "adadelta",
    "adagrad",
    "adam",
    "adamw",
    "amsgrad",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_gradient",
    "cross_entropy",
    "cross_entropy_with_logits",
    "cross_entropy_with_logits_gradient",
    "entropy",
    "equations",
    "gradient_descent",
    "kl_divergence",
    "log_sigmoid",
    "log_softmax",
    "log_sum_exp",
    "minibatches",
    "minimize",
    "momentum",
    "nadam",
    "nesterov",
    "rmsprop",
    "sigmoid",
    "softmax",
    "softplus",
]
