"""Data sets, and the batches a training loop runs over:  `for x, y in nn.data.DataLoader(dataset, batch_size=32)`.

What is not for every day (readers, images, augmentation, text) is imported when first asked for.
"""

from typing import TYPE_CHECKING, Any

from .dataset import Dataset as Dataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .dataset import random_split as random_split
from .loader import DataLoader as DataLoader
from .loader import default_collate as default_collate

if TYPE_CHECKING:
    from .augmentation import *
    from .cifar import cifar10 as cifar10
    from .cifar import read_cifar as read_cifar
    from .embedded import *
    from .generated import *
    from .idx import mnist as mnist
    from .idx import read_idx as read_idx
    from .images import *
    from .joining import *
    from .sampling import *
    from .sequences import *
    from .text import *

FAMILIES: dict[str, tuple[str, ...]] = {
    "joining": ("IterableDataset", "ChainDataset", "ConcatDataset", "StackDataset", "Transformed"),
    "sampling": ("Sampler", "SequentialSampler", "RandomSampler", "SubsetRandomSampler", "WeightedRandomSampler",
                 "BatchSampler"),
    "generated": ("moons", "circles", "spirals", "blobs", "xor", "swiss_roll", "sine"),
    "embedded": ("digits", "iris", "wine", "breast_cancer", "diabetes"),
    "idx": ("mnist", "read_idx"),
    "cifar": ("cifar10", "read_cifar"),
    "images": ("load_img", "img_to_array", "array_to_img", "save_img", "ImageFolder"),
    "augmentation": ("Compose", "RandomHorizontalFlip", "RandomVerticalFlip", "RandomCrop", "RandomAffine",
                     "RandomRotation", "RandomShift", "GaussianNoise", "Cutout", "MixUp", "Augmented", "Transform"),
    "text": ("Vocabulary", "windows", "words"),
    "sequences": ("pad_sequences", "to_categorical", "timeseries_dataset_from_array"),
}
_HOMES = {name: family for family, names in FAMILIES.items() for name in names}
__all__ = ["DataLoader", "Dataset", "Subset", "TensorDataset", "default_collate", "random_split", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES and name not in FAMILIES:
        raise AttributeError(f"module 'nn.data' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module
    module = import_module(f".{_HOMES.get(name, name)}", __name__)
    value = globals()[name] = getattr(module, name) if name in _HOMES else module
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
