// Brings a still picture to life: Tab and arrows travel along the wires, twins light up, the backward pass is played.
// It may run several times on one page, so it takes only what is not yet alive; SCOPE is the id of the picture.
for (const root of document.querySelectorAll('[data-glassgrad="SCOPE"]:not([data-alive])')) {
  root.dataset.alive = "";
  const { steps, reached, wires } = JSON.parse(root.dataset.record);
  const svg = root.querySelector("svg");
  const cards = new Map([...svg.querySelectorAll("g.node")].map((g) => [g.dataset.id, g]));
  const make = (name, attributes = {}, text = "") => {
    const made = document.createElement(name);
    Object.assign(made, attributes);
    made.textContent = text;
    return made;
  };
  const style = make("style", {}, `
#SCOPE .gg-later{opacity:.28}
#SCOPE .gg-ring{fill:none;stroke:#218BFF;stroke-width:3.5}
#SCOPE .gg-now{stroke-dasharray:9 5;animation:gg-march .7s linear infinite}
#SCOPE g.node:focus{outline:none}
#SCOPE .gg-twin{fill:none;stroke:#218BFF;stroke-width:2}
@keyframes gg-march{to{stroke-dashoffset:-14}}
@media(prefers-reduced-motion:reduce){#SCOPE .gg-now{animation:none}}`);
  root.append(style);

  const ring = (g, kind, far = 4) => {
    const box = g.getBBox();
    const rect = document.createElementNS(svg.namespaceURI, "rect");
    const size = { width: box.width + 2 * far, height: box.height + 2 * far };
    const place = { x: box.x - far, y: box.y - far, rx: 2.5 * far, class: kind, ...size };
    for (const [name, value] of Object.entries(place)) rect.setAttribute(name, value);
    svg.append(rect);
  };
  const unring = (kind) => svg.querySelectorAll(kind).forEach((rect) => rect.remove());

  // -- travel and twins
  svg.setAttribute("role", "group");
  for (const [key, g] of cards) {
    g.setAttribute("tabindex", 0);
    g.setAttribute("role", "img");
    g.setAttribute("aria-label", g.querySelector("title")?.textContent ?? key);
    g.addEventListener("focus", () => {
      unring(".gg-ring:not(.gg-now)");
      ring(g, "gg-ring");
    });
    g.addEventListener("blur", () => unring(".gg-ring:not(.gg-now)"));
    g.addEventListener("keydown", (event) => {
      const on = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      if (!on) return;
      const near = wires.find((wire) => wire[on > 0 ? 0 : 1] === key);
      event.preventDefault();
      event.stopPropagation();
      if (near) cards.get(near[on > 0 ? 1 : 0])?.focus();
    });
  }
  let lit;
  svg.addEventListener("pointermove", (event) => {
    const rows = event.target.closest("g.node")?.querySelectorAll("[data-leaf]") ?? [];
    const row = [...rows].find((one) => {
      const { top, bottom } = one.getBoundingClientRect();
      return event.clientY >= top - 3 && event.clientY <= bottom + 3;
    });
    if (row === lit) return;
    lit = row;
    unring(".gg-twin");
    const wanted = row ? row.dataset.leaf.split(" ") : [];
    for (const other of svg.querySelectorAll("[data-leaf]")) {
      if (other.dataset.leaf.split(" ").some((leaf) => wanted.includes(leaf))) ring(other, "gg-twin", 2);
    }
  });

  // -- the backward pass
  if (!steps.length) continue;
  const bar = make("div");
  bar.style.cssText = "display:flex;gap:8px;align-items:center;margin-top:6px;max-width:640px;font:13px/1.4 sans-serif";
  const play = make("button", { type: "button" }, "▶ backward");
  const slider = make("input", { type: "range", min: 0, max: steps.length, value: 0 });
  slider.setAttribute("aria-label", "step of the backward pass");
  slider.style.cssText = "flex:1;min-width:120px";
  const saved = make("span");
  saved.style.cssText = "min-width:11em;font-size:11px";
  const told = make("div");
  told.style.cssText = "font:12px/1.4 monospace;white-space:pre-wrap;min-height:3em;max-width:900px";
  told.setAttribute("role", "status");
  told.setAttribute("aria-live", "polite");
  bar.append(play, slider, saved);
  root.append(bar, told);
  const go = (at) => {
    slider.value = at;
    const step = steps[at - 1];
    unring(".gg-now");
    for (const [key, g] of cards) g.classList.toggle("gg-later", at > 0 && reached[key] >= at);
    if (step) for (const key of step[0]) if (cards.has(key)) ring(cards.get(key), "gg-ring gg-now");
    told.textContent = step ? `${step[1]}\n${step[2]}` : "";
    slider.setAttribute("aria-valuetext", step ? step[1] : "before the backward pass");
    saved.textContent = step ? step[3] : "";
    saved.style.background = step && step[3] ? `linear-gradient(90deg,#54AEFF66 ${100 * step[4]}%,#0000 0)` : "";
  };
  slider.addEventListener("input", () => go(Number(slider.value)));
  let timer = 0;
  const pause = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "▶ backward";
  };
  play.addEventListener("click", () => {
    if (timer) return pause();
    let at = Number(slider.value) % steps.length;
    go(++at);
    play.textContent = "❚❚ pause";
    timer = setInterval(() => {
      if (at < steps.length && root.isConnected) go(++at);
      else pause();
    }, Math.max(60, Math.min(700, 40000 / steps.length)));
  });
}
