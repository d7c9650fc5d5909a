# %% [markdown]
# # 01 · A scalar that remembers
#
# Training a neural network asks one question again and again: *if I turn this knob a little, how much does the result
# change?* The answer is a derivative. Here a number learns to answer that by itself, because it remembers how it was
# computed.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import autograd
import viz
from autograd import Tensor

autograd.set_default_dtype("float64")          # 16 digits, to compare derivatives with care
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
BLUE, ORANGE, GREEN, GREY = "#0B5394", "#D55E00", "#007A5E", "#8A929A"

# %% [markdown]
# ## A slope, measured
#
# The derivative of $f$ at $x$ is the slope of the line through two points of the curve, when they move together:
#
# $$f'(x) = \lim_{h \to 0} \frac{f(x + h) - f(x)}{h}$$

# %%
def f(x):
    return x**3 - 4 * x + 5


def slope(f, x, h):
    return (f(x + h) - f(x)) / h


for h in (1, 0.1, 0.01, 0.001, 1e-6):
    print(f"h = {h:<8g} slope = {slope(f, 2.0, h):.6f}")

# %%
xs = np.linspace(0, 3.4, 200)
figure, axes = plt.subplots(figsize=(5, 3))
axes.plot(xs, f(xs), color=BLUE, linewidth=2, label="f")
for h, color in ((1.2, GREY), (0.5, ORANGE), (1e-6, GREEN)):
    line = f(2.0) + slope(f, 2.0, h) * (xs - 2)
    axes.plot(xs, line, color=color, linewidth=1.2, label=f"secant, h = {h:g}")
    axes.plot(2 + h, f(2 + h), "o", color=color, markersize=5)
axes.plot(2, f(2.0), "o", color=BLUE)
axes.set(xlabel="x", ylabel="f(x)", ylim=(-5, 26))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# The lines turn into the tangent. So why not always take a tiny $h$? A computer keeps 16 digits, and the difference of
# two nearly equal numbers loses them.

# %%
exact = 3 * 2.0**2 - 4                         # what school says about x³ - 4x + 5
steps = np.logspace(-16, 0, 65)
one_sided = [abs(slope(f, 2.0, h) - exact) for h in steps]
central = [abs((f(2.0 + h) - f(2.0 - h)) / (2 * h) - exact) for h in steps]

figure, axes = plt.subplots(figsize=(5, 2.8))
axes.loglog(steps, np.maximum(one_sided, 1e-16), color=ORANGE, label="(f(x+h) - f(x)) / h")
axes.loglog(steps, np.maximum(central, 1e-16), color=GREEN, label="(f(x+h) - f(x-h)) / 2h")
axes.set(xlabel="h", ylabel="error of the slope")
axes.legend(frameon=False)
best = steps[np.argmin(one_sided)]
print(f"the best one-sided h is {best:.0e}; both smaller and larger ones are worse")
assert one_sided[0] > min(one_sided) and one_sided[-1] > min(one_sided)

# %% [markdown]
# Steps too large miss the curve, steps too small drown in rounding. There is a second price: with a million knobs, a
# million and one runs. We want all slopes at once, and exactly.
#
# ## A number that remembers
#
# A `Tensor` with `requires_grad=True` is a number that keeps a note of what was done with it. `backward()` reads the
# notes in reverse and leaves the derivative in `.grad`.

# %%
x = Tensor(2.0, requires_grad=True, name="x")
y = f(x)                                       # the same Python function as above
y.backward()
print("f(2)  =", y.item())
print("f'(2) =", x.grad.item(), "  by school rules:", exact)
assert x.grad.item() == exact

# %% [markdown]
# Here are the notes, one line for each step, and the same as a picture:

# %%
print(y.graph())
viz.draw(y)

# %% [markdown]
# ## The chain rule
#
# Each step knows one thing only: its own slope. If $y$ depends on $u$, and $u$ on $x$, the slopes multiply:
#
# $$\frac{dy}{dx} = \frac{dy}{du} \cdot \frac{du}{dx}$$
#
# Like gears: if $u$ turns three times as fast as $x$, and $y$ twice as fast as $u$, then $y$ turns six times as fast.
# Take a neuron, $y = \tanh(w x + b)$. Inside the block `record()` every value and every gradient is kept for pictures.

# %%
x = Tensor(2.0, requires_grad=True, name="x")
w = Tensor(-0.3, requires_grad=True, name="w")
b = Tensor(1.0, requires_grad=True, name="b")
with autograd.record():
    y = (x * w + b).tanh()
    y.backward()
viz.draw(y)

# %% [markdown]
# `viz.explain` writes the whole calculation down: the values on the way there, the slope of each step, and the way back
# to $w$.

# %%
viz.explain(y, w)

# %% [markdown]
# Check it with the derivative of $\tanh u$, which is $1 - \tanh^2 u$:

# %%
by_hand = (1 - math.tanh(2.0 * -0.3 + 1.0)**2) * 2.0
measured = slope(lambda w: math.tanh(2.0 * w + 1.0), -0.3, 1e-8)
print(f"by hand   {by_hand:.10f}\nmeasured  {measured:.10f}\nbackward  {w.grad.item():.10f}")
assert abs(w.grad.item() - by_hand) < 1e-14 and abs(measured - by_hand) < 1e-6

# %% [markdown]
# ## Two ways add up
#
# In $y = x \cdot x + 3x$ the number $x$ is used three times. Each way from $x$ to $y$ brings its own slope, and they
# are *added*.

# %%
x = Tensor(4.0, requires_grad=True, name="x")
with autograd.record():
    y = x * x + 3 * x
    y.backward()
why = viz.explain(y, x)
for term in why.terms:
    print(f"{term.value:+.0f}   =", " · ".join(f"{factor.slope:g}" for factor in term.factors))
print(f"{why.gradient:+.0f}   in all;   2x + 3 = {2 * 4.0 + 3:.0f}")
assert why.gradient == x.grad.item() == sum(term.value for term in why.terms) == 11

# %% [markdown]
# The same adding happens *between* two calls of `backward()`: `.grad` is a running total. That is why every training
# loop says `zero_grad()` before the next round.

# %%
x = Tensor(4.0, requires_grad=True)
for turn in (1, 2):
    (x * x).backward()
    print(f"after backward number {turn}: x.grad = {x.grad.item()}")
x.zero_grad()
(x * x).backward()
print(f"after zero_grad and one more: x.grad = {x.grad.item()}")
assert x.grad.item() == 8

# %% [markdown]
# ## The whole trick in a few lines
#
# Nothing here is magic. A number, where it came from, the slope of that step, and a loop from the end to the start:

# %%
class Remembering:
    def __init__(self, value, sources=()):
        self.value, self.grad = value, 0.0
        self.sources = sources                 # (number, slope of this step) pairs

    def __add__(self, other):
        return Remembering(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        product = self.value * other.value
        return Remembering(product, [(self, other.value), (other, self.value)])

    def tanh(self):
        t = math.tanh(self.value)
        return Remembering(t, [(self, 1 - t * t)])

    def backward(self):
        order, seen = [], set()

        def visit(number):                     # a number comes after everything it was made from
            if number not in seen:
                seen.add(number)
                for source, _ in number.sources:
                    visit(source)
                order.append(number)

        visit(self)
        self.grad = 1.0
        for number in reversed(order):
            for source, local in number.sources:
                source.grad += number.grad * local      # chain rule: times.  Several ways: plus.


def program(x, w, b):
    u = x * w + b
    return (u * u + x).tanh() * u


mine = [Remembering(v) for v in (2.0, -0.3, 1.0)]
theirs = [Tensor(v, requires_grad=True) for v in (2.0, -0.3, 1.0)]
program(*mine).backward()
program(*theirs).backward()
for name, m, t in zip("xwb", mine, theirs):
    print(f"d/d{name}   ours {m.grad:+.15f}   glassgrad {t.grad.item():+.15f}")
    assert abs(m.grad - t.grad.item()) < 1e-14

# %% [markdown]
# glassgrad does the same, for a hundred more operations, for arrays instead of single numbers, and without recursion,
# so that a graph may be as deep as it likes.
#
# ## A bigger one
#
# The README of [micrograd](https://github.com/karpathy/micrograd) ends with this expression. It means nothing; it just
# uses everything.

# %%
a = Tensor(-4.0, requires_grad=True, name="a")
b = Tensor(2.0, requires_grad=True, name="b")
with autograd.record():
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + (b + a).relu()
    d = d + 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
print(f"g     = {g.item():.4f}")
print(f"dg/da = {a.grad.item():.4f}")
print(f"dg/db = {b.grad.item():.4f}")
said = "24.7041 138.8338 645.5773"               # in that README
assert f"{g.item():.4f} {a.grad.item():.4f} {b.grad.item():.4f}" == said

# %%
viz.draw(g, rankdir="TB")

# %% [markdown]
# How many ways lead from $b$ to $g$? The derivative is the sum over all of them. These are the largest; the rest is one
# line. (Steps of slope 1 are left out.)

# %%
why = viz.explain(g, b, most=6)
for term in why.terms:
    slopes = [factor.slope for factor in term.factors if factor.slope != 1]
    print(f"{term.value:+9.3f}  =", " · ".join(f"{slope:g}" for slope in slopes))
print(f"{why.rest:+9.3f}     {why.count - len(why.terms)} further ways")
print(f"{why.gradient:+9.3f}     dg/db, the sum of all {why.count} ways")
total = math.fsum([*(term.value for term in why.terms), why.rest])
assert abs(total / b.grad.item() - 1) < 1e-12

# %% [markdown]
# ## What it is good for
#
# The gradient says which way is up. A small step the other way makes $g$ smaller, and we know beforehand by about how
# much: $\Delta g \approx \frac{\partial g}{\partial a} \Delta a + \frac{\partial g}{\partial b} \Delta b$.

# %%
def expression(a, b):
    c = 4 * (a + b) + 3 - a                    # the c above, simplified
    d = 12 * (a * b + b**3) + 4 * (b + a).relu() + (b - a).relu()
    e = (c - d)**2
    return e / 2 + 10 / e


step = 1e-5
da, db = -step * a.grad.item(), -step * b.grad.item()
foretold = a.grad.item() * da + b.grad.item() * db
after = expression(Tensor(-4.0 + da), Tensor(2.0 + db)).item()
print(f"foretold {foretold:+.4f}\nhappened {after - g.item():+.4f}")
assert after < g.item() and abs((after - g.item()) / foretold - 1) < 0.2

# %% [markdown]
# Repeat that and you have gradient descent, which is most of what training is.
#
# ## Try it
#
# 1. Change `x` to `0.0` in the neuron. What are the gradients of `w` and of `x`, and why?
# 2. Teach `Remembering` to divide and to take `exp`. Compare with `Tensor` on `exp(a) / (a + b)`.
# 3. `relu` has a corner at 0. What does `Tensor(0.0, requires_grad=True).relu()` say its slope is there? Look it up in
#    [docs/conventions.md](../docs/conventions.md).
#
# Next: [02 · Backpropagation by hand](02_backpropagation_by_hand.ipynb)
