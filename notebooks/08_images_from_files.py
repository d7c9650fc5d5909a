# %% [markdown]
# # 08 · Images from files
#
# So far the images came as an array, ready to use. Yours will be files: some large, some in colour, some lying on
# their side of the page. Getting them into the shape a network expects is half of the work, and most of the mistakes.

# %%
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw

import autograd
import nn
import optim
import viz
from nn.data import DataLoader, ImageFolder, array_to_img, img_to_array, load_img, save_img

autograd.manual_seed(0)
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
scratch = TemporaryDirectory()
folder = Path(scratch.name)

# %% [markdown]
# ## A photograph, nearly
#
# We draw a picture with Pillow and save it, to have a file whose every pixel we know: 90 wide, 60 high, in colour.

# %%
picture = Image.new("RGB", (90, 60), "#9BC7E8")
pen = ImageDraw.Draw(picture)
pen.rectangle((0, 42, 89, 59), fill="#5E8C4A")
pen.ellipse((64, 6, 80, 22), fill="#F5C518")
pen.rectangle((18, 26, 44, 44), fill="#B5533C")
pen.polygon([(14, 26), (31, 12), (48, 26)], fill="#5A3A31")
picture.save(folder / "house.png")
print((folder / "house.png").stat().st_size, "bytes")

# %% [markdown]
# `load_img` reads a file, `img_to_array` makes numbers of it. The names and arguments are Keras's.

# %%
image = load_img(folder / "house.png")
a = img_to_array(image)
print("Pillow says (width, height):            ", image.size)
print("the array is (height, width, channels): ", a.shape, a.dtype)
print("values from", a.min(), "to", a.max())
print("the sky, top left:", a[0, 0], " the sun:", a[14, 72])
assert a.shape == (60, 90, 3) and tuple(a[0, 0]) == (0x9B, 0xC7, 0xE8)

# %% [markdown]
# Three traps in three lines:
#
# * Pillow counts width first, arrays count height first: row, then column.
# * Keras keeps the channels *last*, (H, W, C). Our convolutions, like PyTorch's, want them *first*, (C, H, W).
# * The values go from 0 to 255. Networks like numbers around 1, so divide.

# %%
x = img_to_array(image, data_format="channels_first") / 255
print(x.shape, f"from {x.min():.2f} to {x.max():.2f}")
assert np.allclose(x.transpose(1, 2, 0), a / 255)

figure, axes = plt.subplots(1, 4, figsize=(9, 1.9), layout="constrained")
axes[0].imshow(x.transpose(1, 2, 0))
axes[0].set_title("all channels")
for ax, channel, name in zip(axes[1:], x, ("red", "green", "blue")):
    ax.imshow(channel, cmap="gray", vmin=0, vmax=1)
    ax.set_title(name)
for ax in axes:
    ax.axis("off")
plt.show()

# %% [markdown]
# The sun is bright in red and green and dark in blue: that is what yellow is.
#
# ## All to one size
#
# A batch is one array, so its images need one size. `target_size` is (height, width). How the new pixels are made out
# of the old is `interpolation`, and `keep_aspect_ratio` cuts the middle out instead of squeezing.

# %%
shown = {
    "as it is": load_img(folder / "house.png"),
    "grayscale": load_img(folder / "house.png", color_mode="grayscale"),
    "squeezed to 24 × 24": load_img(folder / "house.png", target_size=(24, 24)),
    "... bilinear": load_img(folder / "house.png", target_size=(24, 24), interpolation="bilinear"),
    "... aspect ratio kept": load_img(folder / "house.png", target_size=(24, 24), interpolation="bilinear",
                                      keep_aspect_ratio=True),
}
figure, axes = plt.subplots(1, len(shown), figsize=(10, 2.1), layout="constrained")
for ax, (name, image) in zip(axes, shown.items()):
    array = img_to_array(image)
    print(f"{name:<22} {array.shape}")
    ax.imshow(array.squeeze() / 255, cmap="gray", vmin=0, vmax=1)
    ax.set_title(name, fontsize=8)
    ax.axis("off")
plt.show()
assert img_to_array(shown["squeezed to 24 × 24"]).shape == (24, 24, 3)
assert img_to_array(shown["grayscale"]).shape == (60, 90, 1)

# %% [markdown]
# *Nearest* takes one old pixel for each new one and drops the rest, so edges get jagged; *bilinear* averages. When
# images get smaller, average.
#
# Grey is a mixture, since eyes are keenest for green:
#
# $$\text{grey} = 0.299\, R + 0.587\, G + 0.114\, B$$

# %%
grey = img_to_array(shown["grayscale"])[..., 0]
mixed = a @ [0.299, 0.587, 0.114]
print(f"largest difference from the formula: {np.abs(grey - mixed).max():.2f} of 255; greys are whole numbers")
assert np.abs(grey - mixed).max() <= 1

# %% [markdown]
# And back: `array_to_img` makes an image of an array, `save_img` a file. `scale=True`, the default, stretches the
# values to 0 ... 255, as Keras does; `scale=False` takes them as they are. PNG loses nothing, JPEG does, most of all
# at sharp edges between colours:

# %%
save_img(folder / "again.png", a, scale=False)
save_img(folder / "again.jpg", a, scale=False)
for name in ("again.png", "again.jpg"):
    difference = np.abs(img_to_array(load_img(folder / name)) - a)
    print(f"{name}: difference {difference.mean():.2f} of 255 on average, at most {difference.max():.0f}")
assert (img_to_array(load_img(folder / "again.png")) == a).all()
array_to_img(a, scale=False)

# %% [markdown]
# ## What a broken file says
#
# In a thousand downloads one is cut off, and one is a web page that calls itself `.jpg`. Better an error now than a
# strange image in the middle of training.

# %%
whole = (folder / "house.png").read_bytes()
(folder / "cut.png").write_bytes(whole[:len(whole) // 2])
(folder / "page.jpg").write_text("<html>404 not found</html>")
for name in ("cut.png", "page.jpg"):
    try:
        load_img(folder / name)
        raise AssertionError("a broken file was read")
    except ValueError as error:
        print(str(error).replace(f"{folder}/", ""), "\n")

# %% [markdown]
# ## A folder for each class
#
# Image collections usually come as one folder a class. We make one: each digit as a PNG, three times as large as the
# original and as black ink on white paper, in the folder of its name.

# %%
digits, labels, *_ = nn.data.digits()
for k, (digit, label) in enumerate(zip(digits[:, 0], labels)):
    (folder / "digits" / str(label)).mkdir(parents=True, exist_ok=True)
    big = np.kron(1 - digit, np.ones((3, 3)))
    save_img(folder / "digits" / str(label) / f"{k:04d}.png", 255 * big[:, :, None], scale=False)
files = sorted((folder / "digits").rglob("*.png"))
print(len(files), "files; the first:", files[0].relative_to(folder))
assert len(files) == len(labels)

# %% [markdown]
# `ImageFolder` finds them, makes the names of the folders the classes, and brings every image to one size as (C, H,
# W) from 0 to 1 when it is asked for. `transform` is where preprocessing of your own goes: here paper becomes 0 and
# ink 1.

# %%
dataset = ImageFolder(folder / "digits", size=(8, 8), color_mode="grayscale",
                      transform=lambda image: 1 - image)
print(len(dataset), "images, classes", dataset.classes)
print("images per class", *(f"{count}," for count in Counter(dataset.targets).values()))
image, label = dataset[0]
print("one sample:", image.shape, image.dtype, "label", label)

# %% [markdown]
# Did the digits survive the journey from array to enlarged, inverted file and back? With "box" each new pixel is the
# mean of exactly the 3 × 3 old ones, so all of them must come back. `ImageFolder` takes bilinear, whose averages
# reach a little into the neighbours: the usual choice for photographs, and here a slight blur.

# %%
numbers = [int(path.stem) for path, _ in dataset.samples]
boxes = [load_img(path, "grayscale", (8, 8), "box") for path, _ in dataset.samples]
exact = 1 - np.stack([img_to_array(image, "channels_first") for image in boxes]) / 255
print(f"box:      largest difference {np.abs(exact - digits[numbers]).max():.4f} (a byte is {1 / 255:.4f})")
assert np.abs(exact - digits[numbers]).max() <= 1 / 255 + 1e-6

x = np.stack([image for image, _ in dataset])
y = np.array(dataset.targets)
print(f"bilinear: largest difference {np.abs(x - digits[numbers]).max():.4f}")
assert (y == labels[numbers]).all()
viz.image_grid(x[::90, 0], [str(label) for label in y[::90]])

# %% [markdown]
# They come sorted by class: zeros first. A split that takes the last fifth for the test would learn without nines! So
# shuffle before splitting.

# %%
order = np.random.default_rng(0).permutation(len(x))
train, test = order[:1400], order[1400:]
print("labels in order of files:", y[:12], "... shuffled:", y[train][:12])

# %% [markdown]
# ## Dense 64-64-10
#
# *Dense* is Keras's name for `nn.Linear`. Two hidden layers of 64, ten scores, and plain SGD, with momentum: the step
# is an average over past gradients, so that it keeps going where they agree and cancels where they quarrel.
#
# $$v \leftarrow \mu\, v + g \qquad w \leftarrow w - \eta\, v \qquad \mu = 0.9$$

# %%
def dense():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 64), nn.ReLU(),
        nn.Linear(64, 64), nn.ReLU(),
        nn.Linear(64, 10))


network = dense()
model = nn.Model(network)
model.compile(optim.SGD(network.parameters(), lr=0.02, momentum=0.9), "sparse_categorical_crossentropy",
              metrics=["accuracy"])
history = model.fit(x[train], y[train], batch_size=32, epochs=30, validation_split=0.15, verbose=0)
viz.training_curves(history)

# %% [markdown]
# What does momentum buy? The same start, the same digits, with and without:

# %%
def losses(momentum):
    autograd.manual_seed(1)
    model = nn.Model(dense())
    optimizer = optim.SGD(model.parameters(), lr=0.02, momentum=momentum)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model.fit(x[train], y[train], epochs=8, verbose=0)


runs = {"momentum 0": losses(0), "momentum 0.9": losses(0.9)}
for name, run in runs.items():
    print(f"{name:<13}" + " ".join(f"{value:.3f}" for value in run.history["loss"]))
assert runs["momentum 0.9"].history["loss"][-1] < 0.5 * runs["momentum 0"].history["loss"][-1]

# %% [markdown]
# ## predict and argmax
#
# `predict` gives ten scores for each image. The place of the greatest, `argmax`, is the answer. `softmax` makes
# shares of them that add up to 1, and does not change which is greatest.

# %%
scores = model.predict(x[test], verbose=0)
answers = scores.argmax(axis=1)
shares = autograd.softmax(scores, dim=1)
sure = shares.max(axis=1)
for name, k in (("the surest", sure.argmax()), ("the least sure", sure.argmin())):
    print(f"{name}: scores {scores[k].round(1)}")
    print(f"   shares {shares[k].round(2)}   argmax {answers[k]}, truth {y[test][k]}")
accuracy = (answers == y[test]).mean()
print(f"{accuracy:.1%} of the {len(test)} test images are right")
assert np.allclose(shares.sum(axis=1), 1, atol=1e-6) and (shares.argmax(axis=1) == answers).all()
assert abs(model.evaluate(x[test], y[test], verbose=0)[1] - accuracy) < 1e-6
assert accuracy > 0.92

# %% [markdown]
# ## Your own drawing
#
# The whole way for one new file: draw a 2 on a large white page, load it, preprocess it *exactly as the training
# images were*, add the batch axis, predict. Then the same with one step forgotten.

# %%
page = Image.new("RGB", (160, 160), "white")
pen = ImageDraw.Draw(page)
pen.arc((40, 4, 112, 84), 180, 50, fill="black", width=24)
pen.line([(104, 62), (48, 144), (120, 144)], fill="black", width=24, joint="curve")
page.save(folder / "mine.png")


def prepared(path):
    image = load_img(path, color_mode="grayscale", target_size=(8, 8), interpolation="bilinear")
    return 1 - img_to_array(image, data_format="channels_first") / 255


mine = prepared(folder / "mine.png")[None]
forgotten = {
    "as in training": mine,
    "not inverted": 1 - mine,
    "not divided by 255": 255 * mine,
    "rows and columns swapped": mine.transpose(0, 1, 3, 2),
}
figure, axes = plt.subplots(1, 4, figsize=(9, 2.4), layout="constrained")
said = {}
for ax, (name, one) in zip(axes, forgotten.items()):
    share = autograd.softmax(model.predict(one, verbose=0), dim=1)[0]
    said[name] = int(share.argmax())
    ax.imshow(one[0, 0], cmap="gray_r")
    ax.set_title(f"{name}\n→ {said[name]} ({share.max():.0%} sure)", fontsize=9)
    ax.axis("off")
plt.show()
assert said["as in training"] == 2
assert len(set(said.values())) > 1

# %% [markdown]
# A network never says "this is no digit, you forgot something". It answers whatever it is asked, and often with great
# confidence. So keep preprocessing in one function, and use the same one for training and for the real world.
#
# When images are too many for the memory, leave them in their files. A `DataLoader` reads a batch when it is needed:

# %%
loader = DataLoader(dataset, batch_size=300, shuffle=True, num_workers=2)
memory, files = model.evaluate(x, y, verbose=0)[1], model.evaluate(loader, verbose=0)[1]
print(f"accuracy on all images from memory {memory:.2%}, from files {files:.2%}")
assert abs(memory - files) < 1e-9
scratch.cleanup()

# %% [markdown]
# ## Try it
#
# 1. Draw a 7 in the same way, as two straight strokes. Is it read right? Compare it with the sevens in the folder.
#    Then a photo of a digit that you wrote.
# 2. Load everything with `interpolation="nearest"` instead of bilinear. Does it matter, for these files? Why not?
# 3. Leave out the shuffling (`order = np.arange(len(x))`). What do the curves say, and what does the test say?
#
# Next: [09 · Recurrent networks on characters](09_recurrent_networks_on_characters.ipynb)
