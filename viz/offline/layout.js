// Nested frames, each drawn as a level of its own, inside out; a wire that leaves a frame passes through a terminal
// on its border, so it cannot run through a card.  Numbers in GEOMETRY come from the Python layout.

class Compound {
  constructor(view, sizes, rankdir) {
    this.view = view;
    this.sizes = sizes;                          // of each card: width, height, inset
    this.sideways = rankdir === "LR";
    this.extent = sizes.map(([w, h]) => (this.sideways ? [h, w] : [w, h]));
    this.groups = [-1, ...view.frames.keys()];
    this.members = new Map(this.groups.map((g) => [g, []]));
    view.frames.forEach((frame, g) => this.members.get(frame.parent).push(["frame", g]));
    view.cards.forEach((card, k) => this.members.get(card.group).push(["card", k]));
    this.levels = new Map();
    this.slot = new Map();
    this.pads = [];
    this.frame = [];                             // extent of each frame, across and along
    this.through = [];                           // of each frame: where wires pass its border
    this.wanted = new Map(this.groups.map((g) => [g, new Map()]));      // of each level: name of a piece -> the piece
    this.#split();
  }

  #chain(card) {
    const chain = [this.view.cards[card].group];
    while (chain[chain.length - 1] >= 0) chain.push(this.view.frames[chain[chain.length - 1]].parent);
    return chain;
  }

  // Cuts each wire at the frames it passes; wires from one place share their pieces.
  #split() {
    const chains = this.view.cards.map((_, k) => this.#chain(k));
    const fans = new Map();
    for (const wire of this.view.wires) fans.set(wire.source, (fans.get(wire.source) || 0) + 1);
    this.path = this.view.wires.map((wire) => {
      const [outward, inward] = [`out ${wire.source}`, `in ${wire.source}`];
      const [ups, downs] = [chains[wire.source], chains[wire.target]];
      const meet = ups.find((g) => downs.includes(g));
      const pieces = [];
      let start = { kind: "card", member: wire.source };
      for (const g of ups.slice(0, ups.indexOf(meet))) {
        pieces.push(this.#piece(g, start, { kind: "border", terminal: outward }));
        start = { kind: "frame", member: g, terminal: outward };
      }
      const inner = [];
      let stop = { kind: "card", member: wire.target };
      for (const g of downs.slice(0, downs.indexOf(meet))) {
        inner.push(this.#piece(g, { kind: "border", terminal: inward }, stop));
        stop = { kind: "frame", member: g, terminal: inward };
      }
      pieces.push(this.#piece(meet, start, stop, wire.room, fans.get(wire.source) > 1));
      return pieces.concat(inner.reverse());
    });
  }

  #piece(g, start, stop, label = 0, late = false) {
    const name = [start, stop].map((e) => `${e.kind} ${e.member} ${e.terminal}`).join("|") + `|${label}|${late}`;
    const known = this.wanted.get(g);
    if (!known.has(name)) known.set(name, { g, start, stop, label, late, index: known.size });
    return known.get(name);
  }

  #draw(g) {
    const slots = new Map();
    const boxes = [];
    for (const [kind, k] of this.members.get(g)) {
      slots.set(kind + k, boxes.length);
      const [across, along] = kind === "card" ? this.extent[k] : this.frame[k];
      boxes.push({ across, along, pin: 0 });
    }
    const terminals = new Map();
    const pieces = [...this.wanted.get(g).values()];
    for (const { start, stop } of pieces) {
      for (const end of [start, stop]) {
        if (end.kind === "border" && !terminals.has(end.terminal)) {
          terminals.set(end.terminal, boxes.length);
          boxes.push({ across: 0, along: 0, pin: end.terminal.startsWith("in") ? -1 : 1 });
        }
      }
    }
    const edges = pieces.map((piece) => {
      const [source, leave] = this.#at(piece.start, slots, terminals);
      const [target, arrive] = this.#at(piece.stop, slots, terminals);
      const tall = piece.label ? GEOMETRY.labelHeight : 0;
      const [label, along] = this.sideways ? [tall, piece.label] : [piece.label, tall];
      return { source, target, leave, arrive, label, tall: along, late: piece.late };
    });
    const rankGap = GEOMETRY.rankGap + (this.sideways ? GEOMETRY.sidewaysGap : 0);
    const level = drawLevel(boxes, edges, GEOMETRY.nodeGap, rankGap, GEOMETRY.ends);
    this.levels.set(g, level);
    this.slot.set(g, slots);
    if (g >= 0) this.#frame(g, level, new Map([...terminals].map(([t, k]) => [t, level.corners[k][0]])));
  }

  // The box of an end, and how far from the start of its side the wire stands.
  #at(end, slots, terminals) {
    if (end.kind === "border") return [terminals.get(end.terminal), 0];
    const box = slots.get(end.kind + end.member);
    if (end.kind === "frame") return [box, this.through[end.member].get(end.terminal)];
    const [left, top, right, bottom] = this.sizes[end.member][2];
    const [low, high] = this.sideways ? [top, bottom] : [left, right];
    return [box, low + (this.extent[end.member][0] - low - high) / 2];
  }

  // Size of a frame: its level, room around it, and a header that no wire runs through.
  #frame(g, level, crossed) {
    const frame = this.view.frames[g];
    const ins = [...crossed].filter(([t]) => t.startsWith("in")).map(([, x]) => x);
    const pad = GEOMETRY.framePad;
    const near = ins.length ? 0 : pad;
    const far = ins.length < crossed.size ? 0 : pad;
    let pads;
    if (this.sideways) {
      const spare = Math.max(0, frame.width - (level.along + near + far)) / 2;
      pads = [frame.header + 4, pad, near + spare, far + spare];
    } else {
      let side = pad;                            // the title stands to the left of the first wire that comes in
      if (ins.length) side = Math.max(side, Math.min(frame.width + 10 - Math.min(...ins), 90));
      side = Math.max(side, (frame.width - level.across) / 2);
      pads = [side, side, frame.header + (near || 2), far];
    }
    this.pads[g] = pads;
    this.frame[g] = [level.across + pads[0] + pads[1], level.along + pads[2] + pads[3]];
    this.through[g] = new Map([...crossed].map(([t, x]) => [t, x + pads[0]]));
  }

  placed() {
    for (let g = this.view.frames.length - 1; g >= -1; g--) this.#draw(g);
    const origin = new Map([[-1, [GEOMETRY.margin, GEOMETRY.margin]]]);
    const cards = [];
    const frames = [];
    for (const g of this.groups) {               // a frame comes after the one around it
      const [ax, ay] = origin.get(g);
      for (const [kind, k] of this.members.get(g)) {
        const [x, y] = this.levels.get(g).corners[this.slot.get(g).get(kind + k)];
        if (kind === "card") {
          cards[k] = this.#turn([ax + x, ay + y]);
        } else {
          origin.set(k, [ax + x + this.pads[k][0], ay + y + this.pads[k][2]]);
          frames[k] = [...this.#turn([ax + x, ay + y]), ...this.#turn(this.frame[k])];
        }
      }
    }
    const joined = this.path.map((pieces) => this.#joined(pieces, origin));
    const page = this.levels.get(-1);
    const [width, height] = this.#turn([page.across + 2 * GEOMETRY.margin, page.along + 2 * GEOMETRY.margin]);
    return {
      cards, frames, width, height, wires: joined.map(([points]) => points.map((p) => this.#turn(p))),
      labels: joined.map(([, label], k) => (label && this.view.wires[k].room ? this.#turn(label) : null)),
    };
  }

  #joined(pieces, origin) {
    let points = [];
    let label = null;
    for (const piece of pieces) {
      const [ax, ay] = origin.get(piece.g);
      const level = this.levels.get(piece.g);
      const route = level.routes[piece.index].map(([x, y]) => [ax + x, ay + y]);
      if (points.length) {                       // from one border to the next
        const [last, first] = [points[points.length - 1], route[0]];
        if (Math.abs(last[1] - first[1]) > 0.01 || Math.abs(last[0] - first[0]) > 0.01) {
          const third = (first[1] - last[1]) / 3;
          points.push([last[0], last[1] + third], [first[0], first[1] - third], first);
        }
        points.push(...route.slice(1));
      } else {
        points = route;
      }
      const found = level.labels[piece.index];
      if (found) label = [ax + found[0], ay + found[1]];
    }
    return [points, label];
  }

  #turn([x, y]) {
    return this.sideways ? [y, x] : [x, y];
  }
}
