// A placed view as SVG: frames, then wires, then cards in topological order, which is the order of Tab.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escaped = (text) => String(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);
const short = (value) => String(Math.round(value * 10) / 10);

function painted(model, view, placed) {
  const out = [];
  view.frames.forEach((frame, g) => out.push(frameBox(frame, placed.frames[g])));
  view.wires.forEach((wire, k) => out.push(wirePath(model, wire, k, placed.wires[k])));
  const heads = view.frames.map((_, g) => g);    // frames are made in topological order
  let next = 0;
  for (const k of view.order) {
    const card = view.cards[k];
    while (next < heads.length && model.units.start[view.frames[next].unit] <= card.first) {
      out.push(frameHead(model, view.frames[next], next, placed.frames[next]));
      next++;
    }
    out.push(cardGroup(model, card, k, placed.cards[k]));
  }
  for (; next < heads.length; next++) out.push(frameHead(model, view.frames[next], next, placed.frames[next]));
  const told = new Set();
  placed.labels.forEach((at, k) => {
    if (!at) return;
    const text = model.text("shape", view.wires[k].node);
    const label = `<text class="f-sub halo" text-anchor="middle" font-size="9" x="${short(at[0])}" `
      + `y="${short(at[1] + 3.2)}">${escaped(text)}</text>`;
    if (!told.has(label)) out.push(label);       // wires on one trunk have one label
    told.add(label);
  });
  return out.join("");
}

function pieces(model, picture, from) {
  let out = "";
  for (let k = from; k < picture.length; k++) out += model.pieces[picture[k]];
  return out;
}

function frameBox(frame, [x, y, w, h]) {
  const box = (d, role, width) => `<rect class="f-${role} s-module-ink" x="${short(x + d)}" y="${short(y - d)}" `
    + `width="${short(w)}" height="${short(h)}" rx="10" stroke-width="${width}"/>`;
  const behind = frame.copies > 1 ? box(6, "module-2", 1) + box(3, "module-2", 1) : "";
  return `<g class="frame">${behind}${box(0, "module", 1.2)}</g>`;
}

// The header is what is pointed at: it folds the frame.
function frameHead(model, frame, g, [x, y, w]) {
  const name = escaped(`${model.unitName(frame.unit)}, open`);
  return `<g class="head" data-frame="${g}" data-key="f${frame.unit}" tabindex="0" role="button" aria-expanded="true" `
    + `aria-label="${name}" transform="translate(${short(x)} ${short(y)})"><rect class="hit" width="${short(w)}" `
    + `height="${frame.header}" rx="8"/>${pieces(model, frame.picture, 3)}</g>`;
}

function cardGroup(model, card, k, [x, y]) {
  const [w, h] = card.picture;
  const unit = card.kind === "unit";
  return `<g class="node ${card.kind}" data-card="${k}" data-key="${card.key}" tabindex="0" role="button" `
    + `${unit ? 'aria-expanded="false" ' : ""}aria-label="${escaped(spoken(model, card))}" `
    + `transform="translate(${short(x)} ${short(y)})"><rect class="ring" x="-5" y="-5" width="${w + 10}" `
    + `height="${h + 10}" rx="11"/>${pieces(model, card.picture, 3)}</g>`;
}

// What a screen reader says of a card.
function spoken(model, card) {
  if (card.kind === "unit") {
    const u = card.unit;
    return `${model.unitName(u)}, closed, ${model.units.stop[u] - model.units.start[u]} operations`;
  }
  const i = card.node;
  const [name, shape] = [model.text("name", i), model.text("shape", i)];
  const op = model.text("op", i) || model.text("kind", i);
  const grad = model.nodes.grad[i];
  const words = [card.kind === "end" ? "output" : op, name, shape];
  if (grad) words.push(grad.length === 1 ? `gradient ${figure(grad[0])}` : `gradient RMS ${figure(grad[0])}`);
  if (model.text("module", i)) words.push(`in ${model.text("module", i)}`);
  return words.filter(Boolean).join(", ");
}

function wirePath(model, wire, k, points) {
  const { flow, weight, dash } = model.nodes;
  const role = model.texts[flow[wire.node]];
  const thick = weight[wire.node];
  const tip = points[points.length - 1];
  let before = points[0];
  for (let j = points.length - 1; j >= 0; j--) {
    if (Math.hypot(points[j][0] - tip[0], points[j][1] - tip[1]) > 0.5) {
      before = points[j];
      break;
    }
  }
  const long = 6 + thick;
  const reach = Math.hypot(tip[0] - before[0], tip[1] - before[1]) || 1;
  const [dx, dy] = [(tip[0] - before[0]) / reach, (tip[1] - before[1]) / reach];
  const line = [...points.slice(0, -1), [tip[0] - dx * (long - 1), tip[1] - dy * (long - 1)]];
  const at = ([x, y]) => `${short(x)} ${short(y)}`;
  let d = `M${at(line[0])}`;
  for (let j = 1; j + 2 < line.length; j += 3) d += `C${at(line[j])} ${at(line[j + 1])} ${at(line[j + 2])}`;
  const half = 2.6 + 0.55 * thick;
  const [bx, by] = [tip[0] - dx * long, tip[1] - dy * long];
  const head = `M${at(tip)}L${at([bx - dy * half, by + dx * half])}L${at([bx + dy * half, by - dx * half])}Z`;
  const style = model.texts[dash[wire.node]];
  const dashes = style ? ` stroke-dasharray="${GEOMETRY.dashes[style]}"` : "";
  return `<g class="wire" data-wire="${k}"><path class="s-${role}" d="${d}" stroke-width="${thick}"${dashes}/>`
    + `<path class="f-${role}" d="${head}"/>${wire.cut ? seal(model, points) : ""}</g>`;
}

// Scissors on the middle of the last curve, where the wire has left those it shares its way with.
function seal(model, points) {
  const [a, b, c, d] = points.slice(-4);
  const at = [0, 1].map((k) => short((a[k] + 3 * b[k] + 3 * c[k] + d[k]) / 8));
  return `<g transform="translate(${at[0]} ${at[1]})">${pieces(model, model.cut, 0)}</g>`;
}
