"""What can be told of a run of `Model.fit` as it goes on, by Keras's names: stop, save, resume, set the rate, write."""

from ..training.history import Callback, History, LambdaCallback
from .rates import LearningRateScheduler, ReduceLROnPlateau
from .records import CSVLogger, TensorBoard
from .saving import BackupAndRestore, ModelCheckpoint
from .stopping import EarlyStopping, TerminateOnNaN
