"""Random search and Bayesian search (TPE), twenty times each, beside one grid: about three minutes on one core.

    OPENBLAS_NUM_THREADS=1 python notebooks/heavy/13_tuning_and_evaluation.py

All have 27 trials; a trial is the log loss of notebook 13's network in 3-fold cross-validation on its training data.
Writes 13_tuning_and_evaluation.json beside itself, which notebook 13 shows.
"""

import json
import warnings
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
import optuna
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nn

TRIALS, REPEATS = 27, 20
warnings.simplefilter("ignore", nn.TrainingWarning)        # rates that are too high are part of the search
optuna.logging.set_verbosity(optuna.logging.WARNING)

X, y, *_ = nn.data.breast_cancer()
y = 1 - y                                                  # 1 is malignant
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
folds = StratifiedKFold(3, shuffle=True, random_state=0)


def loss(rate, decay, units):
    network = nn.Classifier(hidden_layer_sizes=units, learning_rate_init=rate, alpha=decay, max_iter=20, batch_size=32,
                            random_state=0)
    pipeline = make_pipeline(StandardScaler(), network)
    return -cross_val_score(pipeline, X_train, y_train, cv=folds, scoring="neg_log_loss").mean()


def objective(trial):
    return loss(trial.suggest_float("rate", 1e-4, 1, log=True), trial.suggest_float("decay", 1e-6, 1, log=True),
                trial.suggest_int("units", 2, 64, log=True))


def search(sampler):
    """The losses of the trials, in order."""
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=TRIALS)
    return [round(trial.value, 5) for trial in study.trials]


if __name__ == "__main__":
    start = process_time()
    grid = [round(loss(*trial), 5) for trial in product((1e-4, 1e-2, 1), (1e-6, 1e-3, 1), (2, 11, 64))]
    found = {"grid": [grid], "random": [], "TPE": []}
    for seed in range(REPEATS):
        found["random"].append(search(optuna.samplers.RandomSampler(seed=seed)))
        found["TPE"].append(search(optuna.samplers.TPESampler(seed=seed)))
        print(seed, *(min(found[name][-1]) for name in found), f"{process_time() - start:.0f} s", flush=True)
    for name, runs in found.items():
        print(f"{name}: best loss {np.mean([min(run) for run in runs]):.4f} on average")
    found["seconds"] = round(process_time() - start, 1)
    Path(__file__).with_suffix(".json").write_text(json.dumps(found) + "\n", encoding="utf-8")
