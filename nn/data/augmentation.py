"""Seeded augmentation: random changes of images that leave their meaning as it is.

Every transform takes one image (H, W) or (C, H, W), or a batch (N, C, H, W) of which each image is changed in its own
way, as an array or Tensor, and gives the same kind back.  It draws from its `generator` (a NumPy Generator or a seed),
or else from `autograd.default_rng()`.

    augment = Compose([RandomHorizontalFlip(), RandomCrop(32, padding=4), Cutout(8)])
    model.fit(Augmented(DataLoader(train, batch_size=64, shuffle=True), augment))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.tensor import wrap

from .dataset import rng_of

Array = np.ndarray[Any, Any]


class Transform:
    """A random change of a batch: subclasses define `batch(images (N, C, H, W), rng) -> images`."""

    def __init__(self, generator: Any = None) -> None:
        self.generator = None if generator is None else rng_of(generator)

    def __call__(self, images: Any) -> Any:
        array = images.value if isinstance(images, Tensor) else np.asarray(images)
        if not 2 <= array.ndim <= 4:
            raise ValueError(f"{type(self).__name__}: expected an image (H, W) or (C, H, W), or a batch (N, C, H, W); "
                             f"got shape {array.shape}")
        lead = (1,) * (4 - array.ndim)
        done = self.batch(array.reshape(lead + array.shape), rng_of(self.generator))
        done = done.reshape(done.shape[len(lead):]).astype(array.dtype, copy=False)
        return wrap(done) if isinstance(images, Tensor) else done

    def batch(self, images: Array, rng: np.random.Generator) -> Array:
        raise NotImplementedError(f"{type(self).__name__} does not define batch(images, rng)")


class Compose(Transform):
    """Several transforms, one after another."""

    def __init__(self, transforms: Iterable[Callable[[Any], Any]]) -> None:
        super().__init__()
        self.transforms = list(transforms)

    def __call__(self, images: Any) -> Any:
        for transform in self.transforms:
            images = transform(images)
        return images


class RandomHorizontalFlip(Transform):
    """Left and right change places, with probability p."""

    axis = 3

    def __init__(self, p: float = 0.5, generator: Any = None) -> None:
        super().__init__(generator)
        self.p = fraction(type(self).__name__, "p", p)

    def batch(self, images: Array, rng: np.random.Generator) -> Array:
        flipped = rng.random(len(images)) < self.p
        return np.where(flipped[:, None, None, None], np.flip(images, self.axis), images)


class RandomVerticalFlip(RandomHorizontalFlip):
    """Top and bottom change places, with probability p."""

    axis = 2


class RandomCrop(Transform):
    """A piece of `size` (or (height, width)), from anywhere in the image after `padding` was added around it."""

    def __init__(self, size: Any, padding: int = 0, fill: float = 0.0, generator: Any = None) -> None:
        super().__init__(generator)
        self.size = (size, size) if isinstance(size, int) else tuple(size)
        self.padding, self.fill = padding, fill

    def batch(self, images: Array, rng: np.random.Generator) -> Array:
        p, (h, w) = self.padding, self.size
        room = np.pad(images, ((0, 0), (0, 0), (p, p), (p, p)), constant_values=self.fill)
        down, right = room.shape[2] - h, room.shape[3] - w
        if down < 0 or right < 0:
            raise ValueError(f"RandomCrop: expected images of at least {h} x {w}; got {images.shape[2]} x "
                             f"{images.shape[3]} with padding {p}")
        return cut(room, rng.integers(down + 1, size=len(room)), rng.integers(right + 1, size=len(room)), h, w)


class RandomAffine(Transform):
    """Turned, shifted, scaled and sheared about the middle, with linear interpolation.

    degrees    turned by up to so many degrees either way
    translate  shifted by up to these fractions of (height, width); one number for both
    scale      a factor between these two
    shear      sheared by up to so many degrees
    fill       the value of what comes in from outside
    """

    def __init__(self, degrees: float = 0.0, translate: Any = 0.0, scale: tuple[float, float] = (1.0, 1.0),
                 shear: float = 0.0, fill: float = 0.0, generator: Any = None) -> None:
        super().__init__(generator)
        self.degrees, self.scale, self.shear, self.fill = degrees, scale, shear, fill
        self.translate = (translate, translate) if isinstance(translate, (int, float)) else tuple(translate)
        if not 0 < scale[0] <= scale[1]:
            raise ValueError(f"{type(self).__name__}: expected scale to be (least, most), both positive; got {scale}")

    def batch(self, images: Array, rng: np.random.Generator) -> Array:
        n, _, h, w = images.shape
        turn = np.deg2rad(rng.uniform(-self.degrees, self.degrees, n))
        lean = np.tan(np.deg2rad(rng.uniform(-self.shear, self.shear, n)))
        size = rng.uniform(*self.scale, n)
        down, right = (rng.uniform(-t, t, n) * length for t, length in zip(self.translate, (h, w), strict=True))
        cos, sin = np.cos(turn) / size, np.sin(turn) / size
        y = np.arange(h)[:, None] - (h - 1) / 2 - down[:, None, None]          # where each pixel comes from
        x = np.arange(w) - (w - 1) / 2 - right[:, None, None]
        x = x + lean[:, None, None] * y
        c, s = cos[:, None, None], sin[:, None, None]
        return sampled(images, c * y - s * x + (h - 1) / 2, s * y + c * x + (w - 1) / 2, self.fill)


class RandomRotation(RandomAffine):
    """Turned by up to `degrees` either way."""

    def __init__(self, degrees: float, fill: float = 0.0, generator: Any = None) -> None:
        super().__init__(degrees=degrees, fill=fill, generator=generator)


class RandomShift(Transform):
    """Shifted by whole pixels, up to so many down or up and right or left; what comes in is `fill`."""

    def __init__(self, pixels: Any, fill: float = 0.0, generator: Any = None) -> None:
        super().__init__(generator)
        self.pixels = (pixels, pixels) if isinstance(pixels, int) else tuple(pixels)
        self.fill = fill

    def batch(self, images: Array, rng: np.random.Generator) -> Array:
        p, q = self.pixels
        n, _, h, w = images.shape
        room = np.pad(images, ((0, 0), (0, 0), (p, p), (q, q)), constant_values=self.fill)
        return cut(room, rng.integers(2 * p + 1, size=n), rng.integers(2 * q + 1, size=n), h, w)


class GaussianNoise(Transform):
    """x + N(0, std²) for every number."""

    def __init__(self, std: float, generator: Any = None) -> None:
        super().__init__(generator)
        self.std = std

    def batch(self, images: Array, rng: np.random.Generator) -> Array:
        return images + self.std * rng.standard_normal(images.shape, np.float32)


class Cutout(Transform):
    """A square of `size` pixels set to `fill`, its middle anywhere in the image.  Source: DeVries, Taylor 2017."""

    def __init__(self, size: int, fill: float = 0.0, generator: Any = None) -> None:
        super().__init__(generator)
        self.size, self.fill = size, fill

    def batch(self, images: Array, rng: np.random.Generator) -> Array:
        n, _, h, w = images.shape
        top, left = (rng.integers(length, size=n)[:, None] - self.size // 2 for length in (h, w))
        rows, columns = np.arange(h) - top, np.arange(w) - left
        tall, wide = (rows >= 0) & (rows < self.size), (columns >= 0) & (columns < self.size)
        hole = tall[:, None, :, None] & wide[:, None, None, :]
        return np.where(hole, np.asarray(self.fill, images.dtype), images)


class MixUp:
    """Pairs of samples mixed:  x = t x_i + (1 - t) x_j,  y likewise,  t ~ Beta(alpha, alpha).

    Takes (x, y), with labels y (N,) of `classes` classes, or probabilities (N, C), and gives probabilities: for
    cross_entropy, which takes them.  Source: Zhang, Cisse, Dauphin, Lopez-Paz 2018.
    """

    def __init__(self, alpha: float = 0.2, classes: int | None = None, generator: Any = None) -> None:
        if not alpha > 0:
            raise ValueError(f"MixUp: expected alpha to be positive; got {alpha!r}")
        self.alpha, self.classes = alpha, classes
        self.generator = None if generator is None else rng_of(generator)

    def both(self, x: Any, y: Any) -> tuple[Any, Any]:
        rng, n = rng_of(self.generator), len(x)
        a, labels = (np.asarray(v.value if isinstance(v, Tensor) else v) for v in (x, y))
        if labels.ndim == 1 and self.classes is None:
            raise ValueError("MixUp: expected probabilities (N, C), or labels (N,) and classes=C; got labels alone: "
                             "MixUp(0.2, classes=10)")
        p = np.eye(self.classes or 0, dtype=a.dtype)[labels] if labels.ndim == 1 else labels
        t = rng.beta(self.alpha, self.alpha, n).astype(a.dtype)
        other = rng.permutation(n)
        mixed = tuple(v * (k := t.reshape((n,) + (1,) * (v.ndim - 1))) + v[other] * (1 - k) for v in (a, p))
        return (wrap(mixed[0]), wrap(mixed[1])) if isinstance(x, Tensor) else (mixed[0], mixed[1])


class Augmented:
    """The batches of a loader, changed at random as they are made: (transform(x), y), or both by a `MixUp`."""

    def __init__(self, loader: Any, transforms: Any) -> None:
        self.loader = loader
        self.transforms: Sequence[Any] = transforms if isinstance(transforms, (list, tuple)) else [transforms]

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        for x, *rest in self.loader:
            for transform in self.transforms:
                if hasattr(transform, "both"):
                    x, rest[0] = transform.both(x, rest[0])
                else:
                    x = transform(x)
            yield (x, *rest)


def cut(images: Array, top: Array, left: Array, h: int, w: int) -> Array:
    """From each image (C, H, W) the piece (C, h, w) whose upper left corner is at (top[i], left[i])."""
    pieces = np.lib.stride_tricks.sliding_window_view(images, (h, w), (2, 3))
    return pieces[np.arange(len(images)), :, top, left]


def sampled(images: Array, y: Array, x: Array, fill: float) -> Array:
    """images (N, C, H, W) at places y, x (N, H', W'), linearly interpolated; beyond the border there is `fill`."""
    n, _, h, w = images.shape
    room = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=fill)
    y, x = np.clip(y + 1, 0, h + 1 - 1e-6), np.clip(x + 1, 0, w + 1 - 1e-6)
    top, left = y.astype(np.intp), x.astype(np.intp)
    down, right = (y - top)[:, None], (x - left)[:, None]
    every = np.arange(n)[:, None, None]

    def at(i: Array, j: Array) -> Array:
        return np.moveaxis(room[every, :, i, j], -1, 1)
    upper = at(top, left) * (1 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1 - right) + at(top + 1, left + 1) * right
    return upper * (1 - down) + lower * down


def fraction(who: str, name: str, value: float) -> float:
    """The value, if it lies in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{who}: expected {name} to lie in [0, 1]; got {value!r}")
    return value
