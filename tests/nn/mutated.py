"""A program that reads damaged files, in little memory and time, and prints what came of them as one line of JSON.

    python mutated.py seed count folder

Half of the files are of the safetensors format, half archives of NumPy: bytes changed, cut, doubled, exchanged with
another file's, numbers of headers and texts of them replaced.  Each must be read, or refused with a ValueError, and a
state that cannot be used must leave the model as it was.
"""

import json
import os
import resource
import signal
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np

import nn

WORDS = [b"F32", b"BF16", b"BOOL", b"C64", b"<f4", b">c16", b"|O", b"|b1", b"|S9", b"descr", b"shape", b"data_offsets",
         b"True", b"__metadata__", b"../", b"/", b"\\", b"-1", b"0", b"1e9", b"NaN", b"null", b"[[", b"}", b"{", b"(",
         b",", b'"', b"'",
         b"99999999999999999999", b"18446744073709551615", b"4294967296", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06",
         b"PK\x06\x06", b"PK\x06\x07", b"\x93NUMPY", b"\x80\x02", b"\xff" * 8, b"\0" * 8, b".npy", b"data.pkl"]

MARKS = (b"PK\x01\x02", b"PK\x03\x04", b"\x93NUMPY", b'"shape"', b"offsets")


def model():
    return nn.Model(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)))


def damaged(raw, other, rng):
    """One file with one to three things wrong, most of them where the headers stand."""
    raw = bytearray(raw)
    for _ in range(rng.integers(1, 4)):
        n = max(len(raw), 1)
        spots = [0, rng.integers(n), rng.integers(min(n, 400)), max(n - 1 - rng.integers(min(n, 400)), 0)]
        marks = [i for i in map(raw.find, MARKS) if i >= 0]
        if marks:
            spots.append(marks[rng.integers(len(marks))] + rng.integers(60))
        at = int(spots[rng.integers(len(spots))])
        kind = rng.integers(10)
        if kind < 3:                              # a bit, or a byte
            if at < len(raw):
                raw[at] = raw[at] ^ (1 << int(rng.integers(8))) if kind else int(rng.integers(256))
        elif kind == 3:
            del raw[at:]
        elif kind == 4:
            del raw[at:at + int(rng.integers(1, 50))]
        elif kind == 5:                           # a number of 2, 4 or 8 bytes
            width = (2, 4, 8)[rng.integers(3)]
            value = int((0, 1, 2**15, 2**31 - 1, 2**31, 2**63 - 1, 2**64 - 1, len(raw), at)[rng.integers(9)])
            raw[at:at + width] = (value % 256**width).to_bytes(width, "little")
        elif kind == 6:
            word = WORDS[rng.integers(len(WORDS))]
            raw[at:at + (len(word) if rng.integers(2) else 0)] = word
        elif kind == 7:                           # spliced with another
            raw[at:] = other[int(rng.integers(len(other))):]
        elif kind == 8:
            raw[at:at] = raw[at:at + int(rng.integers(1, 200))]
        else:                                     # a digit of a header
            digits = [i for i, c in enumerate(raw[:2000]) if 48 <= c <= 57]
            if digits:
                raw[digits[rng.integers(len(digits))]] = 48 + int(rng.integers(10))
    return bytes(raw)


def slow(*_):
    raise SystemExit("a file took more than 10 s")


def main(seed, count, folder):
    os.chdir(folder)
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((8, 3)).astype("f")
    trained = model()
    trained.compile("adam", "mse")
    trained.fit(x, x[:, :2], epochs=1, verbose=0)
    whole = {}
    for suffix in ("safetensors", "npz"):
        nn.save({"w": rng.standard_normal((5, 7)).astype("f"), "n/a.b": np.arange(3), "flag": np.array([True]),
                 "z": np.array(2.0), "none": np.zeros((0, 2)), "q": np.ones(4, np.complex64)}, f"a.{suffix}",
                {"note": "text"})
        nn.save(trained, f"b.{suffix}")
        trained.save(f"c.{suffix}")
    np.savez_compressed("d.npz", w=np.zeros((300, 50)), v=np.arange(9))
    for suffix in ("safetensors", "npz"):
        whole[suffix] = [file.read_bytes() for file in sorted(Path(".").glob(f"*.{suffix}"))]
    target = model()
    before = {k: v.numpy().copy() for k, v in target.state_dict().items()}
    counts = dict.fromkeys(("read", "refused", "loaded", "not loaded", "wrong", "models"), 0)
    wrong = []
    signal.signal(signal.SIGALRM, slow)
    room = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + 2**28
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    tracemalloc.start()
    for k in range(count):
        suffix = ("safetensors", "npz")[k % 2]
        sources = whole[suffix]
        every = whole["safetensors"] + whole["npz"]
        raw = damaged(sources[rng.integers(len(sources))], every[rng.integers(len(every))], rng)
        path = f"now.{suffix}"
        with open(path, "wb") as file:
            file.write(raw)
        signal.alarm(10)
        try:
            state = nn.load(path)
            assert isinstance(state, dict)
            counts["read"] += 1
        except ValueError as error:
            counts["refused"] += 1
            state = None
            if not str(error).startswith("load: "):
                wrong.append((k, "no sentence of ours", repr(error)))
        except Exception as error:
            wrong.append((k, type(error).__name__, str(error)))
            continue
        try:
            if k % 5 == 0:                        # all of a Model's training
                counts["models"] += 1
                target.load(path)
            elif state is not None:
                target.load_state_dict(state)
            else:
                continue
            counts["loaded"] += 1
            target.load_state_dict(before)
        except (ValueError, RuntimeError):
            counts["not loaded"] += 1
            now = target.state_dict()
            if any(not np.array_equal(now[name].numpy(), value) for name, value in before.items()):
                wrong.append((k, "changed the model", ""))
        except Exception as error:
            wrong.append((k, type(error).__name__, str(error)))
        finally:
            signal.alarm(0)
    counts["wrong"], counts["peak_MB"] = len(wrong), round(tracemalloc.get_traced_memory()[1] / 2**20, 1)
    print(json.dumps({**counts, "which": wrong[:20]}))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
