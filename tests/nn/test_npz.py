"""Checkpoints as NumPy's archives: written and read back, by NumPy too; hostile files; files of other formats."""

import io
import os
import struct
import zipfile

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor

NAMES = ["a", "a.b", "a/b", "/a", "../x", "C:/a", "%2F", "a%b", "a\\b", "x\0y", "", "..", "ü", "a//b", "w:0", " ",
         "a.npy"]
ARRAYS = {
    "bool": np.array([True, False]), "u8": np.arange(5, dtype=np.uint8), "half": np.array([0.5, np.inf], np.float16),
    "i64": np.array(-(1 << 62)), "double": np.array([np.nan, 1e-320, -0.0]), "complex": np.array([1 + 2j]),
    "empty": np.zeros((0, 3), np.float32), "turned": np.arange(6.0).reshape(2, 3).T,
    "big-endian": np.arange(3, dtype=">f4"),
    "sliced": np.arange(10, dtype=np.int32)[::3], **{name: np.full((2, 3), k + 0.5) for k, name in enumerate(NAMES)},
}


def same(a, b):
    b = np.asarray(b.value if isinstance(b, Tensor) else b)
    assert a.shape == b.shape and a.dtype.newbyteorder("=") == b.dtype and b.dtype.isnative
    assert np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def test_round_trip(tmp_path):
    path = tmp_path / "all.NPZ"
    nn.save(ARRAYS, path, {"step": "3", "größe": "x"})
    state, metadata = nn.load(path, metadata=True)
    assert list(state) == list(ARRAYS) and metadata == {"step": "3", "größe": "x"}
    for name, array in ARRAYS.items():
        same(array, state[name])
    first = path.read_bytes()
    nn.save(ARRAYS, path, {"step": "3", "größe": "x"})
    assert path.read_bytes() == first and os.listdir(tmp_path) == ["all.NPZ"]
    nn.save({}, path)
    assert nn.load(path) == {}


def test_numpy_reads_it_and_we_read_numpys(tmp_path):
    path = tmp_path / "x.npz"
    nn.save(ARRAYS, path)
    with np.load(path, allow_pickle=False) as theirs:
        for name in set(ARRAYS) - set(NAMES):
            same(ARRAYS[name], theirs[name].astype(theirs[name].dtype.newbyteorder("=")))
        assert theirs["a/b"][0, 0] == 2.5
    with zipfile.ZipFile(path) as parts:          # unpacked, none would lie outside
        assert all(not part.startswith("/") and ".." not in part.split("/") for part in parts.namelist())
    for write in (np.savez, np.savez_compressed):
        given = {"w:0": np.zeros(10**6, "f"), "block/kernel": np.asfortranarray(ARRAYS["turned"]), "1%25": np.array(3)}
        write(path, **given)
        state = nn.load(path)
        assert list(state) == list(given)
        for name, array in given.items():
            same(array, state[name])


def test_a_model_goes_on(tmp_path):
    def made():
        autograd.manual_seed(0)
        model = nn.Model(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2)))
        model.compile("adam", "mse")
        return model
    x = np.random.default_rng(0).standard_normal((20, 3)).astype("f")
    a, b = made(), made()
    a.fit(x, x[:, :2], epochs=2, verbose=0)
    a.save(tmp_path / "m.npz")
    a.save_weights(tmp_path / "w.npz")
    a.fit(x, x[:, :2], epochs=3, initial_epoch=2, verbose=0)
    b.load(tmp_path / "m.npz")
    for (name, value), other in zip(b.state_dict().items(), nn.load(tmp_path / "w.npz").values(), strict=True):
        assert np.array_equal(value.numpy(), other.numpy()), name
    b.fit(x, x[:, :2], epochs=3, initial_epoch=b.epoch, verbose=0)
    for (name, value), other in zip(a.state_dict().items(), b.state_dict().values(), strict=True):
        assert np.array_equal(value.numpy(), other.numpy()), name


def test_what_it_cannot_hold(tmp_path):
    path = tmp_path / "x.npz"
    for state, error, said in (({"x": np.array([{}])}, TypeError, "'x' has dtype object"), ([1], TypeError, "dict"),
                               ({"x": np.array(["a"])}, TypeError, "dtype <U1"), ({1: np.ones(1)}, TypeError, "names"),
                               ({"x": 3}, TypeError, "got int"), ({"\ud800": np.ones(1)}, ValueError, "Unicode"),
                               ({"__metadata__": np.ones(1)}, ValueError, "taken"),
                               ({"n" * 70_000: np.ones(1)}, ValueError, "65,000")):
        with pytest.raises(error, match=said):
            nn.save(state, path)
    with pytest.raises(TypeError, match="metadata must be texts"):
        nn.save({}, path, {"step": 3})
    assert not os.listdir(tmp_path)


def test_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    nn.save({"x": np.ones(3)}, path)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError("No space left on device")
    for where, name in ((os, "fsync"), (os, "replace"), (np.lib.format, "write_array")):
        with monkeypatch.context() as m:
            m.setattr(where, name, full)
            with pytest.raises(OSError, match="No space left"):
                nn.save({"x": np.zeros(99)}, path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["x.npz"]


# -- hostile files -----------------------------------------------------------------------------------------


def npy(array=None, *, text=None, data=b"", version=1):
    if array is not None:
        file = io.BytesIO()
        np.lib.format.write_array(file, np.asarray(array), allow_pickle=True)
        return file.getvalue()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


def header(descr="'<f4'", order="False", shape="(1,)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()


def archive(path, *members, how=zipfile.ZIP_STORED):
    with pytest.warns(UserWarning, match="Duplicate") if len({n for n, _ in members}) < len(members) else \
            zipfile.ZipFile(io.BytesIO(), "w"), zipfile.ZipFile(path, "w", how) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name) if how == zipfile.ZIP_STORED else name, data)


ONE = npy(np.ones(1, "f"))
HOSTILE = {
    "no array": ([("a.txt", b"hello")], "no array"),
    "twice": ([("a.npy", ONE), ("a.npy", ONE)], "'a' stands in it twice"),
    "up": ([("../a.npy", ONE)], "leads out"), "root": ([("/a.npy", ONE)], "leads out"),
    "drive": ([("C:/a.npy", ONE)], "leads out"), "backslash": ([("a\\b.npy", ONE)], "leads out"),
    "folder": ([("a/", b"")], "no array"), "inside": ([("a/../../b.npy", ONE)], "leads out"),
    "pickle": ([("a.npy", npy(np.array([{}], object)))], "holds objects, that is a pickle"),
    "pickle by name": ([("archive/data.pkl", b"\x80\x02.")], "a pickle"),
    "texts": ([("a.npy", npy(np.array(["x"])))], "'a' has dtype '<U1'"),
    "records": ([("a.npy", npy(np.zeros(1, [("a", "<f4")])))], "of records"),
    "dates": ([("a.npy", npy(np.zeros(1, "M8[s]")))], "dtype '<M8"),
    "long double": ([("a.npy", npy(text=header("'<f16'"), data=b"0" * 16))], "up to 8 bytes"),
    "no npy": ([("a.npy", b"nothing here")], "no array of the .npy format"), "empty": ([("a.npy", b"")], "no array of"),
    "version": ([("a.npy", npy(text=header(), data=b"0" * 4, version=9))], "versions 1 to 3"),
    "long header": ([("a.npy", npy(text=header() + b" " * 20_000, data=b"0" * 4))], "up to 10000 are read"),
    "header beyond": ([("a.npy", ONE[:8] + b"\xff\x20" + ONE[10:])], "its header would have"),
    "too large": ([("a.npy", npy(text=header(shape="(1000000000000,)"), data=b"0" * 4))], "takes 4000000000000 bytes"),
    "overflow": ([("a.npy", npy(text=header(shape=f"({1 << 62}, {1 << 62}, 4)")))], "takes"),
    "nothing, hugely": ([("a.npy", npy(text=header(shape=f"(0, {1 << 62}, 4)")))], "there is no array"),
    "too small": ([("a.npy", npy(text=header(), data=b"0" * 8))], "takes 4 bytes, the file has 8"),
    "negative": ([("a.npy", npy(text=header(shape="(-1,)"), data=b"0" * 4))], "must say"),
    "many axes": ([("a.npy", npy(text=header(shape="(" + "1, " * 65 + ")"), data=b"0" * 4))], "up to 64"),
    "a program": ([("a.npy", npy(text=header(shape="__import__('os').getpid()"), data=b"0" * 4))], "must say"),
    "nested": ([("a.npy", npy(text=b"(" * 9000))], "cannot be read"),
    "minus": ([("a.npy", npy(text=b"{" + b"-" * 9000 + b"}"))], "must"),
    "descr twice": ([("a.npy", npy(text=header().replace(b"fortran_order", b"descr"), data=b"0" * 4))], "must say"),
    "bool of 2": ([("a.npy", npy(text=header("'|b1'"), data=b"\2"))], "neither 0 nor 1"),
    "metadata of numbers": ([("__metadata__.npy", npy(np.array(b'{"a": 1}')))], "texts by name"),
    "metadata no JSON": ([("__metadata__.npy", npy(np.array(b"oh")))], "cannot be read"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path, name):
    members, said = HOSTILE[name]
    path = tmp_path / "f.npz"
    archive(path, *members)
    with pytest.raises(ValueError, match=f"^load: (?s:.*){said}"):
        nn.load(path)


def test_damaged_archives(tmp_path):
    path = tmp_path / "f.npz"
    nn.save({"a": np.arange(4.0), "b": np.ones(2)}, path)
    raw = path.read_bytes()
    data, directory = raw.index(np.arange(4.0).tobytes()), raw.index(b"PK\x01\x02")
    for what, changed, said in (
            ("a wrong element", raw[:data + 9] + b"\xff" + raw[data + 10:], "CRC"),
            ("cut short", raw[:-30], "damaged or cut short"), ("only the beginning", raw[:100], "damaged or cut short"),
            ("nothing", b"", "no .npz file"), ("something before it", b"#!/bin/sh\n" + raw, "no .npz file"),
            ("encrypted", raw[:directory + 8] + b"\1" + raw[directory + 9:], "encrypted"),
            ("LZMA", raw[:directory + 10] + b"\x0e" + raw[directory + 11:], "compressed in another way"),
            ("another size", raw[:directory + 20] + b"\xff\xff" + raw[directory + 22:], "claims")):
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=f"^load: .*{said}"):
            nn.load(path)
            pytest.fail(what)
    entries = [i for i in range(len(raw)) if raw[i:i + 4] == b"PK\x01\x02"]
    both = bytearray(raw)
    both[entries[1] + 42:entries[1] + 46] = both[entries[0] + 42:entries[0] + 46]          # overlapping parts
    path.write_bytes(both)
    with pytest.raises(ValueError, match="overlaps"):
        nn.load(path)


def test_bombs_are_seen_before_anything_is_allocated(tmp_path, monkeypatch):
    path = tmp_path / "f.npz"
    zeros = npy(text=header("'|u1'", shape=f"({3 * 2**28},)"), data=bytes(2**20))
    archive(path, ("a.npy", zeros), how=zipfile.ZIP_DEFLATED)
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\x01\x02")
    made = []
    monkeypatch.setattr(np, "empty", lambda *a, **k: made.append(a))
    raw[at + 24:at + 28] = struct.pack("<I", 3 * 2**28 + 128)                              # what the directory claims
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="cannot be so many"):
        nn.load(path)
    raw[at + 24:at + 28] = struct.pack("<I", 1032 * 900)
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="takes 805306368 bytes"):
        nn.load(path)
    assert not made


@pytest.mark.slow
def test_a_bomb(tmp_path):
    path = tmp_path / "f.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("a.npy", "w") as part:
        part.write(npy(text=header("'|u1'", shape=f"({2**29},)")))
        for _ in range(2**9):
            part.write(bytes(2**20))
    with pytest.raises(ValueError, match="would expand from"):
        nn.load(path)


# -- other formats -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.npz", "m.safetensors"])
def test_pytorchs_pickles_are_refused_with_the_way_out(tmp_path, name, monkeypatch):
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    weight = torch.arange(6.0).reshape(2, 3)
    for new in (True, False):
        torch.save({"w": weight.T, "tied": weight}, tmp_path / name, _use_new_zipfile_serialization=new)
        with pytest.raises(ValueError, match="a pickle, as PyTorch's") as caught:
            nn.load(tmp_path / name)
        said = str(caught.value)
        monkeypatch.chdir(tmp_path)
        if name != "m.safetensors":               # what the error says can be run as it stands
            exec(said[said.index("import torch"):].replace("\n    ", "\n"), {})
            assert nn.load("m.safetensors")["w"].tolist() == weight.T.tolist() and files


def test_formats_by_the_wrong_name(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2))
    nn.save({"a": np.ones(2)}, tmp_path / "a.safetensors")
    np.savez(tmp_path / "b.npz", a=np.ones(2))
    for name, as_name, said in (("a.npy", "c.npz", "np.load reads it"), ("a.npy", "c.safetensors", "np.load reads it"),
                                ("a.safetensors", "d.npz", "let its name end in .safetensors"),
                                ("b.npz", "e.safetensors", "name that ends in .npz")):
        (tmp_path / as_name).write_bytes((tmp_path / name).read_bytes())
        with pytest.raises(ValueError, match=said):
            nn.load(tmp_path / as_name)
