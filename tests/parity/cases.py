"""Which call of which library is which rule of the book, and the problems on which they are compared."""

import numpy as np
from dlnotes import sigmoid
from dlnotes.datasets import breast_cancer, standardize
from dlnotes.objectives import ravine, rosenbrock
from dlnotes.optimizers import CATALOGUE
from dlnotes.variants import VARIANTS

RULES = CATALOGUE | VARIANTS
STEPS = 200

# (rule, library, call, fixed hyper-parameters, sets that do not apply).  The calls are run as they stand:
# `parameters` is what the library optimizes, Greek names are values; Optax takes a schedule as `eta`.
CALLS = [
    ("gradient_descent", "torch", "torch.optim.SGD(parameters, lr=eta)", {}, ("no memory",)),
    ("gradient_descent", "optax", "optax.sgd(eta)", {}, ("no memory",)),
    ("gradient_descent", "keras", "keras.optimizers.SGD(eta)", {}, ("no memory",)),
    ("momentum", "torch", "torch.optim.SGD(parameters, lr=eta, momentum=beta)", {}, ("decay",)),
    ("momentum", "optax", "optax.sgd(eta, momentum=beta)", {}, ("decay",)),
    ("momentum", "keras", "keras.optimizers.SGD(eta, momentum=beta)", {}, ()),
    ("momentum_rate_outside", "torch", "torch.optim.SGD(parameters, lr=eta, momentum=beta)", {}, ()),
    ("momentum_rate_outside", "optax", "optax.sgd(eta, momentum=beta)", {}, ()),
    (
        "nesterov_shifted_rate_outside",
        "torch",
        "torch.optim.SGD(parameters, lr=eta, momentum=beta, nesterov=True)",
        {},
        ("no memory",),  # refused by the library
    ),
    ("nesterov_shifted_rate_outside", "optax", "optax.sgd(eta, momentum=beta, nesterov=True)", {}, ()),
    ("nesterov_shifted", "keras", "keras.optimizers.SGD(eta, momentum=beta, nesterov=True)", {}, ()),
    (
        "adagrad",
        "torch",
        "torch.optim.Adagrad(parameters, lr=eta, initial_accumulator_value=eps, eps=0)",
        {},
        ("no memory",),
    ),
    ("adagrad", "optax", "optax.adagrad(eta, initial_accumulator_value=0, eps=eps)", {}, ("no memory",)),
    (
        "adagrad",
        "keras",
        "keras.optimizers.Adagrad(eta, initial_accumulator_value=0, epsilon=eps)",
        {},
        ("no memory",),
    ),
    ("adagrad_eps_outside", "torch", "torch.optim.Adagrad(parameters, lr=eta, eps=eps)", {}, ("no memory",)),
    ("rmsprop", "torch", "torch.optim.RMSprop(parameters, lr=eta, alpha=beta, eps=0)", {"eps": 0.0}, ()),
    ("rmsprop", "optax", "optax.rmsprop(eta, decay=beta, eps=eps)", {}, ()),
    ("rmsprop", "keras", "keras.optimizers.RMSprop(eta, rho=beta, epsilon=eps)", {}, ()),
    ("rmsprop_eps_outside", "torch", "torch.optim.RMSprop(parameters, lr=eta, alpha=beta, eps=eps)", {}, ()),
    ("rmsprop_eps_outside", "optax", "optax.rmsprop(eta, decay=beta, eps=eps, eps_in_sqrt=False)", {}, ()),
    ("adadelta", "torch", "torch.optim.Adadelta(parameters, lr=1, rho=beta, eps=eps)", {}, ()),
    ("adadelta", "optax", "optax.adadelta(1.0, rho=beta, eps=eps)", {}, ()),
    ("adadelta", "keras", "keras.optimizers.Adadelta(1.0, rho=beta, epsilon=eps)", {}, ()),
    ("adam", "torch", "torch.optim.Adam(parameters, lr=eta, betas=(beta1, beta2), eps=0)", {"eps": 0.0}, ()),
    ("adam", "optax", "optax.adam(eta, beta1, beta2, eps=0, eps_root=eps)", {}, ()),
    ("adam", "keras", "keras.optimizers.Adam(eta, beta1, beta2, epsilon=0)", {"eps": 0.0}, ()),
    ("adam_eps_outside", "torch", "torch.optim.Adam(parameters, lr=eta, betas=(beta1, beta2), eps=eps)", {}, ()),
    ("adam_eps_outside", "optax", "optax.adam(eta, beta1, beta2, eps=eps)", {}, ()),
    ("adam_eps_hat", "keras", "keras.optimizers.Adam(eta, beta1, beta2, epsilon=eps)", {}, ()),
    (
        "adamw",
        "torch",
        "torch.optim.AdamW(parameters, lr=eta, betas=(beta1, beta2), eps=0, weight_decay=lam)",
        {"eps": 0.0},
        (),
    ),
    ("adamw", "optax", "optax.adamw(eta, beta1, beta2, eps=0, eps_root=eps, weight_decay=lam)", {}, ()),
    (
        "adamw",
        "keras",
        "keras.optimizers.AdamW(eta, lam, beta1, beta2, epsilon=0)",
        {"eps": 0.0},
        (),
    ),
    (
        "adamw_eps_outside",
        "torch",
        "torch.optim.AdamW(parameters, lr=eta, betas=(beta1, beta2), eps=eps, weight_decay=lam)",
        {},
        (),
    ),
    ("adamw_eps_outside", "optax", "optax.adamw(eta, beta1, beta2, eps=eps, weight_decay=lam)", {}, ()),
    ("adamw_eps_hat", "keras", "keras.optimizers.AdamW(eta, lam, beta1, beta2, epsilon=eps)", {}, ()),
    ("nadam", "optax", "optax.nadam(eta, beta1, beta2, eps=0, eps_root=eps)", {}, ()),
    ("nadam_eps_outside", "optax", "optax.nadam(eta, beta1, beta2, eps=eps)", {}, ()),
    (
        "nadam_eps_outside",
        "torch",
        "torch.optim.NAdam(parameters, lr=eta, betas=(beta1, beta2), eps=eps, momentum_decay=1e9)",
        {},
        (),
    ),
    ("nadam_schedule", "torch", "torch.optim.NAdam(parameters, lr=eta, betas=(beta1, beta2), eps=eps)", {}, ()),
    ("nadam_fast_schedule", "keras", "keras.optimizers.Nadam(eta, beta1, beta2, epsilon=eps)", {}, ()),
    (
        "nadam_fast_schedule",
        "torch",
        "torch.optim.NAdam(parameters, lr=eta, betas=(beta1, beta2), eps=eps, momentum_decay=1)",
        {},
        (),
    ),
    (
        "amsgrad",
        "torch",
        "torch.optim.Adam(parameters, lr=eta, betas=(beta1, beta2), eps=0, amsgrad=True)",
        {"eps": 0.0},
        (),
    ),
    ("amsgrad", "keras", "keras.optimizers.Adam(eta, beta1, beta2, epsilon=0, amsgrad=True)", {"eps": 0.0}, ()),
    (
        "amsgrad_eps_outside",
        "torch",
        "torch.optim.Adam(parameters, lr=eta, betas=(beta1, beta2), eps=eps, amsgrad=True)",
        {},
        (),
    ),
    ("amsgrad_eps_hat", "keras", "keras.optimizers.Adam(eta, beta1, beta2, epsilon=eps, amsgrad=True)", {}, ()),
    ("amsgrad_largest_corrected", "optax", "optax.amsgrad(eta, beta1, beta2, eps=eps)", {}, ()),
]

# Mistakes: (library, call, gradient of two parameters). This book's functions refuse all of them but
# the missing rate of Adadelta, which here has none.
_FINE = (1.0, -1.0)
MISTAKES = [
    ("torch", "torch.optim.Adam(parameters, lr=-0.1)", _FINE),
    ("torch", "torch.optim.Adam(parameters, betas=(1.0, 0.999))", _FINE),
    ("torch", "torch.optim.RMSprop(parameters, alpha=1.5)", _FINE),
    ("torch", "torch.optim.Adam(parameters)", (float("nan"), 1.0)),
    ("optax", "optax.adam(-0.1)", _FINE),
    ("optax", "optax.adam(0.1, b1=1.5)", _FINE),
    ("optax", "optax.adam(0.1, eps=-1e-8)", _FINE),
    ("optax", "optax.adam(0.1)", (float("nan"), 1.0)),
    ("optax", "optax.adadelta()", _FINE),
    ("keras", "keras.optimizers.Adam(-0.1)", _FINE),
    ("keras", "keras.optimizers.Adam(beta_1=1.5)", _FINE),
    ("keras", "keras.optimizers.Adam(epsilon=-1e-8)", _FINE),
    ("keras", "keras.optimizers.Adam()", (float("nan"), 1.0)),
]


def _logistic():
    """Logistic regression on two measures of the tumours, with a bias: the mean gradient over every sixth patient."""
    data = breast_cancer()
    (features,), labels = standardize(data.features[::6, :2]), data.labels[::6]
    features = np.column_stack([features, np.ones(len(features))])

    def gradient(theta):  # sums, not matrix products: the same bits for one point and for many
        logits = (theta[..., np.newaxis, :] * features).sum(axis=-1)
        return ((sigmoid(logits) - labels)[..., np.newaxis] * features).mean(axis=-2)

    return gradient


PROBLEMS = {
    "ravine": (ravine.gradient, (-10.0, 1.0)),
    "Rosenbrock": (rosenbrock.gradient, (-1.2, 1.0)),
    "tumours": (_logistic(), (0.3, -0.2, 0.1)),
}
SETS = ("default", "large rate", "no memory", "decay")
_PLAIN_RATES = {"ravine": (0.01, 0.04), "Rosenbrock": (2e-4, 0.02), "tumours": (0.5, 8.0)}


def hyperparameters(rule, problem, name):
    """Return the numbers of one set for one rule; in the set "decay" `eta` is divided by √t (see `schedule`)."""
    values = dict(beta=0.9, gamma=0.9, beta1=0.9, beta2=0.999, eps=1e-8, lam=0.01)
    values["eta"] = {"default": 0.01, "large rate": 0.2}.get(name, 0.01)
    if "eps" not in RULES[rule].hyper:
        values["eta"] = _PLAIN_RATES[problem][name == "large rate"]
    if rule == "adadelta":  # ε takes the part of the rate
        values["eps"] = {"large rate": 1e-2, "decay": 1e-4}.get(name, 1e-6)
    if name == "no memory":
        values.update(beta=0.0, gamma=0.0, beta1=0.0)
    if name == "decay":
        values.update(beta=0.5, gamma=0.5, beta1=0.5, beta2=0.9, lam=0.1)
    return {h: values[h] for h in RULES[rule].hyper}


def schedule(eta, name):
    """Return the rate as a function of the step number t = 1, 2, …"""
    return (lambda t: eta / t**0.5) if name == "decay" else (lambda t: eta)


def cases():
    """Yield (key, rule, library, call, problem, set, hyper-parameters) of everything that is compared."""
    for rule, library, call, fixed, without in CALLS:
        for problem in PROBLEMS:
            for name in SETS:
                if name not in without:
                    hyper = hyperparameters(rule, problem, name) | fixed
                    yield f"{rule}|{library}|{problem}|{name}", rule, library, call, problem, name, hyper
