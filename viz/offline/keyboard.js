// What the keys do: steps of the player, folding, and travel along the wires.

class Keyboard {
  constructor(page) {
    Object.assign(this, { page, came: "" });
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    const typing = event.target.matches("input:not([type=range]), select, textarea") || this.page.parts.keys.open;
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = event.target.matches("button, summary");
    const inPicture = event.target.closest?.("[data-key]");
    const acts = {
      "/": () => this.page.parts.search.focus(), "?": () => this.page.parts.keys.showModal(),
      ".": () => this.page.player.go(this.page.player.at + 1), ",": () => this.page.player.go(this.page.player.at - 1),
      "0": () => this.page.camera.fit(), "+": () => this.page.camera.zoomBy(1.25),
      "=": () => this.page.camera.zoomBy(1.25), "-": () => this.page.camera.zoomBy(0.8), Escape: () => this.#escape(),
    };
    if (!button) acts[" "] = () => this.page.player.toggle();
    if (inPicture) {
      acts.Enter = () => this.#enter(inPicture.dataset.key);
      acts.Backspace = () => this.#leave(inPicture.dataset.key);
      for (const arrow of ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]) {
        acts[arrow] = () => this.#travel(inPicture.dataset.key, arrow);
      }
    }
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  #escape() {
    this.page.player.pause();
    this.page.pinned = false;
    this.page.search.find("");
    this.page.parts.search.value = "";
    this.page.player.reset();
    this.page.twins([]);
    this.page.select("");
  }

  #enter(key) {
    if (key[0] === "u" || key[0] === "f") return this.page.toggle(Number(key.slice(1)));
    this.page.pinned = true;
    return this.page.focus(key);
  }

  // Folds the frame around a card.
  #leave(key) {
    const group = key[0] === "f" ? this.page.view.frames.find((f) => f.unit === Number(key.slice(1))).parent
      : this.page.card(key).group;
    if (group >= 0) this.page.toggle(this.page.view.frames[group].unit);
  }

  // Along the wires: with the arrow of the drawing's direction to what reads this card, against it to what it reads;
  // with the other two to the next card on the same wire's other branches.
  #travel(key, arrow) {
    const sideways = this.page.rankdir === "LR";
    const [ahead, back] = sideways ? ["ArrowRight", "ArrowLeft"] : ["ArrowDown", "ArrowUp"];
    if (key[0] === "f") {                        // into the frame, to its first card
      const g = this.page.view.frames.findIndex((f) => f.unit === Number(key.slice(1)));
      const first = this.page.view.order.find((k) => this.page.view.cards[k].group === g);
      if (first !== undefined) this.page.focus(this.page.view.cards[first].key);
      return;
    }
    const here = this.page.view.byKey.get(key);
    const { wires } = this.page.view;
    const after = (k) => wires.filter((w) => w.source === k).map((w) => w.target);
    const before = (k) => wires.filter((w) => w.target === k).map((w) => w.source);
    let next;
    if (arrow === ahead || arrow === back) {
      const near = arrow === ahead ? after(here) : before(here);
      next = near.find((k) => this.page.view.cards[k].key === this.came) ?? near[0];     // back where one came from
    } else {
      const forward = arrow === (sideways ? "ArrowDown" : "ArrowRight");
      const beside = new Set([...before(here).flatMap(after), ...after(here).flatMap(before)]);
      const axis = sideways ? 1 : 0;
      const place = (k) => this.page.placed.cards[k][axis] + this.page.view.cards[k].picture[axis] / 2;
      const sorted = [...beside].filter((k) => k !== here && (place(k) > place(here)) === forward);
      sorted.sort((a, b) => Math.abs(place(a) - place(here)) - Math.abs(place(b) - place(here)));
      next = sorted[0];
    }
    if (next === undefined) return;
    this.came = key;
    const to = this.page.view.cards[next].key;
    this.page.focus(to);
    this.page.camera.show(...this.page.box(to));
  }
}
