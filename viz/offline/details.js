// The panel beside the picture: all that is known of one card.  Texts go in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const BARS = "0123456789abcdefghijklmnopqrstuvwxyz";

function element(name, attributes = {}, ...children) {
  const made = ["svg", "rect", "text", "path", "line", "g"].includes(name)
    ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value !== false && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

// A number at a glance; words (NaN, ∞) as they are.
function figure(value, digits = 4) {
  if (typeof value !== "number") return value === undefined || value === null ? "—" : String(value);
  if (value === 0 || Number.isInteger(value) && Math.abs(value) < 1e5) return String(value);
  const size = Math.abs(value);
  return size >= 0.001 && size < 1e5 ? String(Number(value.toPrecision(digits))) : value.toExponential(2);
}

function amount(count, unit = "") {
  const prefixes = ["", "k", "M", "G", "T", "P"];
  let k = 0;
  while (Math.abs(count) >= 999.5 && k < prefixes.length - 1) {
    count /= 1000;
    k++;
  }
  return `${Number(count.toPrecision(3))}${unit ? " " : ""}${prefixes[k]}${unit}`;
}

function table(rows) {
  const body = rows.filter(([, value]) => value !== "" && value !== undefined && value !== null);
  return element("dl", {}, ...body.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function histogram(bars, low, high, what) {
  if (!bars) return null;
  const [w, h] = [256, 34];
  const wide = w / bars.length;
  const rects = [...bars].map((c, k) => {
    const tall = (BARS.indexOf(c) / 35) * h;
    return element("rect", { x: k * wide, y: h - tall, width: wide - 1, height: tall, class: "bar" });
  });
  const words = `histogram of the ${what} from ${figure(low)} to ${figure(high)}`;
  return element("figure", {}, element("svg", { viewBox: `0 0 ${w} ${h}`, role: "img", "aria-label": words,
    preserveAspectRatio: "none" }, ...rects),
  element("figcaption", {}, element("span", {}, figure(low)), element("span", {}, figure(high))));
}

// What is known of the numbers of one array; `nothing` says why it is nothing.
function numbers(what, summary, nothing) {
  if (!summary) return nothing ? [element("h3", {}, what), element("p", {}, nothing)] : [];
  if (summary.length === 1) return [element("h3", {}, what), element("p", { class: "item" }, figure(summary[0], 7))];
  const [rms, mean, std, low, high, zeros, nans, infs, size, bars] = summary;
  const bad = [nans && `${nans} NaN`, infs && `${infs} infinite`].filter(Boolean).join(", ");
  return [
    element("h3", {}, what), bad ? element("p", { class: "alarm" }, `${bad} of ${size}`) : null,
    histogram(bars, low, high, what),
    table([["RMS", figure(rms)], ["mean ± sd", `${figure(mean)} ± ${figure(std)}`],
      ["min, max", `${figure(low)}, ${figure(high)}`],
      ["zeros", zeros ? `${figure(Math.round(zeros * 1000) / 10)} %` : ""]]),
  ].filter(Boolean);
}

class Details {
  constructor(model, panel, page) {
    Object.assign(this, { model, panel, page });
  }

  show(card, step) {
    if (!card) return this.#nothing();
    const content = card.kind === "unit" || card.kind === "frame" ? this.#unit(card.unit) : this.#node(card.node);
    const played = step >= 0 ? this.#step(card, step) : null;
    this.panel.replaceChildren(...[content[0], played, ...content.slice(1)].filter(Boolean));
  }

  #nothing() {
    this.panel.replaceChildren(element("h2", {}, this.model.title), element("p", {}, this.model.description),
      element("p", { class: "sub" }, "Point at a card, or press Tab, to read what is known of it; ? tells the keys."));
  }

  #step(card, step) {
    const { steps, texts } = this.model;
    const node = steps.node[step];
    const { at, byKey } = this.page.view;
    const here = card.kind === "unit" ? at[node] === byKey.get(card.key) : card.node === node;
    if (!here) return null;
    return element("section", { class: "step" }, element("h3", {}, `backward, step ${step + 1}`),
      element("p", { class: "mono" }, texts[steps.title[step]]),
      ...steps.lines[step].map((line) => element("p", { class: "mono" }, texts[line])),
      element("p", {}, [texts[steps.freed[step]], steps.start ? `${amount(steps.alive[step], "B")} still saved` : ""]
        .filter(Boolean).join("; ")));
  }

  #node(i) {
    const { model } = this;
    const { nodes } = model;
    const text = (column) => model.text(column, i);
    const op = text("op");
    const name = text("name");
    const rules = nodes.formula[i].map((f, k) => [k, model.texts[f]]).filter(([, f]) => f);
    const saved = text("saved");
    const given = op && name ? element("small", {}, ` → ${name}`) : "";
    const result = [element("h2", {}, op || name || text("kind"), given)];
    result.push(table([
      ["kind", op ? text("category") : text("kind")], ["module", this.#modules(i)],
      ["shape", `${text("shape")} ${text("dtype")}`], ["source", text("line") && element("code", {}, text("line"))],
      ["memory", nodes.nbytes[i] ? amount(nodes.nbytes[i], "B") : ""],
      ["saved", op && saved ? `${saved}${nodes.savedBytes[i] ? ` (${amount(nodes.savedBytes[i], "B")})` : ""}` : ""],
      ["FLOPs", nodes.flops[i] ? amount(nodes.flops[i]) : ""], ["settings", text("attrs")], ["marks", text("marks")],
      ["backward", rules.length ? this.#rules(i, rules) : ""],
      ["reads", this.#links(nodes.inputs[i])], ["read by", this.#links(model.users[i])],
    ]));
    if (text("elements")) result.push(element("p", { class: "mono elements" }, text("elements")));
    result.push(...numbers("value", nodes.value[i]), ...this.#gradient(i));
    if (model.params === "row") {
      for (const a of new Set(nodes.inputs[i])) {
        const kind = model.text("kind", a);
        if (kind === "parameter" || kind === "buffer") result.push(this.#leaf(a, kind));
      }
    }
    return result;
  }

  #gradient(i) {
    const { model } = this;
    if (!model.nodes.wants[i]) return [element("h3", {}, "gradient"), element("p", {}, "none flows here")];
    return numbers("gradient", model.nodes.grad[i], model.text("state", i) === "none" ? "none flows here"
      : "pending: record the backward pass within autograd.record() to see it");
  }

  #leaf(a, kind) {
    const { model } = this;
    const name = model.nodeName(a);              // of one without a name: its kind
    return element("details", { open: true }, element("summary", {}, name === kind ? `${kind} ` : `${kind} ${name} `,
      element("small", {}, model.text("shape", a))), ...numbers("value", model.nodes.value[a]), ...this.#gradient(a));
  }

  #rules(i, rules) {
    const letters = "xyzuvw";
    const many = this.model.nodes.inputs[i].length > letters.length;
    const name = (k) => `g${many ? `x[${k}]` : letters[k]}`;
    return element("code", {}, rules.slice(0, 6).map(([k, rule]) => `${name(k)} = ${rule}`).join("\n"));
  }

  #links(ids) {
    if (!ids.length) return "";
    const some = [...new Set(ids)].slice(0, 8);
    const buttons = some.map((a) => element("button", { class: "link", onclick: () => this.page.jump(a) },
      this.model.nodeName(a)));
    return element("span", {}, ...buttons, ids.length > some.length ? ` and ${ids.length - some.length} more` : "");
  }

  #modules(i) {
    const path = this.model.text("module", i);
    return path ? element("code", {}, path) : "";
  }

  #unit(u) {
    const { model } = this;
    const { start, stop, path } = model.units;
    const ids = model.ops.slice(start[u], stop[u]);
    const sum = (column) => ids.reduce((total, i) => total + model.nodes[column][i], 0);
    const parameters = new Set(ids.flatMap((i) => model.nodes.inputs[i])
      .filter((a) => model.text("kind", a) === "parameter"));
    const size = (a) => model.text("shape", a).split("×").reduce((n, d) => n * (Number(d) || 1), 1);
    const learned = [...parameters].reduce((n, a) => n + size(a), 0);
    const result = ids[ids.length - 1];
    const open = this.page.open.has(u);
    return [
      element("h2", {}, model.unitName(u)),
      element("button", { onclick: () => this.page.toggle(u) }, open ? "Fold (Enter)" : "Unfold (Enter)"),
      table([["path", model.texts[path[u]] && element("code", {}, model.texts[path[u]])], ["operations", ids.length],
        ["parameters", parameters.size ? `${parameters.size} with ${amount(learned)} numbers` : ""],
        ["result", `${model.text("shape", result)} ${model.text("dtype", result)}`],
        ["memory", amount(sum("nbytes"), "B")], ["saved", amount(sum("savedBytes"), "B")],
        ["FLOPs", amount(sum("flops"))]]),
      ...numbers("value of the result", model.nodes.value[result]), ...this.#gradient(result),
    ];
  }
}
