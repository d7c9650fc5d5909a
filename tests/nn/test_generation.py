"""Writing a sequence step by step with a cache, and models made of blocks of attention: GPT, vision transformers."""

import copy

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd import ShapeError, Tensor, no_grad
from nn import functional as F


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def values(x):
    return x.detach().numpy()


def causal(n):
    return np.triu(np.ones((n, n), bool), 1)


def pieces(x, lengths, axis):
    ends = np.cumsum(lengths)
    return [x[(slice(None),) * axis + (slice(end - n, end),)] for n, end in zip(lengths, ends)]


# -- the cache -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [
    {"batch_first": True}, {"batch_first": False}, {"batch_first": True, "bias": False},
    {"batch_first": True, "kdim": 8, "vdim": 8}])
@pytest.mark.parametrize("lengths", [(1,) * 6, (4, 1, 1), (2, 3, 1), (6,)])
def test_attention_step_by_step_is_attention_at_once(settings, lengths):
    """Outputs, weights, and the gradients that flow through the cache."""
    layer = nn.MultiheadAttention(8, 2, **settings).double()
    first = settings["batch_first"]
    x = Tensor(drawn(3, 6, 8) if first else drawn(6, 3, 8), requires_grad=True)
    whole, weights = layer(x, x, x, attn_mask=Tensor(causal(6)))
    g = drawn(*whole.shape, seed=1)
    (whole * g).sum().backward()
    wanted = [x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]
    x.grad = None
    layer.zero_grad()
    cache, found, shares = nn.KVCache(), [], []
    for part in pieces(x, lengths, 1 if first else 0):
        out, share = layer(part, part, part, is_causal=True, cache=cache)
        found.append(out)
        shares.append(values(share))
        with_none = layer(part, part, part, is_causal=True, need_weights=False, cache=_without_last(cache, part, first))
        assert with_none[1] is None and np.abs(values(with_none[0]) - values(out)).max() < 1e-12
    out = ag.cat(found, 1 if first else 0)
    assert np.abs(values(out) - values(whole)).max() < 1e-12 and cache.length == 6
    for share, part in zip(shares, pieces(values(weights), lengths, 1)):
        assert np.abs(share - part[:, :, :share.shape[2]]).max() < 1e-12
    (out * g).sum().backward()
    for a, b in zip([x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())], wanted):
        assert np.abs(a - b).max() < 1e-12


def _without_last(cache, part, first):
    """A cache as it was before the last call."""
    before = copy.copy(cache)
    before.kept = dict(cache.kept)
    before.crop(cache.length - part.shape[1 if first else 0])
    return before


def test_masks_beside_a_cache():
    layer = nn.MultiheadAttention(8, 2, batch_first=True).double()
    x = Tensor(drawn(2, 5, 8))
    hidden = np.array([[True, False, False, False, False], [False, False, True, False, False]])
    bias = np.where(causal(5), -np.inf, drawn(5, 5, seed=2))
    whole = values(layer(x, x, x, key_padding_mask=Tensor(np.where(hidden, -np.inf, 0.0)), attn_mask=Tensor(bias))[0])
    whole[0, 0] = np.nan                      # looks at nothing
    cache = nn.KVCache()
    for start, end in ((0, 3), (3, 4), (4, 5)):
        part = x[:, start:end]
        out = values(layer(part, part, part, key_padding_mask=Tensor(np.where(hidden[:, :end], -np.inf, 0.0)),
                           attn_mask=Tensor(bias[start:end, :end]), cache=cache)[0])
        good = ~np.isnan(whole[:, start:end])
        assert np.abs(out - whole[:, start:end])[good].max() < 1e-12
    with pytest.raises(ShapeError, match="expected attn_mask"):
        layer(part, part, part, attn_mask=Tensor(bias), cache=cache)
    with pytest.raises(ShapeError, match="take a new cache"):
        layer(part[:1], part[:1], part[:1], cache=cache)
    with pytest.raises(ValueError, match="do not go with a cache"):
        nn.MultiheadAttention(8, 2, add_zero_attn=True, batch_first=True)(x, x, x, cache=cache)


@pytest.mark.parametrize("norm_first", [False, True])
def test_a_decoder_step_by_step(norm_first):
    layer = nn.TransformerDecoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=norm_first)
    model = nn.TransformerDecoder(layer, 2, nn.LayerNorm(8)).double()
    tgt, memory = Tensor(drawn(2, 6, 8)), Tensor(drawn(2, 4, 8, seed=1))
    whole = values(model(tgt, memory, tgt_mask=Tensor(causal(6)), tgt_is_causal=True))
    cache = nn.KVCache()
    found = [values(model(part, memory, tgt_is_causal=True, cache=cache)) for part in pieces(tgt, (3, 1, 1, 1), 1)]
    assert np.abs(np.concatenate(found, 1) - whole).max() < 1e-12
    assert repr(cache) == "KVCache(length=6, layers=4)"


def test_an_encoder_step_by_step_unbatched():
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0), 2).double()
    x, cache = Tensor(drawn(5, 8)), nn.KVCache()
    whole = values(model(x, Tensor(causal(5)), is_causal=True))
    found = [values(model(part, is_causal=True, cache=cache)) for part in pieces(x, (2, 1, 2), 0)]
    assert np.abs(np.concatenate(found) - whole).max() < 1e-12


def test_a_cache_is_cropped_and_reordered():
    layer = nn.MultiheadAttention(8, 2, batch_first=True).double()
    x, other = Tensor(drawn(3, 5, 8)), Tensor(drawn(3, 5, 8, seed=3))

    def run(part, cache):
        return values(layer(part, part, part, is_causal=True, need_weights=False, cache=cache)[0])
    cache = nn.KVCache()
    run(ag.cat([x[:, :3], other[:, :1]], 1), cache)
    cache.crop(-1)                            # takes the last position back
    assert cache.length == 3
    whole = nn.KVCache()
    run(x[:, :3], whole)
    assert np.abs(run(x[:, 3:4], cache) - run(x[:, 3:4], whole)).max() < 1e-12
    cache.reorder(np.array([2, 2, 0]))
    again = nn.KVCache()
    run(x[[2, 2, 0]][:, :4], again)
    assert np.abs(run(other[:, :1], cache) - run(other[:, :1], again)).max() < 1e-12
    cache.clear()
    assert cache.length == 0


def test_positions_go_on():
    x = Tensor(drawn(2, 6, 8))
    for layer in (nn.PositionalEncoding(8, max_len=6).double(), nn.LearnedPositionalEncoding(8, max_len=6).double()):
        whole = values(layer(x))
        assert (values(layer(x[:, 4:], offset=4)) == whole[:, 4:]).all()
        with pytest.raises(ShapeError, match="at offset 5"):
            layer(x[:, 4:], offset=5)


# -- GPT -------------------------------------------------------------------------------------------------


def small(**more):
    return nn.GPT(**{"vocab_size": 11, "block_size": 8, "n_layer": 2, "n_head": 2, "n_embd": 12, **more}).double()


def test_gpt_is_what_it_is_made_of():
    """Beside the same model of other parts: values and all gradients."""
    model, tokens = small(), Tensor(np.random.default_rng(0).integers(0, 11, (3, 7)))
    for p in model.parameters():
        p.data = Tensor(drawn(*p.shape, seed=p.size) * 0.3)
    own = dict(model.named_parameters())

    def layer_of(i):
        layer = nn.TransformerEncoderLayer(12, 2, 48, 0.0, F.gelu, batch_first=True, norm_first=True).double()
        for theirs, ours in (("self_attn.in_proj_", "attn.c_attn."), ("self_attn.out_proj.", "attn.c_proj."),
                             ("linear1.", "mlp.c_fc."), ("linear2.", "mlp.c_proj."), ("norm1.", "ln_1."),
                             ("norm2.", "ln_2.")):
            for kind in ("weight", "bias"):
                dict(layer.named_parameters())[theirs + kind].data = own[f"transformer.h.{i}.{ours}{kind}"].detach()
        return layer
    layers, table = [layer_of(i) for i in range(2)], Tensor(values(own["transformer.wte.weight"]), requires_grad=True)
    x = F.embedding(tokens, table) + own["transformer.wpe.weight"].detach()[:7]
    for layer in layers:
        x = layer(x, Tensor(causal(7)), is_causal=True)
    x = F.layer_norm(x, (12,), own["transformer.ln_f.weight"].detach(), own["transformer.ln_f.bias"].detach())
    wanted, g = F.linear(x, table), drawn(3, 7, 11)
    found = model(tokens)
    assert np.abs(values(found) - values(wanted)).max() < 1e-12
    (wanted * g).sum().backward()
    (found * g).sum().backward()
    assert np.abs(own["transformer.wte.weight"].grad.numpy() - table.grad.numpy()).max() < 1e-11
    assert np.abs(own["transformer.h.0.attn.c_attn.weight"].grad.numpy()
                  - layers[0].self_attn.in_proj_weight.grad.numpy()).max() < 1e-12


def test_gpt_step_by_step_and_its_parameters():
    model, tokens, cache = small(), Tensor(np.random.default_rng(0).integers(0, 11, (3, 8))), nn.KVCache()
    whole = values(model(tokens))
    found = [values(model(part, cache)) for part in pieces(tokens, (3, 1, 4), 1)]
    assert np.abs(np.concatenate(found, 1) - whole).max() < 1e-12
    with pytest.raises(ShapeError, match="after 8 positions"):
        model(tokens[:, :1], cache)
    with pytest.raises(ShapeError, match="L at most block_size=8"):
        model(Tensor(np.zeros((1, 9), int)))
    assert model.lm_head.weight is model.transformer["wte"].weight
    assert sum(p.size for p in model.parameters()) == 11 * 12 + 8 * 12 + 2 * (12 * 12 ** 2 + 13 * 12) + 24
    assert "transformer.h.1.mlp.c_proj.weight" in model.state_dict() and "lm_head.weight" in model.state_dict()
    assert small(bias=False).lm_head.bias is None and not any("bias" in name for name in small(bias=False).state_dict())


def test_gpt_writes_what_it_would_say_at_once():
    """Greedy: each token is the likeliest after those before, also beyond block_size; drawn: as often as its share."""
    model = small().eval()
    for p in model.parameters():
        p.data = Tensor(drawn(*p.shape, seed=p.size) * 0.5)
    start = np.array([[1, 2], [3, 4]])
    found = model.generate(start, 12, temperature=0).numpy()
    assert found.shape == (2, 14) and (found[:, :2] == start).all()
    with no_grad():
        for i in range(2, 14):
            logits = model(Tensor(found[:, max(0, i - 8):i])).numpy()[:, -1]
            assert (logits.argmax(-1) == found[:, i]).all()
        shares = F.softmax(model(Tensor(start[:1]))[0, -1].numpy() / 0.7, 0)
    ag.manual_seed(0)
    tokens = model.generate(start[:1].repeat(4000, 0), 1, temperature=0.7).numpy()[:, -1]
    assert np.abs(np.bincount(tokens, minlength=11) / 4000 - shares).max() < 0.03
    tokens = model.generate(start[:1].repeat(200, 0), 1, top_k=2).numpy()[:, -1]
    assert set(tokens) <= set(np.argsort(shares)[-2:])
    for bad in ({"temperature": -1.0}, {"top_k": 0}):
        with pytest.raises(ValueError, match="temperature >= 0 and top_k >= 1"):
            model.generate(start, 1, **bad)
    with pytest.raises(ShapeError, match="integer tokens"):
        model.generate(np.zeros((1, 2)), 1)


def test_gpt_learns_to_count():
    ag.manual_seed(0)
    model = nn.GPT(5, 6, n_layer=1, n_head=1, n_embd=16)
    rule = optim.AdamW(model.parameters(), lr=1e-2)
    x = (np.arange(5)[:, None] + np.arange(7)) % 5
    for _ in range(60):
        loss = F.cross_entropy(model(Tensor(x[:, :-1])).reshape(-1, 5), Tensor(x[:, 1:].reshape(-1)))
        rule.zero_grad()
        loss.backward()
        rule.step()
    assert (model.eval().generate(np.array([[3]]), 10, temperature=0).numpy() == (np.arange(11) + 3) % 5).all()


# -- vision transformers ---------------------------------------------------------------------------------


def test_patches_are_blocks_through_one_map():
    layer, x = nn.PatchEmbedding(2, 5, (2, 3)).double(), drawn(3, 2, 4, 6)
    blocks = x.reshape(3, 2, 2, 2, 2, 3).transpose(0, 2, 4, 1, 3, 5).reshape(3, 4, 12)
    wanted = blocks @ layer.weight.detach().numpy().reshape(5, 12).T + layer.bias.detach().numpy()
    assert np.abs(values(layer(Tensor(x))) - wanted).max() < 1e-12
    with pytest.raises(ShapeError, match="multiples of 2 and 3"):
        layer(Tensor(drawn(1, 2, 4, 5)))


def test_a_vision_transformer_is_what_it_is_made_of():
    model = nn.VisionTransformer(8, 4, 2, 2, 12, 20, num_classes=3, in_channels=1).double()
    assert not values(model(Tensor(drawn(2, 1, 8, 8)))).any(), "the head starts at 0"
    for p in model.parameters():
        p.data = Tensor(drawn(*p.shape, seed=p.size) * 0.3)
    x = Tensor(drawn(2, 1, 8, 8), requires_grad=True)
    y = ag.cat([ag.expand(model.class_token, (2, 1, 12)), model.conv_proj(x)], 1) + model.encoder.pos_embedding
    for i in range(2):
        block = dict(model.named_modules())[f"encoder.layers.encoder_layer_{i}"]
        layer = nn.TransformerEncoderLayer(12, 2, 20, 0.0, "gelu", 1e-6, True, True).double()
        for theirs, ours in ((layer.self_attn, block.self_attention), (layer.norm1, block.ln_1),
                             (layer.norm2, block.ln_2), (layer.linear1, block.mlp[0]), (layer.linear2, block.mlp[3])):
            theirs.load_state_dict(ours.state_dict())
        y = layer(y)
    wanted = model.heads.head(model.encoder.ln(y)[:, 0])
    found = model(x)
    assert np.abs(values(found) - values(wanted)).max() < 1e-12
    g = drawn(2, 3)
    slope, = ag.gradients((found * g).sum(), [x])
    other, = ag.gradients((wanted * g).sum(), [x])
    assert np.abs(values(slope) - values(other)).max() < 1e-12
    with pytest.raises(ShapeError, match="expected images"):
        model(Tensor(drawn(2, 1, 4, 4)))
    with pytest.raises(ValueError, match="a multiple of patch_size"):
        nn.VisionTransformer(9, 4, 2, 2, 12, 20)


# -- Keras's attention -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dot", "scaled", "concat", "additive"])
@pytest.mark.parametrize("causal_too", [False, True])
def test_attention_as_keras_has_it(kind, causal_too):
    layer = {"dot": nn.Attention, "scaled": lambda: nn.Attention(True), "additive": nn.AdditiveAttention,
             "concat": lambda: nn.Attention(True, score_mode="concat")}[kind]().double()
    q, v, k = drawn(2, 4, 5), drawn(2, 3, 6, seed=1), drawn(2, 3, 5, seed=2)
    layer([Tensor(q), Tensor(v), Tensor(k)])
    for p in layer.parameters():
        p.data = Tensor(drawn(*p.shape, seed=7))
    s = {name: p.detach().numpy() for name, p in layer.named_parameters()}
    both = q[:, :, None] + k[:, None]
    scores = {"dot": lambda: q @ k.swapaxes(1, 2), "scaled": lambda: q @ k.swapaxes(1, 2) * s["scale"],
              "concat": lambda: s["concat_score_weight"] * np.tanh(s["scale"] * both).sum(-1),
              "additive": lambda: (s["scale"] * np.tanh(both)).sum(-1)}[kind]()
    shown, kept = np.array([[1, 1, 0, 1], [1, 0, 1, 1]], bool), np.array([[1, 0, 1], [1, 1, 0]], bool)
    seen = kept[:, None] & (np.tri(4, 3, dtype=bool) if causal_too else True)
    e = np.exp(scores) * seen
    weights = e / e.sum(-1, keepdims=True)
    out, found = layer([Tensor(q), Tensor(v), Tensor(k)], [Tensor(shown), kept], True, causal_too)
    assert np.abs(values(found) - weights).max() < 1e-12
    assert np.abs(values(out) - weights @ v * shown[..., None]).max() < 1e-12
    plain = values(layer([Tensor(q), Tensor(v), Tensor(k)]))
    assert np.abs(plain - values(layer([Tensor(q), Tensor(v), Tensor(k)], [None, None]))).max() == 0
    assert ag.gradcheck(lambda q, v, k: layer([q, v, k]), (q, v, k))


def test_attention_refuses_what_does_not_fit():
    q, v = Tensor(drawn(2, 4, 5)), Tensor(drawn(2, 3, 5))
    layer = nn.Attention(dropout=0.5)
    assert not np.array_equal(values(layer([q, v])), values(layer([q, v]))), "dropout of the weights"
    assert np.array_equal(values(layer.eval()([q, v])), values(layer([q, v])))
    for error, text, call in (
            (TypeError, "expected a list", lambda: layer(q)), (TypeError, "got 1 of them", lambda: layer([q])),
            (ShapeError, "key .N, S, d.", lambda: layer([q, Tensor(drawn(2, 3, 6))])),
            (TypeError, "expected mask", lambda: layer([q, v], np.ones(3))),
            (ShapeError, "value mask", lambda: layer([q, v], [None, np.ones((2, 4), bool)])),
            (ValueError, "score_mode", lambda: nn.Attention(score_mode="cosine"))):
        with pytest.raises(error, match=text):
            call()
    assert repr(nn.AdditiveAttention()) == "AdditiveAttention(use_scale=True, dropout=0.0)"
