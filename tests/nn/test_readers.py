"""Readers of data files: small files of the real formats, whole, damaged, and of the wrong kind."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn import data

RNG = np.random.default_rng(0)
KINDS = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def idx(array, kind=0x08):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    return head + array.astype(KINDS[kind]).tobytes()


def folder(path, n=7, zipped=False, hyphen="-", train="train"):
    images, labels = RNG.integers(0, 256, (n, 28, 28)), RNG.integers(0, 10, n)
    for name, array in ((f"{train}-images{hyphen}idx3-ubyte", images), (f"{train}-labels{hyphen}idx1-ubyte", labels)):
        raw = idx(array)
        (path / (name + ".gz" * zipped)).write_bytes(gzip.compress(raw) if zipped else raw)
    return images, labels


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 3, 5), (0, 3)])
def test_idx(tmp_path, kind, shape):
    array = RNG.integers(0, 100, shape).astype(KINDS[kind])
    (tmp_path / "a").write_bytes(idx(array, kind))
    found = data.read_idx(tmp_path / "a")
    assert np.array_equal(found, array) and found.dtype == np.dtype(KINDS[kind]).newbyteorder("=")


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("hyphen", ["-", "."])
def test_mnist(tmp_path, zipped, hyphen):
    images, labels = folder(tmp_path, zipped=zipped, hyphen=hyphen)
    x, y = data.mnist(tmp_path)
    assert x.shape == (7, 1, 28, 28) and x.dtype == np.float32 and np.array_equal(np.round(x[:, 0] * 255), images)
    assert np.array_equal(y, labels) and y.dtype == np.int64
    with pytest.raises(FileNotFoundError, match=r"t10k-images-idx3-ubyte or .*the library downloads nothing"):
        data.mnist(tmp_path, train=False)


def test_what_is_wrong_with_mnist_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="an empty folder"):
        data.mnist(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        data.mnist(tmp_path / "nowhere")
    _, labels = folder(tmp_path)
    image_file, label_file = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    whole = image_file.read_bytes()
    for damaged, message in ((whole[:-1], "truncated; download it again"), (whole + b"x", "got more in"),
                             (whole[:9], "ends within its head"), (b"", "an empty file"),
                             (b"<!DOCTYPE html>", "a web page: the download failed"),
                             (b"PK\3\4" + whole, "unpack it first"),
                             (struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**31, 9) + b"x", "claims shape .* damaged"),
                             (gzip.compress(whole)[:-900], "was not downloaded whole"),
                             (gzip.compress(whole)[:60] + b"\0" * 500, "was not downloaded whole")):
        image_file.write_bytes(damaged)
        with pytest.raises(ValueError, match=message):
            data.mnist(tmp_path)
    image_file.write_bytes(idx(labels))
    with pytest.raises(ValueError, match="are they swapped"):
        data.mnist(tmp_path)
    image_file.write_bytes(whole)
    label_file.write_bytes(idx(labels[:-1]))
    with pytest.raises(ValueError, match=r"got 7 images in .* and 6 labels in"):
        data.mnist(tmp_path)
    label_file.write_bytes(idx(labels + 20))
    with pytest.raises(ValueError, match="expected labels from 0 to 9; got 2"):
        data.mnist(tmp_path)
    assert data.mnist(tmp_path, classes=47)[1].max() >= 20


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_damaged_idx_files_end_in_a_word(tmp_path_factory, drawn):
    """Any change of any bytes: an array, or ValueError; never anything else, never much memory."""
    path = tmp_path_factory.mktemp("idx") / "file"
    raw = bytearray(idx(np.arange(75).reshape(3, 5, 5)))
    if drawn.draw(st.booleans()):
        raw = bytearray(gzip.compress(bytes(raw), mtime=0))
    for _ in range(drawn.draw(st.integers(1, 4))):
        raw[drawn.draw(st.integers(0, min(len(raw) - 1, 24)))] = drawn.draw(st.integers(0, 255))
    path.write_bytes(raw[:drawn.draw(st.integers(0, len(raw)))])
    try:
        found = data.read_idx(path)
    except ValueError as error:
        assert "read_idx" in str(error)
    else:
        assert isinstance(found, np.ndarray)


def records(n, labels=1, classes=10):
    rows = RNG.integers(0, 256, (n, labels + 3072)).astype(np.uint8)
    rows[:, :labels] %= classes
    return rows


def test_cifar(tmp_path):
    rows = [records(4) for _ in range(5)]
    for k, part in enumerate(rows, 1):
        (tmp_path / f"data_batch_{k}.bin").write_bytes(part.tobytes())
    x, y = data.cifar10(tmp_path)
    assert x.shape == (20, 3, 32, 32) and np.array_equal(y, np.concatenate(rows)[:, 0])
    assert np.isclose(x[1, 2, 3, 4] * 255, rows[0][1, 1 + 2 * 1024 + 3 * 32 + 4])
    with pytest.raises(FileNotFoundError, match=r"expected test_batch\.bin"):
        data.cifar10(tmp_path, train=False)
    (tmp_path / "fine.bin").write_bytes(records(3, 2, 100).tobytes())
    assert data.read_cifar(tmp_path / "fine.bin", labels=2, classes=100)[0].shape == (3, 3, 32, 32)
    target = tmp_path / "data_batch_2.bin"
    bad = records(4)
    bad[2, 0] = 11
    for damaged, message in ((rows[1].tobytes()[:-5], "truncated or of another format"), (b"", "got 0 bytes"),
                             (b"\x80\x04" + b"p" * 999, "nothing here loads pickles"),
                             (bad.tobytes(), "got 11 in record 2")):
        target.write_bytes(damaged)
        with pytest.raises(ValueError, match=message):
            data.cifar10(tmp_path)


@pytest.fixture
def pictures(tmp_path):
    pil = pytest.importorskip("PIL.Image")
    pixels = RNG.integers(0, 256, (6, 8, 3)).astype(np.uint8)
    for name, k in (("cat/1.png", 1), ("cat/2.png", 2), ("dog/7.png", 3)):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        pil.fromarray(pixels // k).save(path)
    (tmp_path / "dog" / "notes.txt").write_text("no image")
    return tmp_path, pixels


def test_images_and_arrays(pictures):
    root, pixels = pictures
    image = data.load_img(root / "cat" / "1.png")
    assert np.array_equal(data.img_to_array(image), pixels) and data.img_to_array(image).dtype == np.float32
    assert data.img_to_array(image, "channels_first").shape == (3, 6, 8)
    gray = data.img_to_array(data.load_img(root / "cat" / "1.png", "grayscale", (3, 4), "bilinear"))
    assert gray.shape == (3, 4, 1)
    assert data.load_img(root / "cat" / "1.png", target_size=(4, 4), keep_aspect_ratio=True).size == (4, 4)
    assert np.array_equal(np.asarray(data.array_to_img(pixels, scale=False)), pixels)
    assert np.asarray(data.array_to_img(np.array([[0.0, 2.0]]))).tolist() == [[0, 255]]
    assert not np.asarray(data.array_to_img(np.full((2, 2), np.nan), scale=False)).any()
    data.save_img(root / "again.png", pixels, scale=False)
    assert np.array_equal(np.asarray(data.load_img(root / "again.png")), pixels)
    assert data.load_img((root / "again.png").read_bytes()).size == (8, 6)


def test_images_of_16_bits_keep_their_brightness(pictures):
    from PIL import Image
    root, _ = pictures
    Image.fromarray(np.array([[0, 32768, 65535]], np.uint16)).save(root / "deep.png")
    assert data.img_to_array(data.load_img(root / "deep.png", "grayscale")).ravel().tolist() == [0, 127, 255]


def test_what_is_wrong_with_an_image_is_said(pictures):
    root, pixels = pictures
    whole = (root / "cat" / "1.png").read_bytes()
    for damaged in (whole[:60], b"no image", b"", whole[:30] + b"\xff" * 20 + whole[50:]):
        with pytest.raises(ValueError, match="expected a whole image"):
            data.load_img(damaged)
    huge = bytearray(whole)
    huge[16:24] = struct.pack(">II", 2**30, 2**30)
    with pytest.raises(ValueError, match="expected"):
        data.load_img(bytes(huge))
    with pytest.raises(ValueError, match="color_mode to be 'rgb', 'rgba' or 'grayscale'; got 'RGB'"):
        data.load_img(root / "cat" / "1.png", "RGB")
    with pytest.raises(FileNotFoundError):
        data.load_img(root / "none.png")
    with pytest.raises(ValueError, match=r"1, 3 or 4 channels.*\(3, 6, 8\)"):
        data.array_to_img(pixels.transpose(2, 0, 1))
    with pytest.raises(ValueError, match=r"ends in \.png"):
        data.save_img(root / "x.unknown", pixels)
    assert not (root / "x.unknown").exists()


def test_folders_of_images(pictures):
    root, pixels = pictures
    found = data.ImageFolder(root, size=(6, 8))
    assert found.classes == ["cat", "dog"] and len(found) == 3 and found.targets == [0, 0, 1]
    image, k = found[0]
    assert k == 0 and image.shape == (3, 6, 8) and np.allclose(image * 255, pixels.transpose(2, 0, 1))
    assert len({data.ImageFolder(root, (3, 4), interpolation=how)[0][0].tobytes() for how in ("box", "nearest")}) == 2
    x, y = next(iter(data.DataLoader(found, batch_size=3, num_workers=1)))
    assert x.shape == (3, 3, 6, 8) and y.tolist() == [0, 0, 1]
    (root / "dog" / "7.png").write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"7\.png"):
        found[2]
    (root / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="take the folder away"):
        data.ImageFolder(root)
    with pytest.raises(FileNotFoundError, match="one folder a class"):
        data.ImageFolder(root / "cat")
