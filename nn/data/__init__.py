"""Data sets, and the batches a training loop runs over:  `for x, y in nn.data.DataLoader(dataset, batch_size=32)`."""

from .dataset import Dataset as Dataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .dataset import random_split as random_split
from .loader import DataLoader as DataLoader
from .loader import default_collate as default_collate
