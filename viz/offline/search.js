// Finds ops, names, modules and lines; Enter goes there and unfolds what is around.

const MOST_HITS = 40;

class Search {
  constructor(model, field, list, page) {
    Object.assign(this, { model, field, list, page, hits: [], active: -1 });
    this.words = Array.from({ length: model.count }, (_, i) => ["op", "name", "module", "line", "shape"]
      .map((column) => model.text(column, i)).join(" ").toLowerCase());
    field.addEventListener("input", () => this.find(field.value));
    field.addEventListener("keydown", (event) => this.#key(event));
    field.addEventListener("blur", () => setTimeout(() => { list.hidden = true; }, 150));
    field.addEventListener("focus", () => { list.hidden = !this.hits.length; });
  }

  find(query) {
    const wanted = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
    this.hits = [];
    this.active = -1;
    let count = 0;
    for (let i = 0; wanted.length && i < this.words.length; i++) {
      if (!wanted.every((word) => this.words[i].includes(word))) continue;
      count++;
      if (this.hits.length < MOST_HITS) this.hits.push(i);
    }
    this.list.replaceChildren(...this.hits.map((i, k) => this.#item(i, k)));
    if (wanted.length) {
      const cut = count > MOST_HITS ? `, the first ${MOST_HITS} shown` : "";
      const words = count ? `${count} found${cut}` : "nothing found";
      this.list.append(element("li", { class: "sub", role: "presentation" }, words));
      this.page.announce(words);
    }
    this.list.hidden = !wanted.length;
    this.field.setAttribute("aria-expanded", String(!this.list.hidden));
    this.page.found(wanted.length ? this.hits : []);
  }

  #item(i, k) {
    const { model } = this;
    const where = [model.text("module", i), model.text("line", i)].filter(Boolean).join("  ");
    const item = element("li", { role: "option", id: `hit${k}`, "aria-selected": "false" },
      element("b", {}, model.nodeName(i)), ` ${model.text("name", i) ? model.text("op", i) : ""} `,
      element("span", { class: "sub" }, `${model.text("shape", i)}  ${where}`));
    item.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.#go(i);
    });
    return item;
  }

  #key(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this.active = Math.max(0, Math.min(this.hits.length - 1, this.active + step));
      [...this.list.children].forEach((item, k) => item.setAttribute("aria-selected", String(k === this.active)));
      this.list.children[this.active]?.scrollIntoView({ block: "nearest" });
      this.field.setAttribute("aria-activedescendant", `hit${this.active}`);
    } else if (event.key === "Enter" && this.hits.length) {
      event.preventDefault();
      this.#go(this.hits[Math.max(0, this.active)]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.field.value = "";
      this.find("");
      this.page.focusPicture();
    }
  }

  #go(i) {
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.page.jump(i);
  }
}
