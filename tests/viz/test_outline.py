"""The picture in words, word for word."""

import viz


def test_a_network(graphs):
    assert viz.draw(graphs["mlp"]()).text == """\
Computation graph of 7 operations: 4 parameters with 144 numbers; inputs x; result mean scalar.
  1 ▷ x 16×8
    ⊟ fc1 Linear
  2   ⊗ matmul 16×8 ∇0.02 (◆ weight 8×8 ∇0.02)  ← 1
  3   + add 16×8 ∇0.02 (◆ bias 8 ∇0.02)  ← 2
  4 ƒ relu 16×8 ∇0.01  ← 3
    ⊟ fc2 Linear
  5   ⊗ matmul 16×8 ∇0.5 (◆ weight 8×8 ∇0.5)  ← 4
  6   + add 16×8 ∇0.5 (◆ bias 8 ∇0.5)  ← 5
  7 + power 16×8 ∇0.01 (# 2.0)  ← 6
  8 ★ mean (0.25)  ← 7"""


def test_backward(graphs):
    assert viz.draw(graphs["mlp"](), direction="backward").text == """\
Backward graph of 7 operations: 4 parameters with 144 numbers; inputs x; result mean scalar.
  1 ★ output 0.25 (g = 1)
  2 Σ mean scalar ∇1 (gx = expand(g) / n)  ← 1
  3 + power 16×8 ∇0.01 (gx = g * y * x ** (y - 1))  ← 2
    ⊟ fc2 Linear
  4   + add 16×8 ∇0.5 (◆ bias.grad = g 8 ∇0.5; gx = g)  ← 3
  5   ⊗ matmul 16×8 ∇0.5 (◆ weight.grad = x.mT @ g 8×8 ∇0.5; gx = g @ y.mT)  ← 4
  6 ƒ relu 16×8 ∇0.01 (gx = where(out > 0, g, 0))  ← 5
    ⊟ fc1 Linear
  7   + add 16×8 ∇0.02 (◆ bias.grad = g 8 ∇0.02; gx = g)  ← 6
  8   ⊗ matmul 16×8 ∇0.02 (◆ weight.grad = x.mT @ g 8×8 ∇0.02)  ← 7"""


def test_scalars(graphs):
    assert viz.draw(graphs["scalars"]()).text == """\
Computation graph of 3 operations: no parameters; inputs x, w, b; result o scalar.
  1 x (data 2.0; grad -1.5)
  2 w (data -3.0; grad 1.0)
  3 b (data 6.8814; grad 0.5)
  4 × data -6.0 (grad 0.5)  ← 1, 2
  5 + data 0.8814 (grad 0.5)  ← 4, 3
  6 tanh o (data 0.7071; grad 1.0)  ← 5"""


def test_repeats(graphs):
    text = viz.draw(graphs["residual"](12)).text
    assert "       ⊞ ResBlock ×12 blocks.0 … blocks.11\n" in text
    assert text.count("relu") == 1


def test_long_ones_are_cut(graphs):
    text = viz.draw(graphs["chain"](2000), budget=None).text
    assert text.endswith("… 1402 more\ngradients: pending, no backward pass yet")
