"""The catalogue of update rules, one equation a line.

Each rule reads as a textbook lists it, and says by `Rule.but` which lines of another rule it changes.
The symbols are those of the book's notation page: θ parameters, g gradient, m first-order momentum,
n second-order momentum, V average of squared steps; η ``eta`` learning rate, β ``beta``, β₁ ``beta1``,
β₂ ``beta2``, γ ``gamma`` decays of averages, ε ``eps`` (inside the root), λ ``lam`` weight decay. Where no
default is given here, that of `dlnotes.rules.HYPERPARAMETERS` holds; η without a default must be chosen.

Forms that papers and libraries write differently are rules of their own, in `dlnotes.variants`.
"""

from dlnotes.rules import Rule, maximum, sqrt

gradient_descent = Rule(
    "Gradient descent",
    dtheta=lambda eta, g: -eta * g,
    source="Cauchy 1847; Nesterov 2018, section 1.2.3",
)
"""Step against the gradient.

Batch, stochastic and mini-batch gradient descent are this one rule. They differ in the gradient that
they are given: the mean over all examples, over one, or over a few (`dlnotes.minibatches`).
"""

momentum = Rule(
    "Momentum",
    m=lambda beta, m, eta, g: beta * m - eta * g,
    dtheta=lambda m: m,
    source="Polyak 1964; Sutskever et al. 2013",
)
"""Heavy ball. The last step, shortened by β, goes on, and the gradient adds to it. By default β is 0.9."""

nesterov = momentum.but(
    "Nesterov",
    at=lambda theta, beta, m: theta + beta * m,
    source="Nesterov 1983; Sutskever et al. 2013",
)
"""Momentum whose gradient is taken where the momentum alone would lead. By default β is 0.9."""

adagrad = Rule(
    "Adagrad",
    n=lambda n, g: n + g**2,
    dtheta=lambda eta, n, eps, g: -eta / sqrt(n + eps) * g,
    source="Duchi, Hazan and Singer 2011, diagonal form",
)
"""Each coordinate's rate is divided by the root of the sum n of its squared gradients. By default ε is 1e-8."""

rmsprop = adagrad.but(
    "RMSprop",
    n=lambda beta, n, g: beta * n + (1 - beta) * g**2,
    source="Tieleman and Hinton 2012, lecture 6.5; ε as in Graves 2013",
)
"""Adagrad, but n is a moving average, so that old gradients are forgotten. By default β is 0.9, ε 1e-8."""

adadelta = rmsprop.but(
    "Adadelta",
    previous=("V",),
    dtheta=lambda V, n, eps, g: -sqrt(V + eps) / sqrt(n + eps) * g,
    V=lambda gamma, V, dtheta: gamma * V + (1 - gamma) * dtheta**2,
    defaults={"beta": 0.95, "gamma": 0.95, "eps": 1e-6},
    source="Zeiler 2012",
)
"""RMSprop, but the root of V, the average of squared steps so far, stands in place of the learning rate.

The step of time t reads V of time t-1. By default β and γ are 0.95 and ε is 1e-6, as in the paper.
"""

adam = Rule(
    "Adam",
    m=lambda beta1, m, g: beta1 * m + (1 - beta1) * g,
    n=lambda beta2, n, g: beta2 * n + (1 - beta2) * g**2,
    m_hat=lambda m, beta1, t: m / (1 - beta1**t),
    n_hat=lambda n, beta2, t: n / (1 - beta2**t),
    dtheta=lambda eta, m_hat, n_hat, eps: -eta * m_hat / sqrt(n_hat + eps),
    defaults={"eta": 0.001, "eps": 1e-16},
    source="Kingma and Ba 2015, algorithm 1, with ε inside the root",
)
"""Moving averages of gradients and of squared gradients, each divided by the sum of its weights so far.

By default η is 0.001, β₁ 0.9, β₂ 0.999, as in the paper. The paper adds 1e-8 to the root; ε inside the
root is a floor of √ε under it, so the default here is 1e-16.
"""

adamw = adam.but(
    "AdamW",
    dtheta=lambda eta, m_hat, n_hat, eps, lam, theta: -eta * (m_hat / sqrt(n_hat + eps) + lam * theta),
    source="Loshchilov and Hutter 2019, with the decay scaled by the rate",
)
"""Adam, but every step also shrinks the parameters by ηλ, apart from the gradient. By default λ is 0.01."""

nadam = adam.but(
    "Nadam",
    m_hat=lambda beta1, m, t, g: beta1 * m / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t),
    source="Dozat 2016, with a constant β₁",
)
"""Adam, but its momentum is Nesterov's, for the average is looked at one step ahead. Defaults are Adam's."""

amsgrad = adam.but(
    "AMSGrad",
    n_max=lambda n_max, n: maximum(n_max, n),
    n_hat=lambda n_max, beta2, t: n_max / (1 - beta2**t),
    source="Reddi, Kale and Kumar 2018, with bias correction",
)
"""Adam, but n is replaced by its largest value so far. Defaults are Adam's."""

CATALOGUE = {
    "gradient_descent": gradient_descent,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adadelta": adadelta,
    "adam": adam,
    "adamw": adamw,
    "nadam": nadam,
    "amsgrad": amsgrad,
}
"""Every rule of the book by its name in this module."""
