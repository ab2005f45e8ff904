"""The shipped data, and the functions that prepare it."""

import numpy as np
import pytest
from dlnotes import datasets

# Sums over the files of the UCI repository, as scikit-learn ships them.
BREAST_CANCER_SUMS = [8038.429000000006, 47.765169999999976, 1056474.4596356002]
BREAST_CANCER_LABELS = 47392
DIGITS_SUMS = [561718.0, 15815633691.0]
DIGITS_LABELS = 7264791


def test_breast_cancer_is_the_known_set():
    data = datasets.breast_cancer()
    assert data.features.shape == (569, 30) and np.bincount(data.labels).tolist() == [357, 212]
    assert data.label_names == ("benign", "malignant") and data.feature_names[0] == "mean radius"
    assert len(set(data.feature_names)) == 30 and data.feature_names[-1] == "worst fractal dimension"
    assert data.features[0, :4].tolist() == [17.99, 10.38, 122.8, 1001.0] and data.labels[0] == 1
    sums = data.features.sum(axis=0)  # a changed number anywhere shows in its column's sum
    np.testing.assert_allclose([sums[0], sums[29], sums.sum()], BREAST_CANCER_SUMS, rtol=1e-12)
    assert data.labels @ np.arange(569) == BREAST_CANCER_LABELS
    assert data.features[data.labels == 1, 0].mean() > data.features[data.labels == 0, 0].mean()


def test_digits_are_the_known_set():
    data = datasets.digits()
    assert data.features.shape == (1797, 64) and data.features.min() == 0 and data.features.max() == 16
    assert np.bincount(data.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert data.labels[:10].tolist() == list(range(10)) and data.feature_names[9] == "pixel (1, 1)"
    assert [data.features.sum(), data.features @ np.arange(64) @ np.arange(1797)] == DIGITS_SUMS
    assert data.labels @ np.arange(1797) == DIGITS_LABELS
    zero = data.features[0].reshape(8, 8)
    assert zero[3:5, 3:5].sum() < 10 < zero[3, 1:3].sum()  # a ring: no ink in the middle


def test_a_split_keeps_every_example_once_and_rows_with_labels():
    features = np.arange(20.0).reshape(10, 2)
    parts = datasets.train_test_split(features, np.arange(10), rng=np.random.default_rng(0), test_fraction=0.3)
    train, test, train_labels, test_labels = parts
    assert train.shape == (7, 2) and test.shape == (3, 2)
    assert sorted([*train_labels, *test_labels]) == list(range(10))
    np.testing.assert_array_equal(train[:, 0], 2 * train_labels)
    np.testing.assert_array_equal(test[:, 0], 2 * test_labels)
    assert list(test_labels) != [7, 8, 9]


@pytest.mark.parametrize(("fraction", "held_out"), [(0.01, 1), (0.99, 9), (0.5, 5), (0.29, 3)])
def test_each_side_of_a_split_has_an_example(fraction, held_out):
    split = datasets.train_test_split(
        np.zeros((10, 1)), np.zeros(10), rng=np.random.default_rng(0), test_fraction=fraction
    )
    assert [len(part) for part in split] == [10 - held_out, held_out, 10 - held_out, held_out]


def test_standardize_measures_on_the_training_part_alone():
    rng = np.random.default_rng(0)
    train, test = rng.normal(5, 3, size=(50, 2)), rng.normal(5, 3, size=(20, 2))
    new_train, new_test = datasets.standardize(train, test)
    np.testing.assert_allclose(new_train.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(new_train.std(axis=0), 1)
    np.testing.assert_allclose(new_test, (test - train.mean(axis=0)) / train.std(axis=0))


def test_a_constant_column_is_only_shifted():
    train, test = datasets.standardize(np.full((3, 1), 4.0), np.full((2, 1), 6.0))
    assert train.tolist() == [[0.0]] * 3 and test.tolist() == [[2.0]] * 2
    train, test = datasets.standardize(np.full((3, 1), 0.1), [[0.2]])  # 0.1 is not exact in binary
    assert train.tolist() == [[0.0]] * 3 and test.tolist() == [[0.1]]


def test_a_column_of_tiny_spread_is_scaled():
    (scaled,) = datasets.standardize([[1e-9], [3e-9]])
    np.testing.assert_allclose(scaled, [[-1.0], [1.0]])


def test_one_hot_marks_the_class():
    assert datasets.one_hot([2, 0], 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_carbon_dioxide_is_the_known_series():
    air = datasets.carbon_dioxide()
    assert air.times.shape == air.values.shape == (521,) and air.unit == "ppm"
    assert (np.diff(air.times) > 0).all() and air.times[0] == pytest.approx(1958 + 2.5 / 12)
    assert air.values[0] == 316.1 and air.values[-1] == pytest.approx(371.02, abs=0.01)
    assert air.times[-1] == pytest.approx(2001 + 11.5 / 12)


def test_us_economy_is_the_known_series():
    economy = datasets.us_economy()
    assert list(economy) == ["real_gdp", "consumer_prices", "unemployment"]
    for series in economy.values():
        assert series.times.shape == series.values.shape == (203,)
        assert series.times[0] == 1959.25 and series.times[-1] == 2009.75
    assert economy["real_gdp"].values[[0, -1]].tolist() == [2710.349, 12990.341]
    assert economy["consumer_prices"].values[0] == 28.98 and economy["unemployment"].values[0] == 5.8


def test_scenes_show_digits_and_say_where():
    square, bar = np.zeros((8, 8)), np.zeros((8, 8))
    square[2:6, 2:6], bar[:, 3] = 16, 9
    bar[:, 4] = 3  # too faint to belong to the digit
    features = np.stack([square.ravel(), bar.ravel()])
    images, masks = datasets.digit_scenes(features, [7, 1], 40, rng=np.random.default_rng(0), size=12, noise=0)
    assert images.shape == masks.shape == (40, 12, 12) and masks.dtype.kind == "i"
    assert set(np.unique(masks)) == {datasets.OVERLAP, 1, 7, datasets.BACKGROUND}
    assert set(images[masks == 7]) == {16.0} and set(images[masks == 1]) == {9.0}
    assert images[masks == datasets.BACKGROUND].max() == 3 and images[masks == datasets.OVERLAP].min() >= 9
    (alone,), (mask,) = datasets.digit_scenes(features[:1], [7], 1, rng=np.random.default_rng(1), digits=1, noise=0)
    assert (mask == 7).sum() == 16 and (alone == 16).sum() == 16 and alone.shape == (24, 24)
    noisy, same = datasets.digit_scenes(features[:1], [7], 50, rng=np.random.default_rng(1), digits=1, noise=2)
    assert np.std(noisy[same == datasets.BACKGROUND]) == pytest.approx(2, rel=0.02)
    (again,), _ = datasets.digit_scenes(features[:1], [7], 1, rng=np.random.default_rng(1), digits=1, noise=0)
    np.testing.assert_array_equal(again, alone)


def test_many_digits_in_one_place_stay_an_overlap():
    features = np.full((1, 64), 8.0)
    _, masks = datasets.digit_scenes(features, [3], 2, rng=np.random.default_rng(0), size=8, digits=3)
    assert (masks == datasets.OVERLAP).all()


rng = np.random.default_rng(0)
x = np.zeros((4, 2))


def scenes(features=np.zeros((4, 64)), labels=(1, 2, 3, 4), count=1, **options):
    return datasets.digit_scenes(features, labels, count, **({"rng": rng} | options))


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "the same length, at least 2, got 4 and 3",
         lambda: datasets.train_test_split(x, np.zeros(3), rng=rng)),
        (ValueError, "the same length, at least 2, got 1 and 1",
         lambda: datasets.train_test_split(x[:1], np.zeros(1), rng=rng)),
        (ValueError, r"test_fraction must be in \(0, 1\), got 1",
         lambda: datasets.train_test_split(x, np.zeros(4), rng=rng, test_fraction=1)),
        (ValueError, r"test_fraction must be in \(0, 1\), got 0.0",
         lambda: datasets.train_test_split(x, np.zeros(4), rng=rng, test_fraction=0.0)),
        (ValueError, "features must have 2 axes, got shape", lambda: datasets.train_test_split(x[0], x[0], rng=rng)),
        (TypeError, "rng must be", lambda: datasets.train_test_split(x, np.zeros(4), rng=None)),
        (ValueError, r"others\[0\] must have shape \(4, 2\), got \(4, 1\)", lambda: datasets.standardize(x, x[:, :1])),
        (ValueError, "train must not be empty", lambda: datasets.standardize(x[:0])),
        (ValueError, "train must be finite, got nan", lambda: datasets.standardize(x + np.nan)),
        (ValueError, "train must have finite standard deviations, got inf",
         lambda: datasets.standardize([[1e200], [-1e200]])),
        (ValueError, "labels must be between 0 and 2, got 3", lambda: datasets.one_hot([0, 3], 3)),
        (ValueError, "labels must be between 0 and 2, got -1", lambda: datasets.one_hot([-1], 3)),
        (TypeError, "labels must be whole numbers", lambda: datasets.one_hot([0.5], 3)),
        (ValueError, "classes must be at least 1, got 0", lambda: datasets.one_hot([0], 0)),
        (ValueError, r"features must have shape \(4, 64\), got \(4, 2\)", lambda: scenes(features=x)),
        (ValueError, r"labels must have shape \(4,\), got \(3,\)", lambda: scenes(labels=[1, 2, 3])),
        (ValueError, "labels must be between 0 and 9, got 10", lambda: scenes(labels=[1, 2, 3, 10])),
        (ValueError, "count must be at least 1, got 0", lambda: scenes(count=0)),
        (ValueError, "digits must be at least 1, got 0", lambda: scenes(digits=0)),
        (ValueError, "size must be at least 8, got 7", lambda: scenes(size=7)),
        (ValueError, r"noise must be in \[0, inf\), got -1", lambda: scenes(noise=-1)),
        (ValueError, r"ink must be in \(0, inf\), got 0", lambda: scenes(ink=0)),
        (TypeError, "rng must be", lambda: scenes(rng=None)),
    ],
)  # fmt: skip
def test_bad_input_is_refused(error, message, call):
    with pytest.raises(error, match=message):
        call()
