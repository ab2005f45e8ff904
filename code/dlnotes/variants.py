"""The same rules as papers and libraries write them, where they differ from `dlnotes.optimizers`.

A different place of ε or of the learning rate is another rule with a name, never a flag. The page
"Conventions" of the book says which call of which library each of them is.
"""

from dlnotes.optimizers import CATALOGUE, adagrad, adam, adamw, amsgrad, momentum, nadam, rmsprop
from dlnotes.rules import Rule, maximum, sqrt

momentum_rate_outside = momentum.but(
    "Momentum, rate outside",
    m=lambda beta, m, g: beta * m + g,
    dtheta=lambda eta, m: -eta * m,
    source="PyTorch and Optax",
)
"""Momentum that sums gradients; the current rate multiplies the whole sum."""

nesterov_shifted = momentum.but(
    "Nesterov, shifted",
    dtheta=lambda beta, m, eta, g: beta * m - eta * g,
    source="Keras; Bengio, Boulanger-Lewandowski and Pascanu 2013",
)
"""Nesterov in terms of its look-ahead point, so that the gradient is taken at the parameters."""

nesterov_shifted_rate_outside = momentum_rate_outside.but(
    "Nesterov, shifted, rate outside",
    dtheta=lambda eta, g, beta, m: -eta * (g + beta * m),
    source="PyTorch and Optax",
)
"""The shifted form with the rate outside the sum."""

adagrad_eps_outside = adagrad.but(
    "Adagrad, ε outside",
    dtheta=lambda eta, n, eps, g: -eta / (sqrt(n) + eps) * g,
    source="Duchi, Hazan and Singer 2011; PyTorch",
)
"""Adagrad with ε added to the root."""

rmsprop_eps_outside = adagrad_eps_outside.but(
    "RMSprop, ε outside",
    n=rmsprop.stages["n"],
    source="PyTorch",
)
"""RMSprop with ε added to the root, or Adagrad of that form, but for n."""

adam_eps_outside = adam.but(
    "Adam, ε outside",
    dtheta=lambda eta, m_hat, n_hat, eps: -eta * m_hat / (sqrt(n_hat) + eps),
    defaults={"eps": 1e-8},
    source="Kingma and Ba 2015, algorithm 1; PyTorch and Optax",
)
"""Adam with ε added to the root, as in the paper. By default ε is 1e-8."""

adam_eps_hat = adam_eps_outside.but(
    "Adam, ε-hat",
    m_hat=lambda m, beta1, beta2, t: m * sqrt(1 - beta2**t) / (1 - beta1**t),
    n_hat=lambda n: n,
    defaults={"eps": 1e-7},
    source="Kingma and Ba 2015, end of section 2; Keras",
)
"""Adam with both corrections in one factor of the rate, and ε added to the uncorrected root. By default ε is 1e-7."""

adam_uncorrected = adam.but("Adam, uncorrected", m_hat=lambda m: m, n_hat=lambda n: n)
"""Adam without bias correction."""

adamw_eps_outside = adamw.but(
    "AdamW, ε outside",
    dtheta=lambda eta, m_hat, n_hat, eps, lam, theta: -eta * (m_hat / (sqrt(n_hat) + eps) + lam * theta),
    defaults={"eps": 1e-8},
    source="PyTorch, Optax",
)
"""AdamW with ε added to the root. By default ε is 1e-8."""

adamw_decay_outside = adamw.but(
    "AdamW, decay outside",
    dtheta=lambda eta, m_hat, n_hat, eps, lam, theta: -eta * m_hat / sqrt(n_hat + eps) - lam * theta,
    source="Loshchilov and Hutter 2019, with the schedule multiplier at 1",
)
"""AdamW whose decay is λ itself, whatever the rate, as in the paper."""

adamw_eps_hat = adamw_eps_outside.but(
    "AdamW, ε-hat",
    m_hat=adam_eps_hat.stages["m_hat"],
    n_hat=adam_eps_hat.stages["n_hat"],
    defaults={"eps": 1e-7},
    source="Keras",
)
"""AdamW with both corrections in one factor, and ε added to the uncorrected root. By default ε is 1e-7."""

nadam_eps_outside = adam_eps_outside.but("Nadam, ε outside", m_hat=nadam.stages["m_hat"], source="Optax")
"""Nadam with ε added to the root. By default ε is 1e-8."""

nadam_schedule = nadam_eps_outside.but(
    "Nadam, scheduled",
    mu=lambda beta1, t: beta1 * (1 - 0.96 ** (t / 250) / 2),
    mu_next=lambda beta1, t: beta1 * (1 - 0.96 ** ((t + 1) / 250) / 2),
    mu_product=lambda mu_product, mu: mu_product * mu,
    m_hat=lambda mu_next, m, mu_product, mu, g: (
        mu_next * m / (1 - mu_product * mu_next) + (1 - mu) * g / (1 - mu_product)
    ),
    start={"mu_product": 1},
    source="PyTorch, with a schedule of Dozat",
)
"""Nadam whose momentum μ grows from about β₁/2 towards β₁; the average m itself keeps β₁."""

nadam_fast_schedule = nadam_schedule.but(
    "Nadam, scheduled fast",
    mu=lambda beta1, t: beta1 * (1 - 0.96**t / 2),
    mu_next=lambda beta1, t: beta1 * (1 - 0.96 ** (t + 1) / 2),
    source="Keras",
)
"""Nadam whose momentum μ runs through the same schedule 250 times as fast."""

amsgrad_eps_outside = adam_eps_outside.but(
    "AMSGrad, ε outside", n_max=amsgrad.stages["n_max"], n_hat=amsgrad.stages["n_hat"], source="PyTorch"
)
"""AMSGrad with ε added to the root. By default ε is 1e-8."""

amsgrad_eps_hat = adam_eps_hat.but(
    "AMSGrad, ε-hat", n_max=amsgrad.stages["n_max"], n_hat=lambda n_max: n_max, source="Keras"
)
"""AMSGrad with both corrections in one factor, and ε added to the root of the largest n. By default ε is 1e-7."""

amsgrad_uncorrected = amsgrad.but(
    "AMSGrad, uncorrected",
    m_hat=lambda m: m,
    n_hat=lambda n_max: n_max,
    source="Reddi, Kale and Kumar 2018",
)
"""AMSGrad without bias correction, as in the paper."""

amsgrad_largest_corrected = adam_eps_outside.but(
    "AMSGrad, largest corrected",
    n_max=lambda n_max, n, beta2, t: maximum(n_max, n / (1 - beta2**t)),
    n_hat=lambda n_max: n_max,
    source="Optax",
)
"""AMSGrad that keeps the largest *corrected* average."""

VARIANTS = {name: rule for name, rule in list(globals().items()) if isinstance(rule, Rule) and name not in CATALOGUE}
"""Every rule that is defined in this module, by its name."""
