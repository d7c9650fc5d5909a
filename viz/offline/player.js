// Steps through the recorded backward pass.  Step 0 is before it; after step k, k ops have sent their gradients on.

const PACE = 700;                                // milliseconds a step, less where there are very many
const LONGEST_RUN = 40000;                       // milliseconds for all of them, about

class Player {
  constructor(model, parts, page) {
    Object.assign(this, { model, parts, page, at: 0, timer: 0 });
    this.total = model.steps.node.length;
    this.active = false;                         // until it is first used, nothing is faded
    parts.player.hidden = !this.total;
    if (!this.total) return;
    parts.slider.max = this.total;
    parts.slider.addEventListener("input", () => this.go(Number(parts.slider.value)));
    parts.play.addEventListener("click", () => this.toggle());
    parts.back.addEventListener("click", () => this.go(this.at - 1));
    parts.ahead.addEventListener("click", () => this.go(this.at + 1));
    parts.reset.addEventListener("click", () => this.reset());
    this.#curve();
    this.#say();
  }

  // The node whose op has just sent its gradients on; -1 before the first and where nothing is being stepped through.
  get current() {
    return this.active && this.at > 0 ? this.model.steps.node[this.at - 1] : -1;
  }

  get step() {
    return this.active ? this.at - 1 : -1;
  }

  go(step) {
    if (!this.total) return;
    this.active = true;
    this.at = Math.max(0, Math.min(this.total, step));
    this.parts.slider.value = this.at;
    this.#say();
    this.page.stepped();
  }

  reset() {
    this.pause();
    this.active = false;
    this.at = 0;
    this.parts.slider.value = 0;
    this.#say();
    this.page.stepped();
  }

  toggle() {
    if (this.timer) this.pause();
    else this.play();
  }

  play() {
    if (!this.total) return;
    if (this.at >= this.total) this.go(0);
    const pace = Math.max(30, Math.min(PACE, LONGEST_RUN / this.total));
    this.parts.told.setAttribute("aria-live", pace < 400 ? "off" : "polite");   // nobody can listen that fast
    this.timer = setInterval(() => {
      this.go(this.at + 1);
      if (this.at >= this.total) this.pause();
    }, pace);
    this.parts.play.textContent = "❚❚ pause";
    this.go(this.at + 1);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.parts.told.setAttribute("aria-live", "polite");
    this.parts.play.textContent = "▶ play";
  }

  #say() {
    const { steps, texts } = this.model;
    const { title, numbers, memory, cursor, slider } = this.parts;
    const k = this.at - 1;
    const alive = k < 0 ? steps.start : steps.alive[k];
    if (!this.active) {
      title.textContent = `Backward pass: ${this.total} steps`;
      numbers.textContent = "Press play, or Space, or drag.";
    } else if (k < 0) {
      title.textContent = `before step 1/${this.total}`;
      numbers.textContent = "g = 1 at the result";
    } else {
      title.textContent = `step ${this.at}/${this.total}: ${texts[steps.title[k]]}`;
      numbers.textContent = [...steps.lines[k], steps.freed[k]].map((line) => texts[line]).filter(Boolean).join("   ");
    }
    slider.setAttribute("aria-valuetext", title.textContent);
    memory.textContent = steps.start ? `saved ${amount(alive, "B")} of ${amount(steps.start, "B")}` : "";
    const x = (1000 * this.at) / this.total;
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
  }

  // Bytes of saved tensors that are still alive, over the steps: a staircase behind the slider.
  #curve() {
    const { steps } = this.model;
    if (!steps.start) return;
    const levels = [steps.start, ...steps.alive];
    const every = Math.max(1, Math.floor(levels.length / 500));
    let d = "M0 40";
    for (let k = 0; k < levels.length; k += every) {
      const [x, y] = [(1000 * k) / this.total, 40 - (38 * levels[k]) / steps.start];
      d += `L${x.toFixed(1)} ${y.toFixed(1)}`;
      if (k + every < levels.length) d += `H${((1000 * (k + every)) / this.total).toFixed(1)}`;
    }
    this.parts.curve.setAttribute("d", `${d}L1000 40Z`);
  }

  // What has happened by now to a card whose first step is `when`: "done", "later", or "" if nothing ever does.
  state(when) {
    if (!this.active || when === Infinity) return "";
    return when < this.at ? "done" : "later";
  }

  // The first step in which one of these ops sends its gradients on, or in which a leaf has received all of its.
  when(nodes) {
    return nodes.reduce((least, i) => Math.min(least, this.#when(i)), Infinity);
  }

  #when(i) {
    const known = this.model.stepOf.get(i);
    if (known !== undefined) return known;
    if (!this.model.nodes.wants[i]) return Infinity;
    let last = -1;
    for (const n of this.model.users[i]) last = Math.max(last, this.model.stepOf.get(n) ?? -1);
    return last < 0 ? Infinity : last;
  }
}
