"""Pictures made of pixels: images, filters of convolutions, and the maps that layers make of an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .running import inputs_of, module_of, no_grad, undisturbed
from .style import Look, between, colour_bar, figure, grid_of, look, plain
from .values import array, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def image_grid(images: Any, titles: Sequence[str] = (), columns: int = 10, *, mistakes: bool = False,
               cmap: str | None = None, theme: str = "light") -> Figure:
    """Small images side by side, one title each; in the colour of an alarm where the titles name `mistakes`.

    images: (N, H, W) grey, dark on light; or colour as (N, 3, H, W) or (N, H, W, 3), floats in [0, 1] or bytes.
    Raises ValueError for other shapes, and where there is no image.
    """
    who, colours = "image_grid", look("image_grid", theme)
    found = array(who, "images", images)
    if found.ndim == 4 and (found.shape[1] in (1, 3) or (found.shape[1] == 4 and found.shape[-1] not in (1, 3, 4))):
        found = np.moveaxis(found, 1, -1)
    if found.ndim == 4 and found.shape[-1] == 1:
        found = found[..., 0]
    if not (found.ndim == 3 or (found.ndim == 4 and found.shape[-1] in (3, 4))):
        raise ValueError(f"{who}: expected images (N, H, W), (N, 3, H, W) or (N, H, W, 3); got shape {found.shape}")
    if not len(found):
        raise ValueError(f"{who}: expected at least one image; got none")
    rows, wide = grid_of(len(found), whole(who, "columns", columns, 1), who)
    drawn = figure(0.95 * wide, 1.2 * rows, colours)
    for k, image in enumerate(found):
        axes = drawn.add_subplot(rows, wide, k + 1)
        if image.ndim == 3 and image.dtype.kind == "f":
            image = np.clip(np.nan_to_num(image), 0, 1)
        axes.imshow(image, cmap=cmap or "gray_r", interpolation="nearest")
        axes.set_axis_off()
        if k < len(titles):
            axes.set_title(plain(titles[k]), fontsize=8, color=colours.alarm if mistakes else colours.ink)
    return drawn


def filters(layer: Any, *, most: int = 64, columns: int | None = None, share: bool = True, theme: str = "light"
            ) -> Figure:
    """The weights of a convolution as small images: blue below 0, red above, one scale for all.

    layer: a convolution, or an array (out, in, H, W), (out, H, W) or (out, in, L).  Filters over 3 channels are
        shown in colour; over any other number of channels, each row of a sheet is one filter.  A matrix (out, in) is
        one image.
    most: how many filters are shown, from the first.
    share: one scale for all; False gives each its own.

    Raises TypeError for what has no weight, ValueError for other shapes.
    """
    who, colours = "filters", look("filters", theme)
    given = layer
    if hasattr(layer, "named_parameters"):
        given = getattr(layer, "weight", None)
        if given is None:
            raise TypeError(f"{who}: expected a layer with a weight, or an array; got {type(layer).__name__}; name the "
                            "layer itself: viz.filters(model[0])")
    weight = array(who, "layer", given).astype(float)
    if weight.ndim not in (2, 3, 4) or not weight.size:
        raise ValueError(f"{who}: expected weights (out, in, H, W), (out, H, W), (out, in, L) or (out, in); got shape "
                         f"{weight.shape}")
    if weight.ndim == 4 and weight.shape[1] == 3:
        return _in_colour(weight[:whole(who, "most", most, 1)], len(weight), columns, colours)
    flat = weight if weight.ndim == 4 else weight[:, None] if weight.ndim == 3 else weight[None, None]
    shown = flat[:whole(who, "most", most, 1), :16]
    several = shown.shape[1] > 1
    rows, wide = (shown.shape[0], shown.shape[1]) if several else grid_of(len(shown), columns, who)
    tiles = shown.reshape(-1, *shown.shape[2:])
    labels = [f"{k // wide}·{k % wide}" if several else str(k) for k in range(len(tiles))] if len(tiles) > 1 else [""]
    hidden = f"; {len(tiles)} of {flat.shape[0] * flat.shape[1]} shown" if len(tiles) < flat.shape[0] * flat.shape[1] \
        else ""
    title = f"{len(flat)} filters × {flat.shape[1]} channels, {'×'.join(map(str, flat.shape[2:]))}{hidden}" \
        if weight.ndim > 2 else f"weight {weight.shape[0]}×{weight.shape[1]}"
    return _sheet(tiles, labels, rows, wide, colours, title, "weight", share, signed=True)


def _in_colour(weight: np.ndarray, count: int, columns: int | None, colours: Look) -> Figure:
    rows, wide = grid_of(len(weight), columns, "filters")
    drawn = figure(max(0.85 * wide, 2.6), 0.9 * rows + 0.5, colours)
    finite = weight[np.isfinite(weight)]
    half = float(np.abs(finite).max(initial=0)) or 1.0
    for k, kernel in enumerate(weight):
        axes = drawn.add_subplot(rows, wide, k + 1)
        pixels = np.nan_to_num(np.moveaxis(kernel, 0, -1)) / (2 * half) + 0.5
        axes.imshow(np.clip(pixels, 0, 1), interpolation="nearest")
        axes.set_axis_off()
    more = f", {len(weight)} shown" if len(weight) < count else ""
    drawn.suptitle(f"{count} filters over red, green, blue{more}; grey is 0", color=colours.ink, fontsize=9)
    return drawn


def feature_maps(model: Any, x: Any, layer: Any, *, sample: int = 0, most: int = 64, columns: int | None = None,
                 share: bool = False, theme: str = "light") -> Figure:
    """What a layer makes of an input: one small image for each channel; of a sequence, one image with a row for each
    position.

    x: a batch as the model takes it; `sample` is which of it is shown.
    layer: the dotted path of a module, "features.0", or the module itself.
    share: one scale for all channels; False gives each its own, and says which are dead (the same everywhere).

    The model is run in evaluation mode without gradients and left as it was.  Raises ValueError for a path that leads
    nowhere, IndexError for a sample that is not in the batch.
    """
    who, colours = "feature_maps", look("feature_maps", theme)
    modules = dict(module_of(who, model).named_modules())
    found = modules.get(layer) if isinstance(layer, str) else next((m for m in modules.values() if m is layer), None)
    if found is None:
        what = repr(layer) if isinstance(layer, str) else f"a {type(layer).__name__} that is not in it"
        raise ValueError(f"{who}: expected a layer of the model, one of {', '.join(n for n in modules if n)[:400]}; "
                         f"got {what}")
    caught: list[Any] = []
    with undisturbed(model, training=False), no_grad():
        handle = found.register_forward_hook(lambda module, args, out: caught.append(out))
        try:
            model(*inputs_of(model, x))
        finally:
            handle.remove()
    if not caught:
        raise ValueError(f"{who}: expected the model to call {layer!r}; it did not, with this input")
    out = caught[-1][0] if isinstance(caught[-1], (tuple, list)) else caught[-1]
    maps = array(who, "the output of the layer", out).astype(float)
    if maps.ndim < 2:
        raise ValueError(f"{who}: expected a layer that gives (N, C, ...); {layer!r} gave shape {maps.shape}")
    if not -len(maps) <= whole(who, "sample", sample, -len(maps)) < len(maps):
        raise IndexError(f"{who}: expected sample to be below {len(maps)}, the size of the batch; got {sample}")
    one = maps[sample]
    title = layer if isinstance(layer, str) else type(layer).__name__
    kind = f"{title}: {'×'.join(map(str, one.shape))}" + (f", {most} shown" if one.ndim > 2 and len(one) > most else "")
    if one.ndim < 3:                          # features without a place, or along a line: one picture, a row for each
        return _sheet(np.atleast_2d(one)[None], [""], 1, 1, colours, kind, "activation", True,
                      signed=bool((one < 0).any()))
    while one.ndim > 3:                       # volumes: the middle slice
        one = one[:, one.shape[1] // 2]
    tiles = one[:whole(who, "most", most, 1)]
    rows, wide = grid_of(len(tiles), columns, who)
    return _sheet(tiles, [str(k) for k in range(len(tiles))], rows, wide, colours, kind, "activation", share,
                  signed=bool((tiles < 0).any()))


def _sheet(tiles: np.ndarray, labels: list[str], rows: int, columns: int, colours: Look, title: str, quantity: str,
           share: bool, signed: bool) -> Figure:
    """Tiles (K, H, W) in rows, with one colour bar where they share a scale; dead and broken ones are marked."""
    ratio = tiles.shape[2] / tiles.shape[1]
    wide = 0.8 * min(max(ratio, 1), 4) if len(tiles) > 1 else 3.0 * min(max(ratio, 1), 2.2)
    tall = 0.95 if len(tiles) > 1 else min(max(wide / ratio, 0.5), 6.0)
    drawn = figure(max(wide * columns + 0.8, 3.2), tall * rows + 0.6, colours)
    cmap = between(*colours.diverging) if signed else colours.sequential
    axes_all, image = [], None
    bound = _bounds(tiles, signed)
    for k, tile in enumerate(tiles):
        axes = drawn.add_subplot(rows, columns, k + 1)
        low, high = bound if share else _bounds(tile, signed)
        image = axes.imshow(tile, cmap=cmap, vmin=low, vmax=high, interpolation="nearest",
                            aspect="equal" if 0.2 < ratio < 5 else "auto")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_facecolor(colours.page)
        finite = np.isfinite(tile).all()
        dead = finite and tile.size > 1 and float(tile.max()) == float(tile.min())
        for spine in axes.spines.values():
            spine.set(color=colours.alarm if dead or not finite else colours.grid, linewidth=1.5 if dead else 0.8)
        if len(tiles) <= 200:
            state = " dead" if dead and quantity == "activation" else "" if finite else " NaN"
            axes.set_title(labels[k] + state, fontsize=7, color=colours.alarm if state else colours.sub, pad=2)
        axes_all.append(axes)
    if share and image is not None:
        colour_bar(drawn, image, axes_all, colours, quantity)
    drawn.suptitle(plain(title), color=colours.ink, fontsize=9)
    return drawn


def _bounds(values: np.ndarray, signed: bool) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if signed:
        half = max(abs(low), abs(high)) or 1.0
        return -half, half
    return low, high if high > low else low + 1.0
