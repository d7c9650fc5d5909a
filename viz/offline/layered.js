// Layered drawing of one level: ranks, order within ranks, coordinates, routes; the method of the Python layout.

// The limits (MAX_BENDS, ...) are those of the Python layout, written into the page with it.

// Ranks, and which boxes only feed what others lead to, as [box, what it feeds].  Ranks are those of
// the longest path; then what has more edges out than in moves down to where it is needed.  What nothing else is
// computed from moves with it: its edges in do not count.
function ranksOf(boxes, edges) {
  const n = boxes.length;
  const outs = Array.from({ length: n }, () => []);
  const ins = Array.from({ length: n }, () => []);
  const waiting = new Int32Array(n);
  for (const e of edges) {
    outs[e.source].push(e.target);
    ins[e.target].push(e.source);
    waiting[e.target]++;
  }
  const first = boxes.some((box) => box.pin < 0) ? 1 : 0;
  const rank = boxes.map((box) => (box.pin < 0 ? 0 : first));
  const own = boxes.map((box) => box.pin === 0);   // it, and all that it is computed from, has one user
  const order = [];
  for (let v = 0; v < n; v++) if (!waiting[v]) order.push(v);
  for (let k = 0; k < order.length; k++) {
    const v = order[k];
    own[v] &&= outs[v].length > 0 && outs[v].every((w) => w === outs[v][0]);
    for (const w of outs[v]) {
      rank[w] = Math.max(rank[w], rank[v] + 1);
      own[w] &&= own[v];
      if (--waiting[w] === 0) order.push(w);
    }
  }
  if (boxes.some((box) => box.pin > 0)) {
    let last = first;
    boxes.forEach((box, v) => { if (box.pin <= 0) last = Math.max(last, rank[v] + 1); });
    boxes.forEach((box, v) => { if (box.pin > 0) rank[v] = last; });
  }
  const depth = [...rank];
  const held = ins.map((above) => above.reduce((sum, u) => sum + (own[u] ? 0 : 1), 0));
  for (let turn = 0; turn < 2; turn++) {         // the second time follows what moved in the first
    for (let k = order.length - 1; k >= 0; k--) {
      const v = order[k];
      if (boxes[v].pin === 0 && outs[v].length && outs[v].length + (held[v] < ins[v].length) > held[v]) {
        let least = Infinity;
        for (const w of outs[v]) least = Math.min(least, rank[w]);
        rank[v] = Math.max(rank[v], least - 1);
      }
    }
  }
  const beside = [];
  ins.forEach((above, v) => {
    const deepest = above.reduce((most, u) => Math.max(most, depth[u]), 0);
    for (const u of above) if (depth[u] < deepest && (own[u] || rank[u] > depth[u])) beside.push([u, v]);
  });
  return [rank, beside];
}

// Elements (boxes, then bends) in ranks, and the segments between neighbouring ranks.  Long edges from one place
// share a trunk of bends, from which each branches off to its target.
function gridOf(boxes, edges) {
  const [raw, beside] = ranksOf(boxes, edges);
  const close = new Map([...new Set(raw)].sort((a, b) => a - b).map((r, k) => [r, k]));
  const rank = raw.map((r) => close.get(r));
  const across = boxes.map((box) => box.across);
  const grid = { rank, beside, count: boxes.length, across, bends: edges.map(() => []), segments: [] };
  const trunks = new Map();
  let budget = Math.min(MAX_BENDS * (boxes.length + edges.length) + 1000, MOST_BENDS);
  const length = (k) => rank[edges[k].target] - rank[edges[k].source];
  for (const k of edges.map((_, index) => index).sort((a, b) => length(a) - length(b))) {
    const e = edges[k];
    const place = `${e.source} ${e.leave}`;
    if (!trunks.has(place)) trunks.set(place, []);
    const trunk = trunks.get(place);
    const span = length(k) - 1;
    if (span > budget) continue;                 // goes straight, past all ranks between
    budget -= span;
    const leave = e.leave - boxes[e.source].across / 2;
    const arrive = e.arrive - boxes[e.target].across / 2;
    while (trunk.length < span) {
      const bend = rank.length;
      rank.push(rank[e.source] + trunk.length + 1);
      grid.across.push(2);
      grid.segments.push([trunk.length ? trunk[trunk.length - 1] : e.source, bend, trunk.length ? 0 : leave, 0]);
      trunk.push(bend);
    }
    grid.bends[k] = trunk.slice(0, Math.max(0, span));
    if (span > 0 && e.label) grid.across[trunk[0]] = Math.max(grid.across[trunk[0]], 2 + 2 * e.label);
    grid.segments.push(span > 0 ? [trunk[span - 1], e.target, 0, arrive] : [e.source, e.target, leave, arrive]);
  }
  return grid;
}

// Order within ranks: medians, downward and upward in turn; the order with the fewest crossings wins.
function ordered(grid) {
  const n = grid.rank.length;
  const above = Array.from({ length: n }, () => []);         // other end, its port, own port: 0 to 1
  const below = Array.from({ length: n }, () => []);
  for (const [u, v, a, b] of grid.segments) {
    const p = grid.across[u] ? 0.5 + (0.9 * a) / grid.across[u] : 0.5;
    const q = grid.across[v] ? 0.5 + (0.9 * b) / grid.across[v] : 0.5;
    above[v].push([u, p, q]);
    below[u].push([v, q, p]);
  }
  const layers = Array.from({ length: grid.rank.reduce((most, r) => Math.max(most, r), -1) + 1 }, () => []);
  const reached = new Uint8Array(n);
  for (let root = 0; root < n; root++) {         // depth first keeps what belongs together side by side
    const stack = reached[root] || above[root].length ? [] : [root];
    while (stack.length) {
      const v = stack.pop();
      if (reached[v]) continue;
      reached[v] = 1;
      layers[grid.rank[v]].push(v);
      for (let k = below[v].length - 1; k >= 0; k--) if (!reached[below[v][k][0]]) stack.push(below[v][k][0]);
    }
  }
  const place = new Float64Array(n);
  for (const layer of layers) layer.forEach((v, k) => { place[v] = k; });
  let best = layers.map((layer) => [...layer]);
  let least = crossings(layers, below, place);
  for (let sweep = 0; sweep < (n < 3000 ? SWEEPS : 2) && least > 0; sweep++) {
    const down = sweep % 2 === 0;
    const near = down ? above : below;
    for (const layer of down ? layers.slice(1) : layers.slice(0, -1).reverse()) {
      if (layer.length < 2) continue;
      const wish = new Map(layer.map((v) => [v, median(near[v].map(([w, p]) => place[w] + p), place[v] + 0.5)]));
      layer.sort((u, v) => wish.get(u) - wish.get(v) || place[u] - place[v]);
      layer.forEach((v, k) => { place[v] = k; });
    }
    if (n < 3000) transpose(layers, above, below, place);
    const now = crossings(layers, below, place);
    if (now < least) [best, least] = [layers.map((layer) => [...layer]), now];
  }
  return best;
}

function median(values, otherwise) {
  if (!values.length) return otherwise;
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Number of crossing pairs of segments: inversions, counted in a Fenwick tree.
function crossings(layers, below, place) {
  let total = 0;
  for (const layer of layers.slice(0, -1)) {
    const ends = [];
    for (const v of layer) {
      const leaving = below[v].map(([w, q, p]) => [p, q, w]).sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      for (const [, q, w] of leaving) ends.push(place[w] + q);
    }
    if (ends.length < 2) continue;
    const rank = new Map([...new Set(ends)].sort((a, b) => a - b).map((e, k) => [e, k + 1]));
    const tree = new Int32Array(rank.size + 1);
    ends.forEach((end, k) => {
      let smaller = 0;
      for (let i = rank.get(end); i; i &= i - 1) smaller += tree[i];
      total += k - smaller;
      for (let i = rank.get(end); i < tree.length; i += i & -i) tree[i]++;
    });
  }
  return total;
}

// Swaps neighbours where that saves crossings.
function transpose(layers, above, below, place) {
  for (const layer of layers) {
    for (let k = 0; k + 1 < layer.length; k++) {
      const [u, v] = [layer[k], layer[k + 1]];
      let now = 0;
      let then = 0;
      for (const near of [above, below]) {
        if (near[u].length * near[v].length > 64) continue;
        for (const [a, p] of near[u]) {
          for (const [b, q] of near[v]) {
            now += place[a] + p > place[b] + q;
            then += place[b] + q > place[a] + p;
          }
        }
      }
      if (then < now) {
        [layer[k], layer[k + 1]] = [v, u];
        [place[v], place[u]] = [k, k + 1];
      }
    }
  }
}

// Places the boxes and routes the edges.  `ends`: distance between pinned boxes and the others.
function drawLevel(boxes, edges, gap, rankGap, ends) {
  if (!boxes.length) return { corners: [], routes: [], labels: [], across: 0, along: 0 };
  const grid = gridOf(boxes, edges);
  const layers = ordered(grid);
  let x = coordinates(layers, grid.segments, grid.across, grid.count, gap, grid.beside);
  const left = x.reduce((least, at, v) => Math.min(least, at - (v < grid.count ? grid.across[v] / 2 : 1)), Infinity);
  const right = x.reduce((most, at, v) => Math.max(most, at + grid.across[v] / 2), -Infinity);
  x = x.map((at) => at - left);
  const [tops, sizes] = ranges(grid, boxes, edges, layers, x, rankGap, ends);
  const fed = new Set(edges.map((e) => e.target));
  const corners = boxes.map((box, v) => {
    const room = sizes[grid.rank[v]] - box.along;            // what nothing feeds stands near to what it feeds
    return [x[v] - box.across / 2, tops[grid.rank[v]] + (fed.has(v) ? room / 2 : room)];
  });
  const drawn = edges.map((e, k) => route(e, grid, k, boxes, corners, x, tops, sizes));
  const last = tops.length - 1;
  return {
    corners, routes: drawn.map((d) => d[0]), labels: drawn.map((d) => d[1]), across: right - left,
    along: tops[last] + sizes[last],
  };
}

// Start and size of every rank; gaps are wider where edges run far sideways or carry labels.
function ranges(grid, boxes, edges, layers, x, rankGap, ends) {
  const size = (v) => (v < grid.count ? boxes[v].along : 0);
  const sizes = layers.map((layer) => layer.reduce((most, v) => Math.max(most, size(v)), 0));
  const drift = layers.map(() => 0);
  for (const [u, v, a, b] of grid.segments) {
    drift[grid.rank[u]] = Math.max(drift[grid.rank[u]], Math.abs(x[u] + a - x[v] - b));
  }
  const labels = layers.map(() => 0);
  for (const e of edges) {
    if (!e.label) continue;
    const r = e.late ? grid.rank[e.target] - 1 : grid.rank[e.source];
    labels[r] = Math.max(labels[r], e.tall + 4 * LABEL_GAP);
  }
  const pinned = layers.map((layer) => layer.every((v) => v < grid.count && boxes[v].pin));
  const tops = [0];
  for (let r = 0; r + 1 < layers.length; r++) {
    let space = rankGap + Math.min(40, 0.12 * Math.max(0, drift[r] - 40));
    if (pinned[r] || pinned[r + 1]) space = ends + Math.min(28, 0.3 * drift[r]);
    tops.push(tops[r] + sizes[r] + Math.max(space, labels[r]));
  }
  return [tops, sizes];
}

// Down through the rank of the source, a curve in each gap, straight down beside what stands in a rank.
function route(e, grid, k, boxes, corners, x, tops, sizes) {
  const [a, b] = [grid.rank[e.source], grid.rank[e.target]];
  const start = [corners[e.source][0] + e.leave, corners[e.source][1] + boxes[e.source].along];
  const stop = [corners[e.target][0] + e.arrive, corners[e.target][1]];
  const bands = grid.bends[k].map((bend) => {
    const r = grid.rank[bend];
    return [x[bend], tops[r], tops[r] + sizes[r]];
  });
  const stops = [[start[0], start[1], tops[a] + sizes[a]]];   // straight pieces; those in line are one
  for (const [at, near, far] of [...bands, [stop[0], tops[b], stop[1]]]) {
    const last = stops[stops.length - 1];
    if (Math.abs(last[0] - at) <= STRAIGHT) last[2] = far;
    else stops.push([at, near, far]);
  }
  const points = [start];
  for (const [at, near, far] of stops) {
    const [before, from] = points[points.length - 1];
    let y = from;
    if (at !== before) {
      const lean = (near - y) * 0.55;
      points.push([before, y + lean], [at, near - lean], [at, near]);
      y = near;
    }
    if (far - y > 0.5) points.push([at, y + (far - y) / 3], [at, y + (2 * (far - y)) / 3], [at, far]);
  }
  if (points.length === 1) points.push(start, stop, stop);
  if (!e.label) return [points, null];
  if (bands.length) return [points, [bands[0][0] + LABEL_GAP + e.label / 2, (bands[0][1] + bands[0][2]) / 2]];
  if (e.late) {
    const side = start[0] > stop[0] - 1 ? 1 : -1;
    return [points, [stop[0] + side * (LABEL_GAP + e.label / 2), tops[b] - LABEL_GAP - e.tall / 2]];
  }
  return [points, [start[0] + LABEL_GAP + e.label / 2, tops[a] + sizes[a] + LABEL_GAP + e.tall / 2]];
}
