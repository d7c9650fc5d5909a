"""nn.metrics: equal to scikit-learn's on random data (ties, absent classes, weights), however batches are cut."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import ShapeError, Tensor
from nn import metrics as M

sk = pytest.importorskip("sklearn.metrics")
FEW = settings(max_examples=12, deadline=None, derandomize=True)


def against(metric, output, target, weight=None, cuts=()):
    """The result of a metric that is given the samples in pieces."""
    metric.reset()
    for rows in np.split(np.arange(len(target)), sorted(set(cuts))):
        if len(rows):
            w = {} if weight is None else {"sample_weight": weight[rows]}
            metric.update(output[rows], target[rows], **w)
    return metric.result()


def quiet(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*args, **kwargs)


def close(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)


@st.composite
def cases(draw):
    """(scores (N, C) with ties, labels of which some classes may be absent, weights or None, cuts)."""
    n, c = draw(st.integers(2, 40)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    scores = rng.integers(0, draw(st.sampled_from([2, 5, 10**6])), (n, c)) / 7.0
    labels = rng.integers(0, draw(st.integers(1, c)), n)
    weight = rng.integers(0, 4, n).astype(float) + (rng.random(n) if draw(st.booleans()) else 0.0)
    weight[0] = 1.0
    cuts = draw(st.lists(st.integers(0, n), max_size=4))
    return scores, labels, weight if draw(st.booleans()) else None, cuts


@FEW
@given(cases(), st.sampled_from([0.0, 1.0]), st.sampled_from([0.5, 1.0, 2.0]))
def test_scores_of_classes(case, zero, beta):
    output, y, w, cuts = case
    if w is not None:                         # what has no weight is not there, which scikit-learn sees otherwise
        against_all = against(M.F1Score("macro"), output, y, w)
        output, y, w, cuts = output[w > 0], y[w > 0], w[w > 0], [k for k in cuts if k <= (w > 0).sum()]
        assert against(M.F1Score("macro"), output, y, w) == pytest.approx(against_all, abs=1e-12)
    guess, every = output.argmax(1), range(output.shape[1])
    for average in ("micro", "macro", "weighted", None):
        more = {"labels": every} if average is None else {}
        if average == "micro" and output.shape[1] == 2 and len(set(y) | set(guess)) != 2:
            continue                          # scikit-learn takes micro of a single class for another question
        for ours, theirs in ((M.Precision, sk.precision_score), (M.Recall, sk.recall_score), (M.F1Score, sk.f1_score)):
            close(against(ours(average, zero_division=zero), output, y, w, cuts),
                  quiet(theirs, y, guess, average=average, sample_weight=w, zero_division=zero, **more))
        close(against(M.FBetaScore(average, beta, zero_division=zero), output, y, w, cuts),
              quiet(sk.fbeta_score, y, guess, beta=beta, average=average, sample_weight=w, zero_division=zero, **more))
    close(against(M.ConfusionMatrix(), output, y, w, cuts), quiet(sk.confusion_matrix, y, guess,
                                                                       labels=every, sample_weight=w))
    for how in ("true", "pred", "all"):
        close(against(M.ConfusionMatrix(normalize=how), output, y, w, cuts),
              quiet(sk.confusion_matrix, y, guess, labels=every, sample_weight=w, normalize=how))
    close(against(M.BalancedAccuracy(), output, y, w, cuts), quiet(sk.balanced_accuracy_score, y, guess,
                                                                  sample_weight=w))
    close(against(M.MatthewsCorrelation(), output, y, w, cuts), quiet(sk.matthews_corrcoef, y, guess, sample_weight=w))
    close(against(M.Accuracy(), output, y, w, cuts), sk.accuracy_score(y, guess, sample_weight=w))
    for weights in (None, "linear", "quadratic"):
        kappa = quiet(sk.cohen_kappa_score, y, guess, weights=weights, sample_weight=w, labels=every)
        close(against(M.CohenKappa(weights), output, y, w, cuts), kappa)
    close(against(M.MeanIoU(), output, y, w, cuts), quiet(sk.jaccard_score, y, guess, average="macro",
                                                         sample_weight=w))
    k = min(2, output.shape[1] - 1)
    own = np.take_along_axis(output, y[:, None], 1)
    close(against(M.SparseTopKCategoricalAccuracy(k), output, y, w, cuts),
          np.average((output > own).sum(1) < k, weights=w))


@FEW
@given(cases())
def test_scores_of_yes_and_no(case):
    output, y, w, cuts = case
    p, y = output[:, 0] / max(output[:, 0].max(), 1), np.minimum(y, 1)
    said = p > 0.5
    for ours, theirs in ((M.Precision(), sk.precision_score), (M.Recall(), sk.recall_score),
                         (M.F1Score(), sk.f1_score)):
        close(against(ours, p, y, w, cuts), quiet(theirs, y, said, sample_weight=w, zero_division=0))
        close(against(ours, p[:, None], y[:, None], w, cuts), ours.result())
    if len(set(y[(np.ones(len(y)) if w is None else w) > 0])) == 2:
        close(against(M.AUC(), p, y, w, cuts), sk.roc_auc_score(y, p, sample_weight=w))
        fpr, tpr, _ = sk.roc_curve(y, p, sample_weight=w)
        close(against(M.AUC(), p, y, w, cuts), sk.auc(fpr, tpr))
    close(against(M.AveragePrecision(), p, y, w, cuts), quiet(sk.average_precision_score, y, p, sample_weight=w))
    close(against(M.AUC("PR"), p[:, None], y[:, None], w, cuts), quiet(sk.average_precision_score, y, p,
                                                                      sample_weight=w))
    close(against(M.LogLoss(), p, y, w, cuts), sk.log_loss(y, p, labels=[0, 1], sample_weight=w))
    assert against(M.AUC(), p, y, w, cuts) == against(M.AUC(), p, y, w) or len(set(y)) < 2


@FEW
@given(cases())
def test_areas_of_several_classes_and_labels(case):
    output, y, w, cuts = case
    c = output.shape[1]
    logits = 5 * output / (output.max() + 1)
    output = np.exp(logits - logits.max(1, keepdims=True))
    output, one_hot = output / output.sum(1, keepdims=True), np.eye(c, dtype=int)[y]
    counted = y if w is None else y[w > 0]
    if len(set(counted)) == c and c > 2:
        for average in ("macro", "weighted", None):
            theirs = sk.roc_auc_score(y, output, multi_class="ovr", average=average, sample_weight=w)
            close(against(M.AUC(average=average), output, y, w, cuts), theirs)
            close(against(M.AUC(average=average), output, one_hot, w, cuts), theirs)
        close(against(M.AUC(average="macro", from_logits=True), logits, y, w, cuts),
              sk.roc_auc_score(y, output, multi_class="ovr", sample_weight=w))
    rng = np.random.default_rng(len(y))
    several = rng.integers(0, 2, (len(y), c))
    several[0] = 1
    for average in ("macro", "weighted", "micro", None):
        close(against(M.AUC("PR", average, multi_label=True), output, several, w, cuts),
              quiet(sk.average_precision_score, several, output, average=average, sample_weight=w))
        close(against(M.F1Score(average, multi_label=True), output, several, w, cuts),
              quiet(sk.f1_score, several, output > 0.5, average=average, sample_weight=w, zero_division=0))
    close(against(M.LogLoss(), output, y, w, cuts), quiet(sk.log_loss, y, output, labels=range(c), sample_weight=w))
    close(against(M.LogLoss(), output, one_hot, w, cuts), against(M.LogLoss(), output, y, w, cuts))
    logits = logits + rng.normal(size=(len(y), 1))
    close(against(M.Perplexity(), logits, y, w, cuts), math.exp(against(M.LogLoss(), output, y, w)))


@FEW
@given(cases(), st.sampled_from([0.0, 1e3]))
def test_quantities(case, offset):
    output, _, w, cuts = case
    target = output[::-1] / (output.max() + 1) + np.random.default_rng(len(output)).normal(size=output.shape)
    output, target = output / (output.max() + 1) + offset, target + offset
    flat = output[:, 0], target[:, 0]
    close(against(M.MeanAbsoluteError(), *flat, w, cuts), sk.mean_absolute_error(*flat[::-1], sample_weight=w))
    close(against(M.MeanSquaredError(), output, target, w, cuts), sk.mean_squared_error(target, output,
                                                                                      sample_weight=w))
    close(against(M.RootMeanSquaredError(), *flat, w, cuts),
          sk.root_mean_squared_error(flat[1], flat[0], sample_weight=w))
    close(against(M.MeanAbsolutePercentageError(), *flat, w, cuts),
          100 * sk.mean_absolute_percentage_error(flat[1], flat[0], sample_weight=w))
    for ours, theirs in (("uniform_average",) * 2, ("variance_weighted_average", "variance_weighted"),
                         (None, "raw_values")):
        found = against(M.R2Score(ours), output, target, w, cuts)
        expected = sk.r2_score(target, output, sample_weight=w, multioutput=theirs)
        if (np.ones(len(output)) if w is None else w > 0).sum() > 1:
            np.testing.assert_allclose(found, expected, rtol=1e-12 if not offset else 1e-9)
        else:                                 # the spread of one sample is 0, or what rounding leaves of it
            assert offset or found == pytest.approx(expected)


def test_conventions_where_nothing_can_be_said():
    y = np.zeros(4, int)
    assert math.isnan(M.AUC()(np.arange(4.0), y)) and M.AveragePrecision()(np.arange(4.0), y) == 0.0
    assert math.isnan(M.R2Score()(np.zeros(1), np.zeros(1)))
    assert M.R2Score()(np.ones(3), np.ones(3)) == 1.0 and M.R2Score()(np.zeros(3), np.ones(3)) == 0.0
    assert math.isnan(M.F1Score(zero_division=math.nan)(np.zeros(4), y))
    assert M.Precision()(np.zeros(4), y) == 0.0 and M.Precision(zero_division=1.0)(np.zeros(4), y) == 1.0
    assert M.MatthewsCorrelation()(np.zeros(4), y) == 0.0 and math.isnan(M.CohenKappa()(np.zeros(4, int), y))
    for metric in (M.AUC(), M.R2Score(), M.BalancedAccuracy(), M.CohenKappa()):
        assert math.isnan(metric.result())
    assert M.Accuracy().result() == 0.0 and math.isnan(M.F1Score().result())


def test_in_a_loop_of_ones_own():
    rng = np.random.default_rng(0)
    logits, y = Tensor(rng.normal(size=(20, 3)), requires_grad=True), Tensor(rng.integers(0, 3, 20))
    accuracy = nn.metrics.Accuracy()
    for start in range(0, 20, 6):
        accuracy.update(logits[start:start + 6], y[start:start + 6])
    assert accuracy.compute() == accuracy.result() == (logits.value.argmax(1) == y.value).mean()
    accuracy.reset()
    assert accuracy(logits[:5], y[:5]) == pytest.approx((logits.value[:5].argmax(1) == y.value[:5]).mean())
    keras = nn.metrics.Accuracy()
    keras.update_state(y[:5], logits[:5], sample_weight=np.arange(5))         # Keras's order
    assert keras.result() == pytest.approx(np.average(logits.value[:5].argmax(1) == y.value[:5], weights=range(5)))
    keras.reset_state()
    assert keras.result() == 0.0


def test_masks_padding_and_where_classes_stand():
    rng = np.random.default_rng(0)
    output, y = rng.normal(size=(4, 6, 5)), rng.integers(0, 5, (4, 6))
    mask = rng.random((4, 6)) > 0.4
    padded = np.where(mask, y, -100)
    right = (output.argmax(-1) == y)[mask].mean()
    for metric in (M.Accuracy(), M.SparseCategoricalAccuracy()):
        assert metric(output, padded) == pytest.approx(right)
        metric.reset()
        metric.update(output, y, sample_weight=mask)
        assert metric.result() == pytest.approx(right)
        metric.reset()
        assert metric(output.transpose(0, 2, 1), padded) == pytest.approx(right)
    p = np.exp(output) / np.exp(output).sum(-1, keepdims=True)
    expected = np.exp(-np.log(np.take_along_axis(p, y[..., None], -1))[..., 0][mask].mean())
    assert M.Perplexity()(output, padded) == pytest.approx(expected)
    assert M.Perplexity()(output.transpose(0, 2, 1), padded) == pytest.approx(expected)
    assert M.ConfusionMatrix()(output, padded).sum() == mask.sum()
    assert M.F1Score("macro")(output, padded) == pytest.approx(
        sk.f1_score(y[mask], output.argmax(-1)[mask], average="macro"))


@pytest.mark.parametrize(("metric", "output", "target", "kind", "text"), [
    (M.F1Score(), np.zeros((4, 3)), np.zeros(5, int), ShapeError, r"f1_score: expected outputs .*\(4, 3\) and \(5,\)"),
    (M.Precision(), np.zeros((4, 3)), np.array([0, 1, 2, 3]), IndexError, r"labels must lie in 0..2; got 0 to 3"),
    (M.Recall(), np.zeros(3), np.array([0, 1, 2]), ValueError, "recall: expected targets 0 or 1, .* got 2"),
    (M.AUC(), np.zeros(3), np.array([0, 1, 2]), ValueError, "auc: expected targets 0 or 1, .* got 2"),
    (M.LogLoss(), np.full((2, 3), 0.3), np.array([0, 3]), IndexError, r"log_loss: labels must lie in 0..2"),
    (M.R2Score(), np.zeros((3, 1)), np.zeros(3), ShapeError, "r2_score: expected output and target of one shape")])
def test_what_does_not_fit_is_refused(metric, output, target, kind, text):
    with pytest.raises(kind, match=text):
        metric.update(output, target)


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"accuracy: sample_weight has shape \(3,\); expected \(4,\)"):
        M.Accuracy().update(np.zeros((4, 3)), np.zeros(4, int), sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="must be finite and not negative"):
        M.AUC().update(np.zeros(4), np.zeros(4), sample_weight=-np.ones(4))
    with pytest.raises(ShapeError, match="sample weights need a number for each sample"):
        M.MeanMetric("bias", lambda o, t: float((o - t).mean())).update(np.zeros(4), np.zeros(4), np.ones(4))
    mean = M.MeanMetric("bias", lambda o, t: o - t)
    mean.update(np.arange(4.0), np.zeros(4), np.array([0, 0, 1, 1]))
    assert mean.result() == 2.5


def test_functions_names_and_settings():
    rng = np.random.default_rng(0)
    output, y = rng.random((30, 3)), rng.integers(0, 3, 30)
    assert M.f1_score(output, y, "macro") == pytest.approx(sk.f1_score(y, output.argmax(1), average="macro"))
    assert M.confusion_matrix(output.argmax(1), y).tolist() == sk.confusion_matrix(y, output.argmax(1)).tolist()
    assert M.roc_auc(output[:, 0], y == 0) == pytest.approx(sk.roc_auc_score(y == 0, output[:, 0]))
    for name in M.METRICS:
        assert M.get(name).name == name
    assert type(M.get("AUC")) is M.AUC and type(M.get("F1Score")) is M.F1Score and M.get("f1").name == "f1_score"
    for make, text in ((lambda: M.AUC("roc"), "curve must be 'ROC' or 'PR'"),
                       (lambda: M.F1Score("mean"), "F1Score: average must be 'auto'"),
                       (lambda: M.TopKCategoricalAccuracy(0), "k must be a positive integer; got 0"),
                       (lambda: M.CohenKappa("square"), "weights must be 'linear'")):
        with pytest.raises(ValueError, match=text):
            make()
