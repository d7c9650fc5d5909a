"""Images as arrays and back, with Keras's arguments, and folders of images.  Needs Pillow (extra "images")."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from ..whole import write
from .dataset import Dataset

MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
MOST_PIXELS = 100_000_000                      # of one image: a small file may claim to be larger than any memory


def pillow() -> Any:
    """Pillow's Image module, or what to install."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError('images need Pillow; install it with: pip install "glassgrad[images]"') from error
    return Image


def load_img(path: Any, color_mode: str = "rgb", target_size: tuple[int, int] | None = None,
             interpolation: str = "nearest", keep_aspect_ratio: bool = False) -> Any:
    """A picture file (a path, bytes or an open file) as a Pillow image.

    color_mode         "rgb", "rgba" or "grayscale"
    target_size        (height, width) to bring it to; `interpolation` "nearest", "bilinear", "bicubic", "hamming",
                       "box" or "lanczos"
    keep_aspect_ratio  cut the middle of it to the target's proportions first

    Raises ValueError for an unknown option, a file that is no image, is truncated, or claims too many pixels.
    """
    Image = pillow()
    if color_mode not in MODES:
        raise ValueError(f"load_img: expected color_mode to be {_either(MODES)}; got {color_mode!r}")
    if interpolation not in FILTERS:
        raise ValueError(f"load_img: expected interpolation to be {_either(FILTERS)}; got {interpolation!r}")
    source = BytesIO(path) if isinstance(path, bytes) else path
    try:
        with Image.open(source) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise ValueError(f"load_img: expected at most {MOST_PIXELS:,} pixels; {_name(path)} claims "
                                 f"{opened.width} x {opened.height}")
            deep = opened.mode in ("I;16", "I;16B", "I;16L", "I")      # 16 bits a pixel: Pillow would cut off at 255
            image = Image.fromarray((np.asarray(opened) // 257).astype(np.uint8)) if deep else opened
            image = image.convert(MODES[color_mode])
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"load_img: expected a whole image; {_name(path)} cannot be read: {error}") from error
    if target_size is None:
        return image
    height, width = target_size
    if keep_aspect_ratio:
        w = min(image.width, max(1, round(image.height * width / height)))
        h = min(image.height, max(1, round(image.width * height / width)))
        left, top = (image.width - w) // 2, (image.height - h) // 2
        image = image.crop((left, top, left + w, top + h))
    return image.resize((width, height), getattr(Image.Resampling, interpolation.upper()))


def img_to_array(img: Any, data_format: str = "channels_last", dtype: Any = "float32") -> np.ndarray[Any, Any]:
    """A Pillow image as an array (H, W, C), or (C, H, W) for "channels_first", with values as they are: 0 to 255."""
    _format("img_to_array", data_format)
    array = np.asarray(img).astype(dtype)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ValueError(f"img_to_array: expected an image of 2 or 3 axes; got shape {array.shape}")
    return array.transpose(2, 0, 1).copy() if data_format == "channels_first" else array


def array_to_img(x: Any, data_format: str = "channels_last", scale: bool = True) -> Any:
    """An array (H, W, C) or (C, H, W), C = 1, 3 or 4, as a Pillow image.

    scale: stretch the values to 0 ... 255; without it they are taken as they are, cut off at 0 and 255.
    """
    _format("array_to_img", data_format)
    a = np.asarray(getattr(x, "value", x), np.float64)
    if a.ndim == 2:
        a = a[:, :, None]
    elif a.ndim == 3 and data_format == "channels_first":
        a = a.transpose(1, 2, 0)
    if a.ndim != 3 or a.shape[2] not in (1, 3, 4):
        raise ValueError(f"array_to_img: expected (H, W, C) or (C, H, W) with 1, 3 or 4 channels, as data_format says; "
                         f"got shape {np.shape(getattr(x, 'value', x))} with data_format={data_format!r}")
    if scale:
        a = a - a.min(initial=0 if not a.size else np.inf)
        a *= 255 / top if (top := a.max(initial=0)) else 1
    pixels = np.clip(np.nan_to_num(a), 0, 255).astype(np.uint8)
    return pillow().fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def save_img(path: str | os.PathLike[str], x: Any, data_format: str = "channels_last", file_format: str | None = None,
             scale: bool = True) -> None:
    """An array as a picture file, whole or not at all; the suffix says the format, or `file_format` ("png", "jpeg")."""
    given = Path(path)
    image = array_to_img(x, data_format, scale)
    known = pillow().registered_extensions()
    kind = (file_format or known.get(given.suffix.lower(), "")).upper().replace("JPG", "JPEG")
    if not kind:
        raise ValueError(f"save_img: expected a path that ends in .png, .jpg or the like, or file_format=; got "
                         f"{str(path)!r}")
    if kind == "JPEG" and image.mode == "RGBA":
        image = image.convert("RGB")
    write(given, lambda file: image.save(file, kind))


class ImageFolder(Dataset):
    """Images in one folder a class: `root/cat/1.png`, `root/dog/7.jpg`, ...  Sample i is (image, class).

    Images are arrays (C, H, W) float32 from 0 to 1, all brought to `size` (height, width) if it is given, with the
    `interpolation` of `load_img`; `transform` is applied to them.  `classes` are the names of the folders in order,
    `class_to_idx` their numbers, `samples` the paths with theirs.  Files that are no images by their name are left out;
    what cannot be read raises ValueError when it is asked for.  Source of the layout: torchvision.datasets.ImageFolder.
    """

    def __init__(self, root: str | os.PathLike[str], size: tuple[int, int] | None = None, color_mode: str = "rgb",
                 transform: Callable[[Any], Any] | None = None, interpolation: str = "bilinear") -> None:
        folder = Path(root)
        if not folder.is_dir():
            raise FileNotFoundError(f"ImageFolder: expected a folder with one folder a class; there is no "
                                    f"{str(root)!r}")
        self.root, self.size, self.color_mode, self.transform = folder, size, color_mode, transform
        self.interpolation = interpolation
        self.classes = sorted(p.name for p in folder.iterdir() if p.is_dir())
        if not self.classes:
            raise FileNotFoundError(f"ImageFolder: expected one folder a class in {str(root)!r}, as in cat/1.png, "
                                    "dog/7.jpg; got none")
        self.class_to_idx = {name: k for k, name in enumerate(self.classes)}
        self.samples: list[tuple[Path, int]] = []
        for name, k in self.class_to_idx.items():
            found = sorted(p for p in (folder / name).rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            if not found:
                raise FileNotFoundError(f"ImageFolder: expected images ({', '.join(SUFFIXES)}) in "
                                        f"{str(folder / name)!r}; got none; take the folder away if it is no class")
            self.samples += [(path, k) for path in found]
        self.targets = [k for _, k in self.samples]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        path, k = self.samples[index]
        image = img_to_array(load_img(path, self.color_mode, self.size, self.interpolation), "channels_first")
        image = image / np.float32(255)
        return (self.transform(image) if self.transform else image), k


def _format(who: str, data_format: str) -> None:
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f"{who}: expected data_format to be 'channels_last' or 'channels_first'; got {data_format!r}")


def _either(names: Any) -> str:
    *most, last = map(repr, names)
    return f"{', '.join(most)} or {last}"


def _name(path: Any) -> str:
    return repr(os.fspath(path)) if isinstance(path, (str, os.PathLike)) else "the data"
