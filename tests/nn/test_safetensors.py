"""Checkpoints: written and read back, by the reference package and PyTorch too; hostile files; half-written ones."""

import json
import os

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor
from nn.safetensors import load, save

ARRAYS = {
    "bool": np.array([True, False, True]), "u8": np.arange(5, dtype=np.uint8), "i8": np.array([[-3, 4]], np.int8),
    "u16": np.array([65535], np.uint16), "i16": np.array([-5], np.int16), "half": np.array([0.5, np.inf], np.float16),
    "u32": np.array([1 << 31], np.uint32), "i32": np.array([-7], np.int32), "i64": np.array(-(1 << 62)),
    "u64": np.array([1 << 63], np.uint64), "single": np.random.default_rng(0).standard_normal((2, 3, 4)).astype("f"),
    "double": np.array([np.nan, 1e-320, -0.0]), "complex": np.array([1 + 2j], np.complex64),
    "empty": np.zeros((0, 3), np.float32),
    "turned": np.arange(6.0).reshape(2, 3).T, "name with ü and \"\\\n": np.ones(1),
    "big-endian": np.arange(3, dtype=">f4"), "sliced": np.arange(10, dtype=np.int32)[::3],
}


def same(a, b):
    b = np.asarray(b.value if isinstance(b, Tensor) else b)
    assert a.shape == b.shape and a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")
    assert np.array_equal(a, b, equal_nan=a.dtype.kind in "fc") and b.dtype.isnative


def test_round_trip(tmp_path):
    path = tmp_path / "all.safetensors"
    save(ARRAYS, path, {"step": "3", "größe": "x"})
    state, metadata = load(path, metadata=True)
    assert list(state) == list(ARRAYS) and metadata == {"step": "3", "größe": "x"}
    for name, array in ARRAYS.items():
        same(array, state[name])
    state["single"][0] = 0                    # memory of its own
    assert load(str(path))["single"].numpy().any()
    save({}, path)
    assert load(path) == {}
    assert os.listdir(tmp_path) == ["all.safetensors"]


def test_every_tensor_is_aligned(tmp_path):
    save({"a": np.ones(3, np.uint8), "b": np.ones(1), "c": np.ones(1, np.float32)}, tmp_path / "f")
    raw = (tmp_path / "f").read_bytes()
    n = int.from_bytes(raw[:8], "little")
    for entry in json.loads(raw[8:8 + n]).values():
        assert (8 + n + entry["data_offsets"][0]) % {"U8": 1, "F32": 4, "F64": 8}[entry["dtype"]] == 0


def test_a_model(tmp_path):
    autograd.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model(Tensor(np.random.default_rng(0).standard_normal((8, 3)).astype("f")))
    save(model, tmp_path / "model.safetensors")
    other = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    assert str(other.load_state_dict(load(tmp_path / "model.safetensors"))) == "<All keys matched successfully>"
    for (name, a), b in zip(model.state_dict().items(), other.state_dict().values()):
        assert np.array_equal(a.numpy(), b.numpy()), name


def test_what_the_format_cannot_hold(tmp_path):
    path = tmp_path / "f"
    for state, error, said in (({"x": np.ones(1, complex)}, TypeError, "'x' has dtype complex128"),
                               ([1], TypeError, "dict"),
                               ({"x": 3}, TypeError, "'x' must be a Tensor or an array; got int"),
                               ({"x": np.array(["a"])}, TypeError, "dtype <U1"), ({1: np.ones(1)}, TypeError, "names"),
                               ({"__metadata__": np.ones(1)}, ValueError, "taken by the format"),
                               ({"\ud800": np.ones(1)}, ValueError, "not valid Unicode")):
        with pytest.raises(error, match=said):
            save(state, path)
    with pytest.raises(TypeError, match="metadata must be texts"):
        save({}, path, {"step": 3})
    assert not os.listdir(tmp_path)


def test_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "f"
    save({"x": np.ones(3)}, path)
    before = path.read_bytes()

    def full(*args):
        raise OSError("No space left on device")
    for name in ("fsync", "replace"):
        with monkeypatch.context() as m:
            m.setattr(os, name, full)
            with pytest.raises(OSError, match="No space left"):
                save({"x": np.zeros(99)}, path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["f"]


# -- hostile files -----------------------------------------------------------------------------------------


def written(tmp_path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = tmp_path / "f"
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def entry(shape=(1,), offsets=(0, 4), dtype="F32", **more):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}


HOSTILE = {
    "empty file": (None, "too few"), "seven bytes": (b"\0" * 7, "too few"), "length alone": (b"\xff" * 8, "cut short"),
    "zip": (b"PK\x03\x04" + b"\0" * 20, "a pickle"), "pickle": (b"\x80\x02}q\0." + b"\0" * 20, "a pickle"),
}
HEADERS = {
    "longer than the file": (({}, b"", 99), "cut short"),
    "huge length": (({}, b"", 1 << 62), "cut short"),
    "leading space": ((b' {"a":1}',), "does not begin"),
    "no JSON": ((b"{oh}",), "cannot be read"),
    "list": ((b"[]",), "does not begin"),
    "twice": ((b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],'
               b'"data_offsets":[0,4]}}', b"0" * 4), "'a' stands in it twice"),
    "field twice": ((b'{"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}}', b"0" * 4), "twice"),
    "nested": ((b'{"a":' + b"[" * 100000 + b"]" * 100000 + b"}",), "nested too deeply"),
    "not UTF-8": ((b'{"\xff":1}',), "cannot be read"),
    "NaN": ((b'{"a":NaN}',), "cannot be read"),
    "lone surrogate": ((b'{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', b"0" * 4), "Unicode"),
    "huge integer": ((b'{"a":{"dtype":"F32","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,4]}}', b"0" * 4),
                     "cannot be"),
    "overflow": (({"a": entry((1 << 32, 1 << 32), (0, 4))}, b"0" * 4), "takes 73786976294838206464 bytes"),
    "overflow to the right size": (({"a": entry((1 << 62, 1 << 62, 4), (0, 0))},), "takes"),
    "negative": (({"a": entry((-1, -1))}, b"0" * 4), "none negative"),
    "float shape": (({"a": entry((1.0,))}, b"0" * 4), "none negative"),
    "bool shape": (({"a": entry((True,))}, b"0" * 4), "none negative"),
    "many axes": (({"a": entry([1] * 65)}, b"0" * 4), "up to 64"),
    "overlap": (({"a": entry((2,), (0, 8)), "b": entry((1,), (4, 8))}, b"0" * 8), "overlaps another"),
    "the same twice": (({"a": entry(), "b": entry()}, b"0" * 4), "overlaps another"),
    "hole": (({"a": entry(), "b": entry((1,), (8, 12))}, b"0" * 12), "leaves a hole"),
    "hole at the start": (({"a": entry((1,), (4, 8))}, b"0" * 8), "leaves a hole"),
    "more behind": (({"a": entry()}, b"0" * 5), "end at 4, the file has 5"),
    "cut short": (({"a": entry()}, b"0" * 3), "within the 3 bytes"),
    "backwards": (({"a": entry((1,), (4, 0))}, b"0" * 4), "data_offsets"),
    "three offsets": (({"a": entry((1,), (0, 4, 4))}, b"0" * 4), "data_offsets"),
    "dtype": (({"a": entry(dtype="O")}, b"0" * 4), "has dtype 'O'"),
    "dtype of lists": (({"a": entry(dtype=["F32"])}, b"0" * 4), "has dtype"),
    "field too many": (({"a": entry(file="/etc/passwd")}, b"0" * 4), "must have dtype, shape and data_offsets"),
    "field missing": (({"a": {"dtype": "F32"}},), "must have"), "no entry": (({"a": 3},), "must have"),
    "metadata": (({"__metadata__": {"a": 1}},), "texts by name"), "metadata list": (({"__metadata__": []},), "texts"),
    "bool of 2": (({"a": entry((1,), (0, 1), "BOOL")}, b"\x02"), "neither 0 nor 1"),
}


@pytest.mark.parametrize("name", [*HOSTILE, *HEADERS])
def test_hostile_files(tmp_path, name):
    if name in HOSTILE:
        raw, said = HOSTILE[name]
        path = tmp_path / "f"
        path.write_bytes(raw or b"")
    else:
        parts, said = HEADERS[name]
        path = written(tmp_path, *parts)
    with pytest.raises(ValueError, match=f"^load: .*{said}"):
        load(path)


def test_any_byte_may_be_wrong(tmp_path):
    """Whatever one byte is changed to, the file is refused or read; nothing else happens."""
    path = tmp_path / "f"
    save({"a": np.ones((2, 2), np.float32), "b": np.array([True])}, path)
    raw, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for at in range(0, len(raw) - 17, 3):
        changed = bytearray(raw)
        changed[at] = rng.integers(256)
        path.write_bytes(changed)
        try:
            load(path)
        except ValueError:
            refused += 1
        path.write_bytes(raw[:at])
        with pytest.raises(ValueError):
            load(path)
    assert refused > 0.2 * len(raw)


def test_bfloat16(tmp_path):
    path = written(tmp_path, {"a": entry((2,), (0, 4), "BF16")}, np.array([0x3FC0, 0xFF80], "<u2").tobytes())
    assert load(path)["a"].tolist() == [1.5, -np.inf] and load(path)["a"].dtype == np.float32


# -- beside the reference ----------------------------------------------------------------------------------


def test_the_reference_package(tmp_path):
    reference = pytest.importorskip("safetensors.numpy")
    path = tmp_path / "f"
    save(ARRAYS, path, {"a": "b"})
    theirs = reference.load_file(path)
    assert theirs.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        same(array, theirs[name])
    reference.save_file({k: np.array(v, order="C") for k, v in ARRAYS.items() if k not in ("complex", "big-endian")},
                        path, {"a": "b"})
    state, metadata = load(path, metadata=True)
    assert metadata == {"a": "b"}
    for name, tensor in state.items():
        same(np.asarray(ARRAYS[name]), tensor)


def test_pytorch_both_ways(tmp_path):
    torch = pytest.importorskip("torch")
    torch_files = pytest.importorskip("safetensors.torch")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    theirs(torch.randn(8, 3))
    ours = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    path = tmp_path / "f"
    torch_files.save_file(theirs.state_dict(), path)
    assert str(ours.load_state_dict(load(path))) == "<All keys matched successfully>"
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    y, z = ours.eval()(Tensor(x)), theirs.eval()(torch.tensor(x))
    assert np.allclose(y.detach().numpy(), z.detach().numpy(), atol=1e-6)
    nn.init.normal_(ours[0].weight)
    save(ours, path)
    assert str(theirs.load_state_dict(torch_files.load_file(path))) == "<All keys matched successfully>"
    assert np.allclose(ours(Tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), atol=1e-6)
    torch_files.save_file({"b": torch.tensor([1.5, -2.0], dtype=torch.bfloat16)}, path)
    assert load(path)["b"].tolist() == [1.5, -2.0]


def test_pytorchs_odd_tensors(tmp_path):
    """Views, strides, tied weights, 0-d, empty and all dtypes: either way, the values arrive."""
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    path = tmp_path / "f"
    base = torch.arange(24.0).reshape(2, 3, 4)
    theirs = {"0-d": torch.tensor(3.5), "empty": torch.zeros(0, 3),
              "half": torch.tensor([0.5, 65504.0], dtype=torch.half),
              "brain": torch.tensor([[1.5], [-3e38], [float("inf")], [1e-40]], dtype=torch.bfloat16),
              "brain 0-d": torch.tensor(-2.5, dtype=torch.bfloat16),
              "brain empty": torch.zeros(2, 0, dtype=torch.bfloat16),
              "bool": torch.tensor([True, False]), "long": torch.tensor([-(2**62)]),
              "complex": torch.tensor([1 + 2j], dtype=torch.complex64),
              "u16": torch.tensor([65535], dtype=torch.uint16)}
    files.save_file(theirs, path)
    state = load(path)
    for name, tensor in theirs.items():
        tensor = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
        same(tensor.numpy(), state[name])
    x = Tensor(base.numpy().copy())
    ours = {"view": x[1], "turned": x.transpose(0, 2), "strided": x[:, ::2, 1:3],
            "stretched": x[:1, :1, :1].expand(2, 3, 4),
            "same": x, "same again": x, "reversed": x.numpy()[::-1], "0-d": x[0, 0, 1], "scalar": np.float32(2)}
    save(ours, path)
    back = files.load_file(path)
    for name, tensor in ours.items():
        expected = tensor.numpy() if isinstance(tensor, Tensor) else np.asarray(tensor)
        assert back[name].shape == expected.shape and np.array_equal(back[name].numpy(), expected), name
    files.save_file({name: tensor.contiguous() for name, tensor in back.items()}, path)
    for name, tensor in load(path).items():
        assert np.array_equal(tensor.numpy(), back[name].numpy()), name


def test_bfloat16_goes_into_a_model(tmp_path):
    torch = pytest.importorskip("torch")
    files = pytest.importorskip("safetensors.torch")
    theirs = torch.nn.Linear(3, 2).bfloat16()
    files.save_file(theirs.state_dict(), tmp_path / "f")
    ours = nn.Linear(3, 2)
    ours.load_state_dict(load(tmp_path / "f"))
    assert ours.weight.dtype == np.float32
    assert np.array_equal(ours.weight.detach().numpy(), theirs.weight.detach().float().numpy())


def test_a_name_twice_among_many_is_found_at_once(tmp_path):
    entries = ",".join(f'"n{k}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for k in [*range(20_000), 19_999])
    path = written(tmp_path, f"{{{entries}}}".encode())
    with pytest.raises(ValueError, match="'n19999' stands in it twice"):
        load(path)


def test_no_elements_in_no_possible_shape(tmp_path):
    path = written(tmp_path, {"a": entry((0, 1 << 62, 4), (0, 0))})
    with pytest.raises(ValueError, match="for which there is no array"):
        load(path)
