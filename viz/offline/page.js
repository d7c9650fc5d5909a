// The page: what is open, what is selected, and what the keys do.

const MOST_CARDS = 800;                          // "unfold all" opens as much as stays smooth

class Page {
  constructor(model, parts) {
    Object.assign(this, { model, parts, selected: "", pinned: false, rankdir: model.rankdir });
    this.open = new Set(model.open);
    this.camera = new Camera(parts.canvas, parts.stage);
    this.camera.covered = () => {                // in a narrow window the panel lies over the canvas
      const { panel, canvas } = parts;
      return panel.offsetParent && panel.offsetLeft < canvas.offsetLeft + canvas.clientWidth ? panel.offsetWidth : 0;
    };
    this.details = new Details(model, parts.panel, this);
    this.player = new Player(model, parts, this);
    this.search = new Search(model, parts.search, parts.hits, this);
    this.hitNodes = new Set();
    this.#buttons();
    this.#pointer();
    this.keyboard = new Keyboard(this);
    window.addEventListener("beforeprint", () => this.camera.whole(true));
    window.addEventListener("afterprint", () => this.camera.whole(false));
    this.draw();
    this.camera.fit(true);
    this.#legend();
    this.select("");
    if (model.backward) this.player.go(1);
  }

  // Lays out and paints what is seen now; the card or header `anchor` stays where it is on the screen.
  draw(anchor = "") {
    const started = performance.now();
    const before = anchor && this.box(anchor);
    const was = before && this.camera.toScreen(before);
    this.view = seen(this.model, this.open);
    for (const card of this.view.cards) {
      card.when = card.kind === "end" ? Infinity : this.player.when(this.#nodesOf(card));
    }
    const sizes = this.view.cards.map(({ picture: [w, h, inset] }) => [w, h, this.model.insets[inset]]);
    this.placed = new Compound(this.view, sizes, this.rankdir).placed();
    this.parts.stage.innerHTML = painted(this.model, this.view, this.placed);
    this.groups = new Map([...this.parts.stage.querySelectorAll("[data-key]")].map((g) => [g.dataset.key, g]));
    this.lines = [...this.parts.stage.querySelectorAll("[data-wire]")]
      .sort((a, b) => a.dataset.wire - b.dataset.wire);
    [this.camera.width, this.camera.height] = [this.placed.width, this.placed.height];
    this.camera.sideways = this.rankdir === "LR";
    this.stepped();
    this.found(this.hitNodes);
    performance.measure("draw", { start: started, end: performance.now() });
    return was;
  }

  box(key) {
    const u = Number(key.slice(1));
    const other = key[0] === "u" ? `f${u}` : key[0] === "f" ? `u${u}` : "";     // a unit, closed or open
    for (const name of [key, other]) {
      if (name[0] === "f") {
        const g = this.view.frames.findIndex((frame) => frame.unit === Number(name.slice(1)));
        if (g >= 0) return this.placed.frames[g];
      } else if (this.view.byKey.has(name)) {
        const k = this.view.byKey.get(name);
        return [...this.placed.cards[k], ...this.view.cards[k].picture.slice(0, 2)];
      }
    }
    return null;
  }

  #relaid(anchor) {
    const was = this.draw(anchor);
    const box = this.box(anchor);
    if (was && box) {
      const now = this.camera.toScreen(box);
      this.camera.x += was[0] - now[0];
      this.camera.y += was[1] - now[1];
      this.camera.show(box[0], box[1], Math.min(box[2], 200), Math.min(box[3], 200));
    }
  }

  // Folds an open unit, unfolds a closed one.
  toggle(u) {
    const opens = !this.open.has(u);
    if (opens) this.open.add(u);
    else this.open.delete(u);
    this.#relaid(opens ? `u${u}` : `f${u}`);
    const key = opens ? `f${u}` : `u${u}`;
    this.focus(key);
    this.announce(`${this.model.unitName(u)} ${opens ? "unfolded" : "folded"}: ${this.view.cards.length} cards`);
  }

  foldAll() {
    this.open.clear();
    this.draw();
    this.camera.fit(true);
    this.announce(`folded: ${this.view.cards.length} cards`);
  }

  // Opens units breadth-first as long as the picture stays smooth.
  unfoldAll() {
    const { parent, start, stop } = this.model.units;
    const inside = (u) => stop[u] - start[u] - this.model.inner[u].reduce((n, v) => n + stop[v] - start[v] - 1, 0);
    let cards = this.view.cards.length;
    let left = 0;
    parent.forEach((p, u) => {
      if (this.open.has(u)) return;
      if ((p >= 0 && !this.open.has(p)) || cards + inside(u) - 1 > MOST_CARDS) {
        left++;
        return;
      }
      this.open.add(u);
      cards += inside(u) - 1;
    });
    this.draw();
    this.camera.fit(true);
    this.announce(left ? `${this.view.cards.length} cards; ${left} stay folded: so many at once would be slow`
      : `unfolded: ${this.view.cards.length} cards`);
  }

  // Goes to a node, and opens all that is around it.
  jump(i) {
    const chain = this.model.unitsAround(i);
    const shut = chain.some((u) => !this.open.has(u));
    for (const u of chain) this.open.add(u);
    if (shut) this.draw();
    let key = `n${i}`;
    if (!this.view.byKey.has(key)) key = `n${this.model.users[i][0]}`;      // a row in the card of an op
    if (this.camera.zoom < 0.6) this.camera.zoom = 0.9;
    const box = this.box(key);
    if (box) this.camera.show(...box, true);
    this.pinned = false;
    this.focus(key);
    this.twins([String(i)]);
  }

  focus(key) {
    this.groups.get(key)?.focus({ preventScroll: true });
    this.select(key);
  }

  focusPicture() {
    (this.groups.get(this.selected) ?? this.groups.values().next().value)?.focus({ preventScroll: true });
  }

  announce(words) {
    this.parts.live.textContent = words;
    this.parts.note.textContent = words;
  }

  select(key) {
    this.groups.get(this.selected)?.classList.remove("selected");
    this.selected = key;
    this.groups.get(key)?.classList.add("selected");
    const one = key[0] === "n" || key[0] === "o";            // in a narrow window the panel covers much: not for units
    this.parts.panel.classList.toggle("wanted", one);
    this.#show(key);
  }

  #show(key) {
    this.details.show(this.card(key), this.player.step);
  }

  card(key) {
    if (key[0] === "f") return { kind: "frame", unit: Number(key.slice(1)), key };
    return this.view.cards[this.view.byKey.get(key)];
  }

  // -- the backward pass ------------------------------------------------------------------------------------------

  #nodesOf(card) {
    return card.kind === "unit"
      ? this.model.ops.slice(this.model.units.start[card.unit], this.model.units.stop[card.unit]) : [card.node];
  }

  // Shows the state of the player: done in full colour, the current one ringed, later ones faded.
  stepped() {
    if (!this.view) return;
    const { player, view } = this;
    const current = player.current >= 0 ? view.at[player.current] : -1;
    const states = view.cards.map((card) => player.state(card.when));
    view.cards.forEach((card, k) => {
      const { classList } = this.groups.get(card.key);
      classList.toggle("later", states[k] === "later" && k !== current);
      classList.toggle("current", k === current);
    });
    view.wires.forEach((wire, k) => {
      const { classList } = this.lines[k];
      const travels = this.model.nodes.wants[wire.node] && view.cards[wire.target].kind !== "end";
      classList.toggle("flowing", Boolean(travels) && wire.target === current);
      classList.toggle("later", Boolean(travels) && states[wire.target] === "later");
    });
    this.parts.canvas.classList.toggle("stepping", player.active);
    if (current >= 0) {
      const [x, y] = this.placed.cards[current];
      const [w, h] = view.cards[current].picture;
      if (!this.camera.sees(x, y, w, h)) this.camera.show(x, y, w, h, true);
      this.details.show(view.cards[current], player.step);
    } else if (this.selected) {
      this.#show(this.selected);
    }
  }

  // Marks the cards of what a search found.
  found(nodes) {
    this.hitNodes = new Set(nodes);
    if (!this.view) return;
    const hit = new Set([...this.hitNodes].flatMap((i) => (this.view.at[i] >= 0 ? [this.view.at[i]]
      : this.model.users[i].map((n) => this.view.at[n]))));
    this.view.cards.forEach((card, k) => this.groups.get(card.key).classList.toggle("found", hit.has(k)));
  }

  // Lights up every row and card of the same leaves.
  twins(leaves) {
    for (const ring of this.parts.stage.querySelectorAll(".twin")) ring.remove();
    const wanted = new Set(leaves);
    for (const row of wanted.size ? this.parts.stage.querySelectorAll("[data-leaf]") : []) {
      if (!row.dataset.leaf.split(" ").some((leaf) => wanted.has(leaf))) continue;
      const { x, y, width, height } = row.getBBox();
      row.append(element("rect", { class: "twin", x: x - 3, y: y - 2, width: width + 6, height: height + 4, rx: 5 }));
    }
  }

  // -- what the user does -----------------------------------------------------------------------------------------

  #buttons() {
    const { parts, camera } = this;
    const on = (name, act) => parts[name].addEventListener("click", act);
    on("fold", () => this.foldAll());
    on("unfold", () => this.unfoldAll());
    on("fit", () => camera.fit());
    on("nearer", () => camera.zoomBy(1.25));
    on("farther", () => camera.zoomBy(0.8));
    on("turn", () => this.#turn());
    on("help", () => parts.keys.showModal());
    on("close", () => parts.keys.close());
    parts.bad.hidden = this.model.bad < 0;
    on("bad", () => this.jump(this.model.bad));
    parts.theme.addEventListener("change", () => { document.documentElement.dataset.theme = parts.theme.value; });
  }

  #turn() {
    this.rankdir = this.rankdir === "TB" ? "LR" : "TB";
    this.draw();
    this.camera.fit(true);
  }

  // Open from the start where it hides nothing.
  #legend() {
    const { model, parts: { legend, canvas } } = this;
    const [w, h] = model.legend;
    legend.insertAdjacentHTML("beforeend", `<svg width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" `
      + `aria-label="legend">${pieces(model, model.legend, 2)}</svg>`);
    const [right, bottom] = this.camera.toScreen([this.placed.width, this.placed.height]);
    legend.open = right < canvas.clientWidth - w - 24 || bottom < canvas.clientHeight - h - 44;
  }

  #pointer() {
    const { canvas, stage } = this.parts;
    const group = (event) => event.target.closest?.("[data-key]");
    stage.addEventListener("pointerover", (event) => {
      const g = group(event);
      if (g && !this.pinned && !this.camera.pointers.size) this.#show(g.dataset.key);
    });
    stage.addEventListener("pointermove", (event) => {
      const row = rowAt(group(event), event.clientY);
      if (row !== this.row) this.twins(row ? row.dataset.leaf.split(" ") : []);
      this.row = row;
    });
    stage.addEventListener("pointerleave", () => {
      this.row = undefined;
      this.twins([]);
      if (!this.pinned && this.player.current < 0) this.#show(this.selected);
    });
    stage.addEventListener("focusin", (event) => {
      const g = group(event);
      if (!g || !g.matches(":focus-visible")) return;
      this.select(g.dataset.key);
      const box = this.box(g.dataset.key);
      if (box) this.camera.show(box[0], box[1], box[2], Math.min(box[3], 80));
    });
    canvas.addEventListener("click", (event) => {
      if (event.target.closest("details")) return;
      if (this.camera.dragged > 4) return;
      const g = group(event);
      this.pinned = false;
      if (!g) return this.select("");
      const key = g.dataset.key;
      if (key[0] === "u" || key[0] === "f") return this.toggle(Number(key.slice(1)));
      this.pinned = true;                        // until Esc, or a click beside it
      return this.focus(key);
    });
    canvas.addEventListener("dblclick", (event) => { if (!group(event)) this.camera.fit(); });
  }
}

// The row of a leaf at this height of a card: words alone would be too thin to point at.
function rowAt(card, y) {
  return [...(card?.querySelectorAll("[data-leaf]") ?? [])].find((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return y >= top - 3 && y <= bottom + 3;
  });
}

async function begin() {
  const part = (name) => document.getElementById(name);
  const names = ["canvas", "stage", "panel", "legend", "note", "live", "search", "hits", "fold", "unfold", "fit",
    "nearer", "farther", "turn", "bad", "help", "keys", "close", "theme", "player", "slider", "play", "back", "ahead",
    "reset", "told", "title", "numbers", "memory", "curve", "cursor"];
  const parts = Object.fromEntries(names.map((name) => [name, part(name)]));
  if (typeof DecompressionStream === "undefined") {
    parts.note.textContent = "This browser cannot unpack the graph; a version from 2023 or later can.";
    return;
  }
  try {
    new Page(new Model(await unpacked(part("graph"))), parts);
    document.documentElement.dataset.ready = "";
    performance.measure("open", { start: 0, end: performance.now() });
  } catch (error) {
    parts.note.textContent = `The graph could not be shown: ${error.message}`;
    throw error;
  }
}

begin();
