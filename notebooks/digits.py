# %% [markdown]
# # Handwritten digits: train a small network on 1,797 real 8x8 scans and draw what happened

# %%
from itertools import product
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import autograd
import nn
import optim
import viz

autograd.manual_seed(0)

# %% [markdown]
# ## The data
# The first half is for training and the second, by other writers, for the test. A digit moved by one pixel is still
# that digit: nine copies of each training image, moved every way, teach the network so.

# %%
scans, labels = load_digits(return_X_y=True)
images = (scans / 16).astype("float32").reshape(-1, 8, 8)
half = len(images) // 2
x_test, y_test = images[half:], labels[half:]
framed = np.pad(images[:half], ((0, 0), (1, 1), (1, 1)))
moves = list(product((0, 1, 2), repeat=2))
x_train = np.concatenate([framed[:, dy:dy + 8, dx:dx + 8] for dy, dx in moves])
y_train = np.tile(labels[:half], len(moves))

# %% [markdown]
# ## The model, trained
# Two hidden layers; dropout and smoothed labels against over-confidence; a learning rate that falls along a cosine.

# %%
network = nn.Sequential(
    nn.Flatten(), nn.Linear(64, 256), nn.ReLU(), nn.Dropout(0.3),
    nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10),
)
optimizer = optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.05)
schedule = optim.CosineAnnealingLR(optimizer, T_max=20)
model = nn.Model(network)
model.compile(optimizer, nn.CrossEntropyLoss(label_smoothing=0.1), metrics=["accuracy"])
model.summary()
history = model.fit(x_train, y_train, epochs=20, batch_size=64, validation_data=(x_test, y_test),
                    callbacks=[nn.LambdaCallback(on_epoch_end=lambda epoch, logs: schedule.step())])
predicted = model.predict(x_test).argmax(axis=1)
result = f"{(predicted == y_test).mean():.2%} of the {len(y_test)} held-out digits are right"
print(result)

# %% [markdown]
# ## The pictures
# `record()` keeps every value, every gradient and the module each step ran in; `viz` draws them.

# %%
with autograd.record():
    digits, answers = autograd.Tensor(x_test[:32], name="digits"), autograd.Tensor(y_test[:32], name="labels")
    loss = nn.functional.cross_entropy(network(digits), answers)
    loss.backward()
wrong = np.flatnonzero(predicted != y_test)[:30]
forward, backward = viz.draw(loss), viz.draw(loss, direction="backward")
curves = viz.training_curves(history)
mistakes = viz.image_grid(x_test[wrong], [f"{y_test[k]} seen as {predicted[k]}" for k in wrong], mistakes=True)

out = Path("out").resolve()
out.mkdir(exist_ok=True)
forward.save(out / "forward.svg")
backward.save(out / "backward.svg")
curves.savefig(out / "training.svg")
mistakes.savefig(out / "misclassified.svg")
viz.save_page(out / "index.html", "Handwritten digits", lead=f"{result}.", sections=[
    ("Training", "Loss and accuracy by epoch; the test half was never trained on.", curves),
    ("Mistakes", "Digits it got wrong.", mistakes),
    ("Forward", "What the loss was computed from, with the size of the gradient that reached each step.", forward),
    ("Backward", "How the gradient came back, and the rule that carried it at each step.", backward),
])
print("pictures:", *sorted(out.glob("*.svg")), f"all together: {out / 'index.html'}", sep="\n  ")
