"""Augmentation: seeded, each image its own way, and what stays as it is."""

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor
from nn import data

RNG = np.random.default_rng(0)
IMAGES = RNG.random((6, 3, 9, 9)).astype(np.float32)
ALL = {
    "flip": lambda g=None: data.RandomHorizontalFlip(generator=g),
    "upside": lambda g=None: data.RandomVerticalFlip(generator=g),
    "crop": lambda g=None: data.RandomCrop(9, padding=2, generator=g),
    "turn": lambda g=None: data.RandomRotation(20, generator=g),
    "affine": lambda g=None: data.RandomAffine(10, 0.2, (0.8, 1.2), 5, generator=g),
    "shift": lambda g=None: data.RandomShift(2, generator=g),
    "noise": lambda g=None: data.GaussianNoise(0.1, generator=g),
    "cutout": lambda g=None: data.Cutout(4, generator=g),
}


@pytest.mark.parametrize("name", ALL)
def test_seeded_and_of_the_same_kind(name):
    make = ALL[name]
    first, second = make(7)(IMAGES), make(7)(IMAGES)
    assert np.array_equal(first, second) and first.dtype == np.float32 and first.shape == IMAGES.shape
    assert not np.array_equal(make(8)(IMAGES), first)
    autograd.manual_seed(1)
    drawn = make()(IMAGES)
    autograd.manual_seed(1)
    assert np.array_equal(make()(IMAGES), drawn)
    assert isinstance(make(7)(Tensor(IMAGES)), Tensor) and np.array_equal(make(7)(Tensor(IMAGES)).numpy(), first)
    assert make()(IMAGES[0]).shape == (3, 9, 9) and make()(IMAGES[0, 0]).shape == (9, 9)
    alike = make(3)(np.repeat(IMAGES[:1], 20, 0))
    assert len({image.tobytes() for image in alike}) > 1          # each image its own way
    with pytest.raises(ValueError, match="expected an image"):
        make()(np.zeros(5))


def test_flips():
    assert np.array_equal(data.RandomHorizontalFlip(1.0)(IMAGES), IMAGES[..., ::-1])
    assert np.array_equal(data.RandomVerticalFlip(1.0)(IMAGES), IMAGES[:, :, ::-1])
    assert np.array_equal(data.RandomHorizontalFlip(0.0)(IMAGES), IMAGES)
    many = data.RandomHorizontalFlip(0.3, generator=0)(np.tile(np.arange(2.0), (2000, 1, 1, 1)))
    assert abs(many[:, 0, 0, 0].mean() - 0.3) < 0.03
    with pytest.raises(ValueError, match=r"p to lie in \[0, 1\]; got 2"):
        data.RandomHorizontalFlip(2)


def test_crops_and_shifts_are_pieces_of_the_image():
    place = np.arange(81.0).reshape(1, 1, 9, 9)
    seen = set()
    for piece in data.RandomCrop(7, generator=0)(np.repeat(place, 200, 0)):
        top, left = divmod(int(piece[0, 0, 0]), 9)
        assert np.array_equal(piece[0], place[0, 0, top:top + 7, left:left + 7])
        seen.add((top, left))
    assert len(seen) == 9
    shifted = data.RandomShift((1, 0), fill=-1, generator=0)(np.repeat(place, 50, 0))
    assert {float(image[0, 4, 4]) for image in shifted} == {31, 40, 49} and (shifted == -1).any()
    with pytest.raises(ValueError, match="at least 12 x 12; got 9 x 9 with padding 1"):
        data.RandomCrop(12, padding=1)(IMAGES)


def test_turning_by_what_is_nothing_or_a_quarter():
    assert np.allclose(data.RandomAffine()(IMAGES), IMAGES, atol=1e-5)
    from nn.data.augmentation import sampled
    y, x = np.mgrid[0:9, 0:9].astype(float)
    quarter = sampled(IMAGES[:1].astype(float), x[None], 8 - y[None], 0.0)
    assert np.allclose(quarter[0], np.rot90(IMAGES[0], 1, (1, 2)), atol=1e-5)
    flat = data.RandomRotation(45, fill=0.5, generator=0)(np.full((3, 1, 8, 8), 0.5))
    assert np.allclose(flat, 0.5)


def test_noise_cutout_and_mixup():
    assert abs((data.GaussianNoise(0.2, generator=0)(np.zeros((50, 1, 20, 20)))).std() - 0.2) < 0.01
    holes = data.Cutout(4, generator=0)(np.ones((300, 1, 12, 12)))
    sizes = (holes == 0).sum((1, 2, 3))
    assert sizes.max() == 16 and sizes.min() >= 4
    x, y = data.MixUp(0.4, classes=3, generator=0).both(IMAGES, np.array([0, 1, 2, 0, 1, 2]))
    assert y.shape == (6, 3) and np.allclose(y.sum(1), 1) and x.shape == IMAGES.shape and x.dtype == np.float32
    again, _ = data.MixUp(0.4, classes=3, generator=0).both(IMAGES, np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]])
    assert np.array_equal(again, x)
    with pytest.raises(ValueError, match="classes=10"):
        data.MixUp().both(IMAGES, np.zeros(6, int))


def test_a_model_learns_from_augmented_batches():
    table = data.digits()
    loader = data.DataLoader(data.TensorDataset(table.x[:400], table.y[:400]), 50, shuffle=True)
    steps = data.Augmented(loader, [data.RandomShift(1), data.MixUp(0.2, classes=10)])
    assert len(steps) == 8
    autograd.manual_seed(0)
    model = nn.Model(nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)))
    model.compile("adam", "cross_entropy")
    history = model.fit(steps, epochs=3, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
