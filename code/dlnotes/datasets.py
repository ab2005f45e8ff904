"""Small real data sets that come with the package. ``data/README.md`` has their origin and licence."""

import gzip
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from dlnotes import checks


@dataclass(frozen=True)
class Dataset:
    """Features and labels of one data set.

    Attributes
    ----------
    features : numpy.ndarray of float, shape (N, d)
        One example a row.
    labels : numpy.ndarray of int, shape (N,)
        The class of each example, from 0.
    feature_names : tuple of str
        A name for each column.
    label_names : tuple of str
        A name for each class.
    """

    features: np.ndarray
    labels: np.ndarray
    feature_names: tuple
    label_names: tuple


def _rows(name, skip=0):
    with gzip.open(files("dlnotes") / "data" / name, "rt", encoding="utf-8") as file:
        header = [file.readline().strip().split(",") for _ in range(skip)]
        return header, np.loadtxt(file, delimiter=",")


def breast_cancer():
    """Return the Breast Cancer Wisconsin (Diagnostic) data: is a tumour malignant?

    Ten measures of the cell nuclei in a fine needle aspirate, each as mean, standard error and worst
    value over the nuclei. Lengths are in units of the digitised image, which its origin does not calibrate.

    Returns
    -------
    Dataset
        569 examples, 30 features; label 1 is malignant (212 examples), 0 benign (357).

    Notes
    -----
    Street, Wolberg and Mangasarian 1993. UCI Machine Learning Repository, doi 10.24432/C5DW2B, CC BY 4.0.
    """
    (names,), rows = _rows("breast_cancer.csv.gz", skip=1)
    return Dataset(rows[:, :-1], rows[:, -1].astype(int), tuple(names[:-1]), ("benign", "malignant"))


def digits():
    """Return images of handwritten digits, 8 by 8 pixels.

    Returns
    -------
    Dataset
        1,797 examples of 64 pixels, row by row from the top left corner, each the ink in a block of
        16 dots (0 to 16); the label is the digit.

    Notes
    -----
    Alpaydin and Kaynak 1998, the writer-independent test set. UCI Machine Learning Repository,
    doi 10.24432/C50P49, CC BY 4.0.
    """
    _, rows = _rows("digits.csv.gz")
    names = tuple(f"pixel ({i // 8}, {i % 8})" for i in range(64))
    return Dataset(rows[:, :-1], rows[:, -1].astype(int), names, tuple("0123456789"))


@dataclass(frozen=True)
class Series:
    """Values that were observed one after the other.

    Attributes
    ----------
    times : numpy.ndarray of float, shape (n,)
        In years, increasing: 1959.0 is the beginning of 1959.
    values : numpy.ndarray of float, shape (n,)
        What was observed.
    unit : str
        Unit of the values.
    """

    times: np.ndarray
    values: np.ndarray
    unit: str


def carbon_dioxide():
    """Return the carbon dioxide in the air at Mauna Loa, Hawaii, month by month from March 1958 to December 2001.

    Returns
    -------
    Series
        521 monthly means of weekly averages, in parts per million; each time is the middle of its month.
        Months without a measurement are left out.

    Notes
    -----
    Keeling and Whorf 2004. Public domain.
    """
    _, (year, month, _, level) = _columns("carbon_dioxide.csv.gz")
    return Series(year + (month - 0.5) / 12, level, "ppm")


def us_economy():
    """Return three series of the economy of the United States, quarter by quarter from 1959 to the third of 2009.

    Returns
    -------
    dict of str to Series
        203 quarters each, at the ends of the quarters: ``"real_gdp"`` (gross domestic product, seasonally adjusted
        annual rate), ``"consumer_prices"`` (index, 1982-84 = 100) and ``"unemployment"`` (rate).

    Notes
    -----
    Federal Reserve Bank of St. Louis; Bureau of Labor Statistics. Public domain.
    """
    names, (year, quarter, *columns) = _columns("us_economy.csv.gz")
    units = ("billion dollars of 2005 a year", "1982-84 = 100", "%")
    times = year + quarter / 4
    return {n: Series(times, c, unit) for n, c, unit in zip(names[2:], columns, units, strict=True)}


def _columns(name):
    (names,), rows = _rows(name, skip=1)
    return names, rows.T


BACKGROUND, OVERLAP = 10, -1
"""Labels of the pixels of `digit_scenes` that show no digit, and of those that show more than one."""


def digit_scenes(features, labels, count, *, rng, size=24, digits=5, noise=2.0, ink=4.0):
    """Place images of digits at random in larger pictures, and say for each pixel which digit it shows.

    Where digits meet, the picture has the darker of their inks. Normal noise is added last.

    Parameters
    ----------
    features : array_like of shape (N, 64)
        Images of `digits`, from which each scene draws with replacement.
    labels : array_like of int, shape (N,)
        Their digits.
    count : int
        Number of scenes.
    rng : numpy.random.Generator
        Source of randomness.
    size : int, optional
        Height and width of a scene, in pixels; at least 8.
    digits : int, optional
        Digits in a scene, at least 1.
    noise : float, optional
        Standard deviation of the noise, in units of ink (0 to 16).
    ink : float, optional
        From how much ink on a pixel belongs to a digit.

    Returns
    -------
    images : numpy.ndarray of float, shape (count, size, size)
        Ink and noise.
    masks : numpy.ndarray of int, shape (count, size, size)
        The digit of each pixel, `BACKGROUND`, or `OVERLAP` where two or more digits have ink.

    Raises
    ------
    TypeError
        If `rng` is not a generator, a label is no whole number, or an argument does not hold real numbers.
    ValueError
        If shapes do not fit, a label is not a digit, or a number is out of range.
    """
    features = checks.real_array("features", features, dimensions=2)
    checks.real_array("features", features, shape=(len(features), 64))
    checks.real_array("labels", labels, shape=(len(features),))
    one_hot(labels, 10)  # refuses what is not a digit
    count, digits = checks.whole_number("count", count, low=1), checks.whole_number("digits", digits, low=1)
    size = checks.whole_number("size", size, low=8)
    checks.real_number("noise", noise, low=0)
    checks.real_number("ink", ink, low=0, include_low=False)
    checks.generator("rng", rng)
    images, masks = np.zeros((count, size, size)), np.full((count, size, size), BACKGROUND)
    for image, mask in zip(images, masks, strict=True):
        for chosen in rng.integers(len(features), size=digits):
            row, column = rng.integers(size - 7, size=2)
            window = np.s_[row : row + 8, column : column + 8]
            digit = features[chosen].reshape(8, 8)
            image[window] = np.maximum(image[window], digit)
            inked = digit >= ink
            mask[window] = np.where(inked, np.where(mask[window] == BACKGROUND, labels[chosen], OVERLAP), mask[window])
    return images + noise * rng.normal(size=images.shape), masks


def train_test_split(features, labels, *, rng, test_fraction=0.2):
    """Split a data set at random into a part to learn from and a part held out.

    Parameters
    ----------
    features : array_like of shape (N, d)
        One example a row.
    labels : array_like of shape (N,) or (N, k)
        What belongs to each row.
    rng : numpy.random.Generator
        Source of randomness.
    test_fraction : float, optional
        Share of the examples to hold out, in (0, 1); at least one example lands on each side.

    Returns
    -------
    train_features, test_features, train_labels, test_labels : numpy.ndarray

    Raises
    ------
    TypeError
        If `rng` is not a generator or an argument does not hold real numbers.
    ValueError
        If the lengths differ, there are fewer than two examples, or `test_fraction` is out of range.
    """
    checks.real_array("features", features, dimensions=2)
    checks.real_array("labels", labels, dimensions=(1, 2))
    features, labels = np.asarray(features), np.asarray(labels)
    if len(features) != len(labels) or len(features) < 2:
        raise ValueError(
            f"features and labels must have the same length, at least 2, got {len(features)} and {len(labels)}"
        )
    checks.real_number("test_fraction", test_fraction, low=0, high=1, include_low=False, include_high=False)
    order = checks.generator("rng", rng).permutation(len(features))
    held_out = min(max(round(test_fraction * len(features)), 1), len(features) - 1)
    test, train = order[:held_out], order[held_out:]
    return features[train], features[test], labels[train], labels[test]


def standardize(train, *others):
    """Shift and scale each column to mean 0 and standard deviation 1 *on the training part*.

    Parameters
    ----------
    train : array_like of shape (N, d)
        Where mean and standard deviation are measured.
    *others : array_like of shape (M, d)
        Held-out parts, transformed with the same numbers.

    Returns
    -------
    list of numpy.ndarray
        The transformed parts, `train` first. A column that is constant in `train` is only shifted.

    Raises
    ------
    TypeError
        If a part does not hold real numbers.
    ValueError
        If a part is empty, not finite, or has another number of columns, or if a column of `train` is so
        large that its standard deviation overflows.
    """
    train = checks.real_array("train", train, dimensions=2)
    parts = [train]
    for i, other in enumerate(others):
        part = checks.real_array(f"others[{i}]", other, dimensions=2)
        parts.append(checks.real_array(f"others[{i}]", part, shape=(len(part), train.shape[1])))
    with np.errstate(over="ignore"):
        mean, deviation = train.mean(axis=0), train.std(axis=0)
    if not np.isfinite(deviation).all():
        raise ValueError(f"train must have finite standard deviations, got {deviation[~np.isfinite(deviation)][0]}")
    constant = train.max(axis=0) == train.min(axis=0)  # rounding may leave it a tiny deviation
    mean, deviation = np.where(constant, train[0], mean), np.where(constant, 1, deviation)
    return [(part - mean) / deviation for part in parts]


def one_hot(labels, classes):
    """Return one row a label, with a 1 in the column of its class.

    Parameters
    ----------
    labels : array_like of int, shape (N,)
        Classes from 0 to ``classes - 1``.
    classes : int
        Number of classes.

    Returns
    -------
    numpy.ndarray of float, shape (N, classes)

    Raises
    ------
    TypeError
        If a label is not a whole number.
    ValueError
        If there are none, or one is out of range.
    """
    classes = checks.whole_number("classes", classes, low=1)
    labels = np.asarray(labels)
    checks.real_array("labels", labels, dimensions=1)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers, got dtype {labels.dtype}")
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        raise ValueError(f"labels must be between 0 and {classes - 1}, got {labels[outside][0]}")
    return np.eye(classes)[labels]
