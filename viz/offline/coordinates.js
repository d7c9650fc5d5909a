// Coordinates across the ranks of a layered drawing (Brandes and Köpf 2001), with widths and ports: the same four
// drawings and the same mean as in the Python layout.  beside: [upper, lower] whose upper one bends nothing out of line.

function coordinates(layers, segments, across, boxes, gap, beside) {
  const n = across.length;
  const place = new Float64Array(n);
  for (const layer of layers) layer.forEach((v, k) => { place[v] = k; });
  const above = Array.from({ length: n }, () => []);
  const below = Array.from({ length: n }, () => []);
  for (const [u, v, a, b] of segments) {
    above[v].push([u, a - b]);                   // v stands right under u when x(v) = x(u) + a - b
    below[u].push([v, b - a]);
  }
  const barred = conflicts(layers, above, place, boxes);
  const trunks = new Set();
  for (let v = boxes; v < n; v++) for (const [u] of above[v]) if (u >= boxes) trunks.add(u);
  for (let v = 0; v < boxes; v++) for (const [u] of above[v]) if (trunks.has(u)) barred.add(u * n + v);
  const aside = new Set(beside.map(([u, v]) => u * n + v));
  const near = followers(layers, below, aside);
  for (const u of near) barred.add(u * n + below[u][0][0]);
  const runs = [];
  for (const [ends, rows] of [[above, layers], [below, [...layers].reverse()]]) {
    for (const flip of [1, -1]) {
      const order = flip < 0 ? rows.map((layer) => [...layer].reverse()) : rows;
      const at = flip < 0 ? place.map((k) => -k) : place;
      const [root, shift] = aligned(order, ends, at, barred, flip);
      runs.push(packed(order, root, shift, across, boxes, gap).map((x) => flip * x));
    }
  }
  const x = balanced(runs, across);
  drawnNear(layers, below, x, near, (u, v) => apartOf(u, v, across, boxes, gap));
  return x;
}

// The least distance between the middles of two neighbours.
function apartOf(u, v, across, boxes, gap) {
  return (across[u] + across[v]) / 2 + (u < boxes && v < boxes && across[u] && across[v] ? gap : BEND_GAP);
}

// What stands beside, and what only that is computed from.
function followers(layers, below, aside) {
  const near = new Set();
  for (const layer of [...layers].reverse()) {
    for (const v of layer) {
      if (below[v].length !== 1) continue;
      const w = below[v][0][0];
      if (aside.has(v * below.length + w) || near.has(w)) near.add(v);
    }
  }
  return near;
}

// Each of `near` moves over what it feeds, as far as there is room.
function drawnNear(layers, below, x, near, apart) {
  for (const layer of [...layers].reverse()) {
    const wish = new Map();
    for (const v of layer) if (near.has(v)) wish.set(v, x[below[v][0][0]] + below[v][0][1]);
    if (!wish.size) continue;
    for (const places of [[...layer.keys()], [...layer.keys()].reverse()]) {
      for (const k of places) {
        const v = layer[k];
        if (!wish.has(v)) continue;
        const low = k ? x[layer[k - 1]] + apart(layer[k - 1], v) : -Infinity;
        const high = k + 1 < layer.length ? x[layer[k + 1]] - apart(v, layer[k + 1]) : Infinity;
        x[v] = Math.max(low, Math.min(wish.get(v), Math.max(low, high)));
      }
    }
  }
}

// Segments that cross one between two bends: those give way, so that long edges stay straight.
function conflicts(layers, above, place, boxes) {
  const barred = new Set();
  const n = above.length;
  for (let r = 0; r + 1 < layers.length; r++) {
    const [upper, lower] = [layers[r], layers[r + 1]];
    let low = 0;
    let scanned = 0;
    lower.forEach((v, k) => {
      const bend = v >= boxes ? above[v].find(([u]) => u >= boxes) : undefined;
      if (bend === undefined && k < lower.length - 1) return;
      const high = bend !== undefined ? place[bend[0]] : upper.length - 1;
      for (const w of lower.slice(scanned, k + 1)) {
        for (const [u] of above[w]) {
          if ((place[u] < low || place[u] > high) && !(u >= boxes && w >= boxes)) barred.add(u * n + w);
        }
      }
      scanned = k + 1;
      low = high;
    });
  }
  return barred;
}

// Blocks of elements in line: for each element the root of its block, and its place relative to the root.
function aligned(layers, near, place, barred, flip) {
  const n = near.length;
  const root = Int32Array.from({ length: n }, (_, v) => v);
  const shift = new Float64Array(n);
  const taken = new Uint8Array(n);
  for (const layer of layers) {
    let last = -Infinity;
    for (const v of layer) {
      const wanted = [...near[v]].sort((p, q) => place[p[0]] - place[q[0]]);
      if (!wanted.length) continue;
      for (const m of new Set([(wanted.length - 1) >> 1, wanted.length >> 1])) {
        const [u, offset] = wanted[m];
        if (taken[u] || root[v] !== v || place[u] <= last || barred.has(u * n + v) || barred.has(v * n + u)) continue;
        taken[u] = 1;
        root[v] = root[u];
        shift[v] = shift[u] + flip * offset;
        last = place[u];
      }
    }
  }
  return [root, shift];
}

// Blocks as far to the left as they can be; then to the right where nothing is lost by it.
function packed(layers, root, shift, across, boxes, gap) {
  const n = root.length;
  const follows = Array.from({ length: n }, () => null);
  const before = new Int32Array(n);
  for (const layer of layers) {
    for (let k = 0; k + 1 < layer.length; k++) {
      const [u, v] = [layer[k], layer[k + 1]];
      const apart = apartOf(u, v, across, boxes, gap) + shift[u] - shift[v];
      const [a, b] = [root[u], root[v]];
      follows[a] ??= new Map();
      if (!follows[a].has(b)) before[b]++;
      follows[a].set(b, Math.max(follows[a].get(b) ?? -Infinity, apart));
    }
  }
  const order = [];
  for (let v = 0; v < n; v++) if (root[v] === v && !before[v]) order.push(v);
  const x = new Float64Array(n);
  const reached = new Uint8Array(n);
  for (let k = 0; k < order.length; k++) {       // grows while it is walked
    for (const [b, apart] of follows[order[k]] ?? []) {
      x[b] = reached[b] ? Math.max(x[b], x[order[k]] + apart) : x[order[k]] + apart;
      reached[b] = 1;
      if (--before[b] === 0) order.push(b);
    }
  }
  for (const a of order.reverse()) {
    let room = Infinity;
    for (const [b, apart] of follows[a] ?? []) room = Math.min(room, x[b] - apart);
    if (room < Infinity && room > x[a]) x[a] = room;
  }
  return Array.from({ length: n }, (_, v) => x[root[v]] + shift[v]);
}

// The mean of the two middle drawings, all moved onto the narrowest one.
function balanced(runs, across) {
  const lows = runs.map((run) => run.reduce((least, x, v) => Math.min(least, x - across[v] / 2), Infinity));
  const highs = runs.map((run) => run.reduce((most, x, v) => Math.max(most, x + across[v] / 2), -Infinity));
  let narrow = 0;
  for (let k = 1; k < 4; k++) if (highs[k] - lows[k] < highs[narrow] - lows[narrow]) narrow = k;
  const moves = runs.map((_, k) => (k % 2 === 0 ? lows[narrow] - lows[k] : highs[narrow] - highs[k]));
  return runs[0].map((_, v) => {
    const middle = runs.map((run, k) => run[v] + moves[k]).sort((a, b) => a - b);
    return (middle[1] + middle[2]) / 2;
  });
}
