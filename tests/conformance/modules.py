"""PyTorch's ModuleInfo database against this library's layers and losses, through the adapter.

For each module and each of its inputs the same module is made on both sides and given the same state.  Compared are
the keys, shapes and dtypes of the state, the repr, the outputs, the gradients of inputs and parameters, the gradients
of those gradients, and the state after the call.  `OTHERS` has inputs for layers that the database lacks.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import conformlib as lib
import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.testing._internal.common_modules import FunctionInput, ModuleInput, module_db
from torch.testing._internal.common_utils import make_tensor

STAGES = ("state", "repr", "forward", "grad", "gradgrad", "state after")


class Case(NamedTuple):
    """A module with arguments, and what it is called with."""

    name: str
    dtype: str
    training: bool
    given: Any                                # a ModuleInput
    second: bool                              # has PyTorch a gradient of the gradient?

    @property
    def scale(self) -> float:
        """How many times the tolerance of its dtype is allowed."""
        return SCALE.get(self.name, 1) if self.dtype == "float32" else 1

    def __str__(self) -> str:
        made, called = self.given.constructor_input, self.given.forward_input
        shapes = [tuple(t.shape) for t in lib.tensors_in([called.args, called.kwargs])] if called else "nothing"
        return f"{self.name}{made.args}{made.kwargs or ''} {'training' if self.training else 'eval'} on {shapes}"[:300]


def cases(dtype: str, training: bool, wanted: set[str]) -> Iterator[Case]:
    """All inputs of the database, and of OTHERS, for modules named in `wanted` (all of them if it is empty)."""
    precise = getattr(torch, dtype)
    for info in module_db:
        name = info.name.removeprefix("nn.")
        if (not wanted or name in wanted) and precise in info.dtypes:
            torch.manual_seed(0)
            given = info.module_inputs_func(info, device="cpu", dtype=precise, requires_grad=True, training=training)
            for one in given:
                yield Case(info.name, dtype, training, one, info.supports_gradgrad)
    for name, inputs in others(precise).items():
        if not wanted or name in wanted:
            for one in inputs:
                yield Case(f"nn.{name}", dtype, training, one, True)


class Converter(lib.Converter):
    """Arguments of constructors too: functions and modules, by their names here."""

    def __call__(self, x: Any) -> Any:
        if isinstance(x, torch.nn.Module):
            name = type(x).__name__
            if name not in RECIPES or (made := self.adapter.module_class(f"nn.{name}")) is None:
                raise lib.Skip(f"a module {name} as an argument")
            return made(**{key: self(value) for key, value in RECIPES[name](x).items()})
        if isinstance(x, torch.nn.utils.rnn.PackedSequence):
            kind = lib.walk(self.adapter.root, "nn.utils.rnn.PackedSequence")
            if kind is None:
                raise lib.Skip("a packed sequence as an argument")
            return kind(*[None if part is None else self(part) for part in x])
        if callable(x) and not isinstance(x, (type, torch.dtype)) and hasattr(x, "__name__"):
            found = self.adapter.function(f"nn.functional.{x.__name__}")
            if found is None:
                raise lib.Skip(f"a function {x.__name__} as an argument")
            return found
        return super().__call__(x)


def of_transformer(m: Any) -> dict[str, Any]:
    """The arguments that a layer of a transformer was made with."""
    return {
        "d_model": m.self_attn.embed_dim, "nhead": m.self_attn.num_heads, "dim_feedforward": m.linear1.out_features,
        "dropout": m.dropout.p, "activation": m.activation, "layer_norm_eps": m.norm1.eps,
        "batch_first": m.self_attn.batch_first, "norm_first": m.norm_first, "bias": m.linear1.bias is not None}


RECIPES = {"TransformerEncoderLayer": of_transformer, "TransformerDecoderLayer": of_transformer,
           "LayerNorm": lambda m: {"normalized_shape": m.normalized_shape, "eps": m.eps},
           "PairwiseDistance": lambda m: {"p": m.norm, "eps": m.eps, "keepdim": m.keepdim}}


class Runner:
    """Runs cases and writes the outcomes into a report."""

    def __init__(self, adapter: Any, report: lib.Report) -> None:
        self.adapter, self.report = adapter, report

    def case(self, case: Case) -> None:
        A, note = self.adapter, partial(self.report.add, case.name)
        cls = A.module_class(case.name)
        if cls is None:
            note("forward", "skip", "absent")
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = prepared(case)
                args, kwargs = fresh(case)
                convert = Converter(A)
                made = case.given.constructor_input
                ours = cls(*convert(made.args), **convert(lib.without_device(made.kwargs)))
        except lib.Skip as reason:
            note("forward", "skip", str(reason))
            return
        except Exception as error:
            note("forward", "fail", f"constructor raised {lib.short(error)}: {case}")
            return
        try:
            ours.to(A.dtype(case.dtype))
            A.set_training(ours, case.training)
            if isinstance(theirs, torch.nn.modules.lazy.LazyModuleMixin):
                note("repr", *same(repr(ours), repr(theirs), case))
                with torch.no_grad():
                    theirs(*args, **kwargs)
                A.call_module(ours, convert(args), convert(kwargs))
            calm(theirs.modules())
            calm(ours.modules())
            if case.name not in UNLIKE_REPR:
                note("repr", *same(repr(ours), repr(theirs), case))
            self.state(case, "state", ours, theirs, values=False)
            A.load_state(ours, {key: lib.to_numpy(value) for key, value in theirs.state_dict().items()})
        except Exception as error:
            note("state", "fail", f"raised {lib.short(error)}: {case}")
            return
        self.compute(case, ours, theirs, args, kwargs, convert)

    def compute(self, case: Case, ours: Any, theirs: Any, args: Any, kwargs: Any, convert: Any) -> None:
        A, note = self.adapter, partial(self.report.add, case.name)
        try:
            with sdpa_kernel(SDPBackend.MATH):                              # the only one with second derivatives
                expected = theirs(*args, **kwargs)
        except Exception as error:
            note("forward", "skip", "torch raised " + lib.short(error))
            return
        try:
            got = A.call_module(ours, convert(args), convert(kwargs))
        except Exception as error:
            note("forward", "fail", f"raised {lib.short(error)}: {case}")
            return
        mine, wanted = lib.leaves(got, A.is_tensor), lib.leaves(expected, lib.is_torch)
        if len(mine) != len(wanted):
            note("forward", "fail", f"{len(mine)} results, expected {len(wanted)}: {case}")
            return
        for a, b in zip(mine, wanted):
            if text := lib.compare(A.numpy(a), lib.to_numpy(b), scale=case.scale):
                note("forward", "fail", f"{text}: {case}")
                return
        note("forward", "pass")
        self.state(case, "state after", ours, theirs)
        self.derivatives(case, ours, theirs, [args, kwargs], convert, mine, wanted)

    def derivatives(self, case: Case, ours: Any, theirs: Any, given: Any, convert: Any, mine: Any, wanted: Any) -> None:
        A, rng = self.adapter, np.random.default_rng(0)
        at = [i for i, y in enumerate(wanted) if isinstance(y, torch.Tensor) and y.requires_grad]
        own = A.named_parameters(ours)
        inputs = [(t, convert(t)) for t in lib.tensors_in(given) if t.requires_grad]
        inputs += [(p, own[name]) for name, p in theirs.named_parameters() if p.requires_grad]
        if not at or not inputs:
            return
        second = case.second and case.dtype == "float64"
        seeds = [lib.cotangent(tuple(wanted[i].shape), lib.to_numpy(wanted[i]).dtype, rng) for i in at]
        v, my_v = [torch.tensor(s, requires_grad=second) for s in seeds], [A.tensor(s, second) for s in seeds]
        x, my_x = [t for t, _ in inputs], [t for _, t in inputs]
        try:
            g = torch.autograd.grad([wanted[i] for i in at], x, v, create_graph=second, allow_unused=True)
        except RuntimeError as error:
            self.report.add(case.name, "grad", "skip", "torch raised " + lib.short(error)[:60])
            return
        my_g = self.step(case, "grad", g, x, lambda: A.grad([mine[i] for i in at], my_x, my_v, second))
        if my_g is None or not second:
            return
        live = [i for i, t in enumerate(g) if t is not None and t.requires_grad]
        if not live:
            return
        w = [lib.cotangent(tuple(g[i].shape), lib.to_numpy(g[i]).dtype, rng) for i in live]
        try:
            h = torch.autograd.grad([g[i] for i in live], [*x, *v], [torch.tensor(u) for u in w], allow_unused=True)
        except RuntimeError as error:
            self.report.add(case.name, "gradgrad", "skip", "torch raised " + lib.short(error)[:60])
            return

        def again() -> Any:
            use = [(my_g[i], A.tensor(u)) for i, u in zip(live, w)
                   if my_g[i] is not None and A.requires_grad(my_g[i])]
            return A.grad([t for t, _ in use], [*my_x, *my_v], [u for _, u in use], False) if use else [None] * len(h)
        self.step(case, "gradgrad", h, [*x, *v], again)

    def step(self, case: Case, stage: str, expected: Any, at: Any, compute: Any) -> Any:
        """One backward pass here, compared; None for what is not reached counts as zeros."""
        try:
            got = list(compute())
        except Exception as error:
            self.report.add(case.name, stage, "fail", f"raised {lib.short(error)}: {case}")
            return None
        scale = case.scale * (10 if stage == "gradgrad" else 1)
        for i, (a, b, x) in enumerate(zip(got, expected, at)):
            zeros = np.zeros(tuple(x.shape), lib.to_numpy(x).dtype)
            if text := lib.compare(zeros if a is None else self.adapter.numpy(a),
                                   zeros if b is None else lib.to_numpy(b), scale=scale):
                self.report.add(case.name, stage, "fail", f"of input or parameter {i}: {text}: {case}")
                return None
        self.report.add(case.name, stage, "pass")
        return got

    def state(self, case: Case, stage: str, ours: Any, theirs: Any, values: bool = True) -> None:
        """Keys in the same order, shapes, dtypes; and values."""
        mine = self.adapter.state_dict(ours)
        expected = {key: lib.to_numpy(value) for key, value in theirs.state_dict().items()}
        if list(mine) != list(expected):
            self.report.add(case.name, stage, "fail", f"keys {list(mine)}, expected {list(expected)}: {case}")
            return
        for key, value in expected.items():
            if text := lib.compare(mine[key], value, values=values):
                self.report.add(case.name, stage, "fail", f"{key}: {text}: {case}")
                return
        self.report.add(case.name, stage, "pass")

    def errors(self, info: Any, training: bool) -> None:
        """What PyTorch refuses, when the module is made or called, is refused."""
        cls, note = self.adapter.module_class(info.name), partial(self.report.add, info.name, "errors")
        if cls is None or info.module_error_inputs_func is None:
            return
        torch.manual_seed(0)
        for one in info.module_error_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=False,
                                                 training=training):
            case = Case(info.name, "float32", training, one.module_error_input, False)
            if not self.refused(type(None), case):
                note("skip", "torch accepts it")
                continue
            try:
                answer = self.refused(cls, case)
            except lib.Skip as reason:
                note("skip", str(reason))
                continue
            note("pass" if answer else "fail", f"accepted {case}; torch: {one.error_regex[:80]!r}")

    def refused(self, cls: Any, case: Case) -> bool:
        """Whether the constructor or the call raises; in PyTorch where cls is NoneType."""
        made, called = case.given.constructor_input, case.given.forward_input
        convert = Converter(self.adapter) if cls is not type(None) else copy.deepcopy
        args, kwargs = convert(made.args), convert(lib.without_device(made.kwargs))
        inputs = None if called is None else (convert(called.args), convert(called.kwargs))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = (lib.walk(torch, case.name) if cls is type(None) else cls)(*args, **kwargs)
                if inputs is not None:
                    module.train(case.training)
                    module(*inputs[0], **inputs[1])
        except (TypeError, ValueError, RuntimeError, IndexError, KeyError, AssertionError):
            return True
        return False


#: what a repr shows that cannot be the same: dtypes, addresses of functions
UNLIKE_REPR = ("nn.ParameterList", "nn.ParameterDict", "nn.TripletMarginWithDistanceLoss")
#: sums whose order decides the last digits of float32, many times over
SCALE = {"nn.Transformer": 10, "nn.TransformerEncoder": 10, "nn.TransformerDecoder": 10,
         "nn.TransformerDecoderLayer": 10, "nn.MultiheadAttention": 10}


def prepared(case: Case) -> Any:
    """PyTorch's module, in dtype and mode."""
    made = case.given.constructor_input
    module = lib.walk(torch, case.name)(*made.args, **made.kwargs)
    return module.to(getattr(torch, case.dtype)).train(case.training)


def fresh(case: Case) -> Any:
    """The inputs, as leaves of their own."""
    called = case.given.forward_input

    def leaf(t: Any) -> Any:
        if isinstance(t, torch.Tensor):
            return t.detach().clone().requires_grad_(t.requires_grad)
        if isinstance(t, (list, tuple)) and not hasattr(t, "_fields"):
            return type(t)(leaf(u) for u in t)
        return {k: leaf(u) for k, u in t.items()} if isinstance(t, dict) else t
    return leaf(called.args), leaf(called.kwargs)


def calm(modules: Any) -> None:
    """No dropout: two libraries draw different numbers."""
    for module in modules:
        if "Dropout" in type(module).__name__:
            module.p = 0.0
        elif isinstance(getattr(module, "dropout", None), float):
            module.dropout = 0.0


def same(mine: str, expected: str, case: Case) -> tuple[str, str]:
    return ("pass", "") if mine == expected else ("fail", f"{mine!r}, expected {expected!r}: {case}")


def others(dtype: Any) -> dict[str, list[Any]]:
    """Inputs for layers that the database lacks."""
    t = partial(make_tensor, device="cpu", dtype=dtype, requires_grad=True)

    def one(*made: Any, x: Any, also: Any = (), **settings: Any) -> Any:
        inputs = x if isinstance(x, tuple) else (x,)
        return ModuleInput(FunctionInput(*made, **settings), FunctionInput(*inputs, *also))

    torch.manual_seed(0)
    image, small, flat = (lambda: t((2, 4, 6, 8))), (lambda: t((4, 6, 8))), (lambda: t((2, 4, 7)))
    index, bags = torch.tensor([[0, 2, 1], [4, 2, 2]]), torch.tensor([0, 2, 2])
    found = {
        "Identity": [one(x=image()), one(54, unused=True, x=flat())],
        "Flatten": [one(x=image()), one(0, 1, x=flat())],
        "Unflatten": [one(1, (2, 2), x=image()), one(-1, (7, -1), x=flat())],
        "Upsample": [one(9, x=image()), one(scale_factor=2, mode="bilinear", x=image()), one((3, 5), x=image()),
                     one(scale_factor=(1.5, 2.5), mode="bicubic", x=image()),
                     one(scale_factor=2, mode="linear", align_corners=True, x=flat()),
                     one(scale_factor=0.6, mode="bilinear", recompute_scale_factor=True, x=image()),
                     one(4, mode="trilinear", x=t((1, 2, 2, 3, 3))), one(3, mode="area", x=image())],
        "UpsamplingNearest2d": [one(9, x=image()), one(scale_factor=3, x=image())],
        "UpsamplingBilinear2d": [one((9, 4), x=image()), one(scale_factor=3, x=image())],
        "PixelShuffle": [one(2, x=image()), one(2, x=small())],
        "PixelUnshuffle": [one(2, x=image()), one(2, x=small())],
        "ChannelShuffle": [one(2, x=image()), one(4, x=flat())],
        "Unfold": [one(3, x=image()), one((2, 3), dilation=(1, 2), padding=1, stride=2, x=image()), one(2, x=small())],
        "Fold": [one((4, 5), (2, 2), x=t((2, 8, 12))), one(4, 2, 1, 1, 2, x=t((3, 12, 9))), one(3, 2, x=t((4, 4)))],
        "EmbeddingBag": [one(5, 3, x=index), one(5, 3, mode="max", x=index),
                         one(5, 3, mode="sum", x=index.reshape(-1), also=(bags,)),
                         one(5, 3, mode="sum", x=index, also=(None, t((2, 3)))),
                         one(5, 3, padding_idx=2, x=index), one(5, 3, max_norm=1.0, x=index),
                         one(5, 3, include_last_offset=True, x=index.reshape(-1), also=(torch.tensor([0, 2, 6]),)),
                         one(5, 3, scale_grad_by_freq=True, mode="sum", x=index)],
        "Embedding": [one(5, 3, max_norm=0.5, x=index), one(5, 3, scale_grad_by_freq=True, x=index),
                      one(5, 3, padding_idx=2, x=index), one(5, 3, norm_type=1.0, max_norm=1.0, x=index[0])],
        "CosineSimilarity": [one(x=(t((5, 3)), t((5, 3)))), one(dim=0, x=(t((5, 3)), t((5, 3)))),
                             one(x=(t((5, 3)), t((1, 3)))), one(2, 1e-3, x=(t((2, 4, 7)), t((2, 4, 7))))],
        "PairwiseDistance": [one(x=(t((5, 3)), t((5, 3)))), one(1.0, keepdim=True, x=(t((5, 3)), t((5, 3)))),
                             one(3, 1e-2, x=(t((5, 3)), t((1, 3)))), one(x=(t(3), t(3)))],
        "CrossMapLRN2d": [one(3, x=t((2, 2, 3, 3))), one(3, 0.5, 0.6, 2, x=t((1, 2, 2, 3)))],
        "LazyLinear": [one(3, x=t((2, 5))), one(3, bias=False, x=t((2, 3, 5)))],
        "RReLU": [], "LayerNorm": [one((4, 7), bias=False, x=flat()), one(7, 0.1, False, x=flat())],
        "GroupNorm": [one(2, 4, bias=False, x=image()), one(2, 4, x=t((3, 4)))],
        "RMSNorm": [one((4, 7), x=flat()), one(7, eps=0.1, elementwise_affine=False, x=flat())],
        "Conv2d": [one(4, 6, 3, groups=2, padding=1, x=image()), one(4, 8, 3, groups=4, x=small()),
                   one(4, 2, (3, 2), padding="same", dilation=2, padding_mode="reflect", x=image()),
                   one(4, 2, 3, padding=(1, 2), padding_mode="circular", x=image())],
        "ConvTranspose2d": [one(4, 6, 3, 2, 1, 1, 2, x=image()),
                            one(4, 3, 3, stride=2, x=image(), also=([14, 18],))],
        "Linear": [one(8, 3, x=t((0, 8)))],
        "TripletMarginLoss": [one(x=(t((5, 3)), t((5, 3)), t((5, 3)))),
                              one(0.5, 1.0, swap=True, reduction="sum", x=(t((5, 3)), t((5, 3)), t((5, 3))))],
        "TripletMarginWithDistanceLoss": [
            one(x=(t((5, 3)), t((5, 3)), t((5, 3)))),
            one(distance_function=torch.nn.PairwiseDistance(1.0), x=(t((5, 3)), t((5, 3)), t((5, 3))))],
        "AdaptiveLogSoftmaxWithLoss": [one(8, 10, [3, 6], x=(t((5, 8)), torch.tensor([0, 2, 4, 9, 7]))),
                                       one(8, 10, [4], 2.0, True, x=(t((3, 8)), torch.tensor([0, 9, 4])))],
        "TransformerDecoder": [one(torch.nn.TransformerDecoderLayer(4, 2, 8, 0.0, batch_first=True), 2,
                                   x=(t((2, 3, 4)), t((2, 5, 4)))),
                               one(torch.nn.TransformerDecoderLayer(4, 2, 8, 0.0, norm_first=True), 1,
                                   norm=torch.nn.LayerNorm(4), x=(t((3, 2, 4)), t((5, 2, 4))))],
    }
    for d in (1, 2, 3):
        x = t((2, 3, *(4, 6, 4)[:d]))
        pooled, places = getattr(torch.nn, f"MaxPool{d}d")(2, return_indices=True)(x.detach())
        found[f"MaxUnpool{d}d"] = [one(2, x=(pooled.clone().requires_grad_(), places)),
                                   one(2, x=(pooled[0].clone().requires_grad_(), places[0]))]
        batch = t((3, 4, *(5, 3, 2)[:d]))
        found[f"LazyBatchNorm{d}d"] = [one(x=batch), one(momentum=None, affine=False, x=batch)]
        found[f"LazyInstanceNorm{d}d"] = [one(x=batch), one(affine=False, x=batch)]
        found[f"Dropout{d}d"] = [one(0.3, x=batch), one(x=batch[0].detach().requires_grad_())]
        found[f"BatchNorm{d}d"] = [one(4, momentum=None, x=batch), one(4, bias=False, x=batch),
                                   one(4, track_running_stats=False, x=batch)]
    for name in ("Dropout", "AlphaDropout", "FeatureAlphaDropout"):
        found[name] = [one(0.3, x=image())]
    return found
