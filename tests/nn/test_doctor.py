"""nn.doctor: silent on correct programs, and each mistake found where it is; the model stays as it was."""

import importlib.util
import pathlib
import re

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Parameter, Tensor, relu, softmax, tensor
from nn import functional as F

_spec = importlib.util.spec_from_file_location("programs", pathlib.Path(__file__).with_name("programs.py"))
programs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(programs)
Net, mlp, X, LABELS, YES = programs.Net, programs.mlp, programs.X, programs.LABELS, programs.YES
HERE = pathlib.Path(__file__).name


def made(name):
    autograd.manual_seed(0)
    model, loss, batch, optimizer = programs.PROGRAMS[name]()
    if isinstance(optimizer, str):
        learned = [p for p in model.parameters() if p.requires_grad]
        optimizer = optim.SGD(learned, lr=0.05) if optimizer == "sgd" else optim.Adam(learned, lr=5e-3)
    return model, loss, batch, optimizer


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_no_false_alarm(name):
    model, loss, batch, optimizer = made(name)
    report = nn.doctor(model, loss, batch, optimizer)
    assert report.ok, str(report)
    assert len(report.fine) >= 4, str(report)                    # it looked, it did not give up


def test_there_are_thirty_programs():
    assert len(programs.PROGRAMS) >= 30


def only(report, title, layer="", line=True):
    """The one finding that is expected, with layer, line and numbers."""
    assert report.titles == [title], str(report)
    found = next(f for f in report.findings if f.title == title)
    assert layer in found.layer, str(report)
    assert (HERE in found.line) == line and any(c.isdigit() for c in found.evidence) and found.fix, str(report)
    text = str(report)
    assert title in text and found.fix.split()[0] in text
    return found


@pytest.fixture(autouse=True)
def _seeded():
    autograd.manual_seed(0)


def test_softmax_before_cross_entropy():
    model = nn.Sequential(nn.Linear(6, 3), nn.Softmax(1))
    only(nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS)), "softmax before cross_entropy", "1 (Softmax)")
    by_hand = Net(lambda m, x: (m.a(x).exp() / m.a(x).exp().sum(1, keepdim=True)), a=nn.Linear(6, 3))
    only(nn.doctor(by_hand, nn.CrossEntropyLoss(), (X, LABELS)), "softmax before cross_entropy")     # by what it does


def test_scores_for_nll_loss():
    found = only(nn.doctor(nn.Linear(6, 3), nn.NLLLoss(), (X, LABELS)), "nll_loss without log_softmax")
    assert "scores" in found.evidence
    model = nn.Sequential(nn.Linear(6, 3), nn.Softmax(1))
    assert "probabilities" in only(nn.doctor(model, nn.NLLLoss(), (X, LABELS)), "nll_loss without log_softmax").evidence


def test_softmax_over_the_batch():
    model = Net(lambda m, x: softmax(m.a(x), dim=0), a=nn.Linear(6, 3))
    found = only(nn.doctor(model, lambda p, t: ((p - F.one_hot(t, 3)) ** 2).mean(), (X, LABELS)),
                 "softmax over the batch axis")
    assert "dim=0" in found.evidence
    hidden = nn.Sequential(nn.Linear(6, 8), nn.Softmax(0), nn.Linear(8, 3))
    only(nn.doctor(hidden, nn.CrossEntropyLoss(), (X, LABELS)), "softmax over the batch axis", "1 (Softmax)")


def test_sigmoid_before_logits():
    model = nn.Sequential(mlp(6, 8, 1), nn.Sigmoid())
    only(nn.doctor(model, nn.BCEWithLogitsLoss(), (X, YES)), "sigmoid before BCE-with-logits", "1 (Sigmoid)")


def test_stale_parameters():
    model = mlp(6, 8, 3)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    model[2] = nn.Linear(8, 3)                                    # a new head, after the optimizer
    found = only(nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS), optimizer), "optimizer holds stale parameters")
    assert "2 of the 4 tensors" in found.evidence and "2.weight" in found.evidence
    other = optim.SGD(mlp(6, 8, 3).parameters(), lr=0.1)
    only(nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS), other), "optimizer holds stale parameters")


@pytest.mark.parametrize("cut", [lambda h: h.detach(), lambda h: Tensor(h.detach().numpy()),
                                 lambda h: tensor(h.tolist())])
def test_graph_cut(cut):
    model = Net(lambda m, x: m.b(relu(cut(m.a(x)))), a=nn.Linear(6, 8), b=nn.Linear(8, 3))
    found = only(nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS)), "graph cut inside forward")
    assert "a.weight" in found.evidence and "b.weight" not in found.evidence
    assert "relu" in found.evidence and "(16, 8)" in found.evidence


def test_graph_cut_by_no_grad():
    class Body(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(6, 8)

        def forward(self, x):
            with autograd.no_grad():
                return relu(self.a(x))
    found = only(nn.doctor(nn.Sequential(Body(), nn.Linear(8, 3)), nn.CrossEntropyLoss(), (X, LABELS)),
                 "graph cut inside forward", "0.a (Linear)")
    assert "no gradients are recorded" in found.evidence


def test_dropout_at_evaluation():
    model = Net(lambda m, x: m.b(F.dropout(relu(m.a(x)), 0.4)), a=nn.Linear(6, 32), b=nn.Linear(32, 3))
    found = only(nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS)), "dropout active at evaluation", "(Net)")
    assert "%" in found.evidence
    fresh = Net(lambda m, x: m.b(nn.Dropout(0.4)(relu(m.a(x)))), a=nn.Linear(6, 32), b=nn.Linear(32, 3))
    only(nn.doctor(fresh, nn.CrossEntropyLoss(), (X, LABELS)), "dropout active at evaluation")


def test_dead_relus():
    model = mlp(6, 8, 8, 3)
    model[2].bias.data = Tensor(np.full(8, -50, np.float32))
    report = nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS))
    assert "all ReLUs dead" in report.titles
    found = next(f for f in report.findings if f.title == "all ReLUs dead")
    assert found.layer == "3 (ReLU)" and "8 of 8 units" in found.evidence


def test_parameter_never_used():
    model = Net(lambda m, x: m.a(x), a=nn.Linear(6, 3), b=nn.Linear(6, 3))
    found = only(nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS)), "parameter never used", "b (Linear)")
    assert "b.weight, b.bias" in found.evidence


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_symmetric_start(value):
    model = mlp(6, 8, 3, act=nn.Tanh)
    for p in model.parameters():
        nn.init.constant_(p, value)
    report = nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS))
    found = next(f for f in report.findings if f.title == "symmetric initial values")
    assert found.layer == "0 (Linear)" and "all 8 rows of 0.weight are equal" in found.evidence


def test_reshape_for_permute():
    x = np.random.default_rng(0).standard_normal((4, 16, 6)).astype(np.float32)
    model = Net(lambda m, x: m.out(x.reshape(16, 24)), out=nn.Linear(24, 3))
    found = only(nn.doctor(model, nn.CrossEntropyLoss(), (x, LABELS)), "reshape where permute was meant")
    assert "(4, 16, 6) -> (16, 24)" in found.evidence


@pytest.mark.parametrize("first", [True, False])
def test_batch_axis_taken_for_time(first):
    sequences = pytest.importorskip("nn.recurrent")
    x = np.random.default_rng(0).standard_normal((16, 5, 6)).astype(np.float32)
    model = Net(lambda m, x: m.out(m.run(x)[0][:, -1]), run=sequences.LSTM(6, 8, batch_first=first),
                out=nn.Linear(8, 3))
    report = nn.doctor(model, nn.CrossEntropyLoss(), (x, LABELS))
    if first:
        assert report.ok, str(report)
    else:
        assert "batch_first=True" in only(report, "batch axis taken for time", "run (LSTM)").fix


def test_statistics_of_the_batch():
    model = Net(lambda m, x: m.a((x - x.mean(0)) / x.std(0)), a=nn.Linear(6, 3))
    only(nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS)), "samples of the batch depend on one another")


def test_column_against_row():
    report = nn.doctor(mlp(6, 8, 1), lambda o, t: ((o - t) ** 2).mean(), (X, X[:, 0]))
    found = only(report, "output (16, 1) against target (16,)")
    assert "(16, 16)" in found.evidence and "squeeze(-1)" in found.fix
    report = nn.doctor(mlp(6, 8, 1), nn.MSELoss(), (X, X[:, 0]))          # ours refuses by itself
    assert report.titles == ["the batch does not go through"] and "squeeze(-1)" in str(report)


def test_labels_from_one():
    found = only(nn.doctor(mlp(6, 8, 3), nn.CrossEntropyLoss(), (X, LABELS + 1)), "labels are counted from 1")
    assert "1 to 3" in found.evidence and found.fix == "use y - 1"
    x = np.random.default_rng(0).standard_normal((60, 6)).astype(np.float32)
    silent = np.arange(60) % 3 + 1
    only(nn.doctor(mlp(6, 8, 4), nn.CrossEntropyLoss(), (x, silent)), "labels are counted from 1")
    assert "labels out of range" in nn.doctor(mlp(6, 8, 3), nn.CrossEntropyLoss(), (X, LABELS - 1)).titles


@pytest.mark.parametrize(("make", "title"), [
    (lambda p: optim.Adam(p, lr=5.0), "learning rate far too high"),
    (lambda p: optim.SGD(p, lr=1e4), "learning rate far too high"),
    (lambda p: optim.Adam(p, lr=1e-8), "learning rate far too low"),
    (lambda p: optim.SGD(p, lr=1e-7), "learning rate far too low")])
def test_learning_rate(make, title):
    model = mlp(6, 16, 1)
    report = nn.doctor(model, nn.MSELoss(), (X, X[:, :1]), make(model.parameters()))
    assert "lr=" in only(report, title).fix


def test_batch_of_one():
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3))
    report = nn.doctor(model, nn.CrossEntropyLoss(), (X[:1], LABELS[:1]))
    assert report.titles == ["BatchNorm with a batch of 1"] and "1 (BatchNorm1d)" in str(report)


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("where", ["nowhere", "before", "after", "every third"])
def test_steps_without_zero_grad(where, clip):
    model = mlp(6, 8, 3)
    optimizer, count = optim.SGD(model.parameters(), lr=0.05, momentum=0.5), [0]

    def step():
        count[0] += 1
        if where == "before":
            optimizer.zero_grad()
        F.cross_entropy(model(Tensor(X)), Tensor(LABELS)).backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        if where != "every third" or count[0] % 3 == 0:
            optimizer.step()
        if where == "after" or (where == "every third" and count[0] % 3 == 0):
            optimizer.zero_grad()
    report = nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS), optimizer, step=step)
    if where == "nowhere":
        assert "8 times of 8" in only(report, "steps without zero_grad").evidence
    else:
        assert report.ok and "training step" in dict(report.fine), str(report)


def test_not_finite():
    model = Net(lambda m, x: (m.a(x) * 0).log(), a=nn.Linear(6, 3))
    found = only(nn.doctor(model, nn.CrossEntropyLoss(), (X, LABELS)), "not a finite number")
    assert "log" in found.evidence and "48 of 48" in found.evidence


def test_output_that_never_changes():
    model = nn.Sequential(nn.Linear(6, 1), nn.Softmax(1))          # over a single output: always 1
    only(nn.doctor(model, nn.BCELoss(), (X, YES)), "output never changes", "1 (Softmax)")


def test_accuracy_as_a_loss():
    report = nn.doctor(mlp(6, 8, 3), lambda o, t: (o.argmax(1) != t).float().mean(), (X, LABELS))
    found = only(report, "graph cut inside forward")
    assert "argmax" in found.evidence and found.layer == "" and "0.bias" in found.evidence


def test_does_not_learn():
    model = Net(lambda m, x: m.a(x) * 1e-12 + x[:, :3], a=nn.Linear(6, 3))
    report = nn.doctor(model, lambda o, t: F.cross_entropy(o, t) + o.sum() * 0, (X, LABELS))
    assert not report.ok or any("minimum" in seen for _, seen in report.fine)


def test_names_of_losses_and_models_of_keras():
    model = nn.Model(mlp(6, 8, 3))
    model.compile("adam", "sparse_categorical_crossentropy")
    assert nn.doctor(model, "sparse_categorical_crossentropy", (X, LABELS), model.optimizer).ok
    assert model._sample is None


# -- it changes nothing ------------------------------------------------------------------------------------


def snapshot(model, optimizer):
    state = {path: (t.value.copy(), id(t)) for path, t in (*model.named_parameters(), *model.named_buffers())}
    grads = {path: None if p.grad is None else p.grad.value.copy() for path, p in model.named_parameters()}
    return (state, grads, [m.training for m in model.modules()], [p.requires_grad for p in model.parameters()],
            autograd.default_rng().bit_generator.state, np.random.get_state()[1].copy(), optimizer.state_dict(),
            [sorted(m.__dict__) for m in model.modules()])


def equal(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, (Tensor, np.ndarray)):
        return np.array_equal(np.asarray(a.detach() if isinstance(a, Tensor) else a),
                              np.asarray(b.detach() if isinstance(b, Tensor) else b))
    return a == b


class Fragile(nn.Module):
    """Counts its calls, draws, and can fail at any of them."""

    def __init__(self, fails_at=None):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 3))
        self.scale = Parameter(np.ones(3, np.float32))
        self.calls, self.fails_at = [0], fails_at

    def forward(self, x):
        self.calls[0] += 1
        if self.calls[0] == self.fails_at:
            raise KeyboardInterrupt
        self.last = x
        np.random.random()
        return self.body(x) * self.scale


@pytest.mark.parametrize("fails_at", [None, 1, 2, 5, 9, 14, 20, 30, 45, 80])
def test_everything_is_as_it_was(fails_at):
    model = Fragile(fails_at)
    model.body[2].eval()
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    F.cross_entropy(model.body(Tensor(X)), Tensor(LABELS)).backward()
    optimizer.step()
    before = snapshot(model, optimizer)
    x, y = X.copy(), LABELS.copy()
    try:
        report = nn.doctor(model, nn.CrossEntropyLoss(), (x, y), optimizer)
        assert fails_at is None and report.ok, str(report)
    except KeyboardInterrupt:
        assert fails_at is not None
    assert equal(snapshot(model, optimizer), before)
    assert np.array_equal(x, X) and np.array_equal(y, LABELS)
    assert autograd.is_grad_enabled()


def test_what_cannot_be_examined():
    with pytest.raises(TypeError, match=r"expected an nn.Module; got function"):
        nn.doctor(lambda x: x, nn.MSELoss(), (X, X))
    with pytest.raises(TypeError, match=r"expected a batch \(x, y\)"):
        nn.doctor(nn.Linear(6, 1), nn.MSELoss(), X)
    with pytest.raises(TypeError, match="loss_fn must be a function"):
        nn.doctor(nn.Linear(6, 1), 3, (X, YES))
    report = nn.doctor(nn.Linear(5, 1), nn.MSELoss(), (X, YES))
    assert report.titles == ["the batch does not go through"] and "expected axis -1" in str(report)


# -- and in the loop ---------------------------------------------------------------------------------------


def fitted(module, loss="sparse_categorical_crossentropy", y=LABELS):
    model = nn.Model(module)
    model.compile("adam", loss)
    model.fit(X, y, batch_size=8, epochs=2, verbose=0)
    return model


def test_fit_warns_of_mixed_samples():
    with pytest.warns(UserWarning, match=r"changes by up to .* when the other 7 samples of the batch are replaced"):
        fitted(nn.Sequential(nn.Linear(6, 8), nn.Softmax(0), nn.Linear(8, 3)))


def test_fit_warns_of_parameters_that_nothing_reaches():
    with pytest.warns(UserWarning, match=r"no gradient reaches a\.weight, a\.bias in the first step") as told:
        fitted(Net(lambda m, x: m.b(relu(m.a(x)).detach()), a=nn.Linear(6, 8), b=nn.Linear(8, 3)))
    assert len(told) == 1                     # once, not in every step or epoch


def test_fit_warns_of_an_optimizer_of_other_parameters():
    body = mlp(6, 8, 3)
    model = fitted(body)
    body[2] = nn.Linear(8, 3)
    with pytest.warns(UserWarning, match=r"2 of the 4 tensors of the Adam .* does not have 2\.weight, 2\.bias"):
        model.fit(X, LABELS, verbose=0)


@pytest.mark.parametrize("module", [
    mlp(6, 8, 3), nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(), nn.Linear(8, 3)),
    nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8, track_running_stats=False), nn.Linear(8, 3))])
def test_fit_is_silent_otherwise(module):
    fitted(module)                            # warnings are errors here


# -- the page ----------------------------------------------------------------------------------------------

ROOT = pathlib.Path(__file__).parent.parent.parent


def test_every_title_is_on_the_page():
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("|")} - {"title", "---"}
    text = "".join(f.read_text(encoding="utf-8") for f in (ROOT / "nn" / "diagnosis").glob("*.py"))
    said = {row for row in rows if f'"{row}"' in text}
    assert rows - said == {"output (32, 1) against target (32,)"}        # made of shapes
    titles = set(re.findall(r'report\.add\(\s*"(?:error|warning|note)", "([^"{]+)"', text))
    assert len(titles) > 15 and titles <= rows


def test_the_example_of_the_page():
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    program = page.split("```python\n")[1].split("```")[0].replace("print(report)", "")
    names = {}
    exec(compile(program, "page.py", "exec"), names)
    assert names["report"].titles == ["softmax over the batch axis"]
    assert "page.py:7" in str(names["report"])
