// From the model and the set of open units to what is seen: cards in frames, and wires between them.

const MOST_LABELS = 4;                           // wires of a fan that are labelled each

function seen(model, open) {
  const { parent, start, stop } = model.units;
  const view = { cards: [], frames: [], wires: [], at: new Int32Array(model.count).fill(-1), byKey: new Map() };
  const add = (card) => {
    view.byKey.set(card.key, view.cards.length);
    view.cards.push(card);
  };
  const op = (p, group) => {
    const i = model.ops[p];
    view.at[i] = view.cards.length;
    add({ key: `n${i}`, kind: "op", node: i, first: p, group, picture: model.cards.ops[p] });
    if (model.cards.ends[i]) end(i);
  };
  const end = (i) => add({
    key: `out${i}`, kind: "end", node: i, first: model.position[i] + 0.5, group: -1, picture: model.cards.ends[i],
  });
  const unit = (u, group) => {
    if (open.has(u)) {
      const [width, header, copies] = model.cards.headers[u];
      view.frames.push({ unit: u, parent: group, width, header, copies, picture: model.cards.headers[u] });
      return view.frames.length - 1;
    }
    for (let p = start[u]; p < stop[u]; p++) view.at[model.ops[p]] = view.cards.length;
    add({ key: `u${u}`, kind: "unit", unit: u, first: start[u], group, picture: model.cards.units[u] });
    for (const i of model.outputs) {
      if (model.cards.ends[i] && model.position[i] >= start[u] && model.position[i] < stop[u]) end(i);
    }
    return -2;
  };
  // [from, to) and the units in it, walked in order; a frame pushes what is inside it
  const stack = [{ at: 0, stop: model.ops.length, units: model.top, next: 0, group: -1 }];
  while (stack.length) {
    const level = stack[stack.length - 1];
    const u = level.units[level.next];
    const upto = u === undefined ? level.stop : start[u];
    while (level.at < upto) op(level.at++, level.group);
    if (u === undefined) {
      stack.pop();
      continue;
    }
    level.next++;
    level.at = stop[u];
    const frame = unit(u, level.group);
    if (frame >= 0) stack.push({ at: start[u], stop: stop[u], units: model.inner[u], next: 0, group: frame });
  }
  leaves(model, view, add);
  wires(model, view);
  view.order = topological(view);
  return view;
}

// Inputs always have a card; other leaves where they are drawn as nodes and an op that is seen reads them.
function leaves(model, view, add) {
  for (const [key, picture] of Object.entries(model.cards.leaves)) {
    const i = Number(key);
    const input = model.text("kind", i) === "input";
    const readers = model.users[i].map((n) => view.cards[view.at[n]]);
    if (!input && model.users[i].length && !readers.some((card) => card.kind === "op")) continue;
    const group = input && !model.scalar ? -1 : common(view, readers.map((card) => card.group));
    view.at[i] = view.cards.length;
    const first = Math.min(...model.users[i].map((n) => model.position[n]), model.ops.length) - 0.5;
    add({ key: `n${i}`, kind: "leaf", node: i, first, group, picture });
  }
}

// The innermost frame around all of these.
function common(view, groups) {
  let shared = null;
  for (const group of new Set(groups)) {
    const chain = [];
    for (let g = group; g >= 0; g = view.frames[g].parent) chain.push(g);
    shared = shared === null ? chain : shared.filter((g) => chain.includes(g));
  }
  return shared && shared.length ? shared[0] : -1;
}

function wires(model, view) {
  const { cards, at } = view;
  const { inputs } = model.nodes;
  const found = new Map();
  const span = Math.max(2, ...cards.map((c) => (c.kind === "op" ? inputs[c.node].length : 0))) + 2;
  for (const i of model.ops) {
    const target = at[i];
    const fine = cards[target].kind === "op";
    inputs[i].forEach((a, arg) => {
      const source = at[a];
      if (source < 0 || source === target) return;
      if (fine && cards[source].kind === "leaf" && model.params === "row" && model.text("kind", a) !== "input") return;
      const key = (source * cards.length + target) * span + (fine ? arg + 1 : 0);
      if (!found.has(key)) found.set(key, { source, target, node: a, op: i, arg, cut: true });
      if (!model.cuts[i]?.includes(arg)) found.get(key).cut = false;
    });
  }
  view.wires = [...found.values()];
  cards.forEach((card, k) => {
    if (card.kind === "end") view.wires.push({ source: at[card.node], target: k, node: card.node, op: -1, arg: -1 });
  });
  const fans = new Map();
  const name = (wire) => `${wire.source} ${wire.node}`;
  for (const wire of view.wires) fans.set(name(wire), (fans.get(name(wire)) || 0) + 1);
  const labelled = new Set();
  for (const wire of view.wires) {
    const fan = fans.get(name(wire));
    const wanted = !model.scalar && model.nodes.room[wire.node] > 0
      && (["leaf", "unit"].includes(cards[wire.source].kind) || fan > 1);
    wire.room = wanted && (fan <= MOST_LABELS || !labelled.has(name(wire))) ? model.nodes.room[wire.node] : 0;
    labelled.add(name(wire));
  }
}

// The cards in an order in which each comes after what it reads.
function topological(view) {
  return view.cards.map((_, k) => k).sort((a, b) => view.cards[a].first - view.cards[b].first || a - b);
}
