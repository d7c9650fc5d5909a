"""How good a model's outputs are, in numbers a person reads: as functions, as strings, as classes over many batches.

Functions and metrics take `(output, target)`, in this order as losses do, as Tensors or arrays.
"""

from .accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    kind_of_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from .confusion import (
    BalancedAccuracy,
    CohenKappa,
    ConfusionMatrix,
    F1Score,
    FBetaScore,
    MatthewsCorrelation,
    MeanIoU,
    Precision,
    Recall,
    confusion_matrix,
    f1_score,
    precision,
    recall,
)
from .likelihood import LogLoss, Perplexity, log_loss, perplexity
from .metric import MeanMetric, Metric
from .ranking import AUC, AveragePrecision, average_precision, roc_auc
from .registry import METRICS, get, get_all
from .regression import (
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    R2Score,
    RootMeanSquaredError,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
