"""A Model's files: everything, to go on training, or the weights alone."""

from __future__ import annotations

import os
from typing import Any, TypeVar

from . import checkpoint

Own = TypeVar("Own", bound="Saved")


class Saved:
    """What a Model can do with files: of the safetensors format, or NumPy's archives if their names end in .npz."""

    __slots__ = ()

    def save(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the model to a safetensors (or .npz) file, with all that training it further depends on.

        Parameters and buffers; and, once compiled, the optimizer's memory, the number of epochs, the state of the
        random generators, and the names of loss and metrics.  The layers themselves are code and are not saved.
        The file appears whole or not at all.  Raises FileExistsError with overwrite=False.
        """
        _free("save", filepath, overwrite)
        checkpoint.write(filepath, checkpoint.weights_of(self), checkpoint.training_of(self))

    def load(self: Own, filepath: Any) -> Own:
        """Go on from what `save` wrote; returns the model itself:  `model = nn.Model(Net()).load("model.safetensors")`.

        A model that is not compiled is compiled as that one was, if loss and metrics had names.  Then
        `fit(..., initial_epoch=model.epoch)` does what it would have done without the interruption, to the last bit.
        Raises ValueError for a file that is damaged or of another optimizer, RuntimeError for one of another model;
        nothing has changed then.
        """
        weights, tree = checkpoint.read(filepath)
        checkpoint.settle(self, weights, tree, filepath)
        return self

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write parameters and buffers alone to a safetensors (or .npz) file, as `nn.save(model, filepath)` does."""
        _free("save_weights", filepath, overwrite)
        checkpoint.write(filepath, checkpoint.weights_of(self))

    def load_weights(self, filepath: Any) -> None:
        """Read parameters and buffers from what `save`, `save_weights`, PyTorch or `np.savez` wrote; all or none."""
        checkpoint.settle(self, checkpoint.read(filepath)[0], None, filepath)


def _free(who: str, path: Any, overwrite: bool) -> None:
    if not overwrite and os.path.exists(path):
        raise FileExistsError(f"{who}: {os.fsdecode(os.fspath(path))} is there already: take another name, or "
                              "overwrite=True")
