// Which part of the picture is seen: pan by dragging, wheel or touch, zoom about a point, fit.

const LEAST_ZOOM = 0.02;
const MOST_ZOOM = 4;

class Camera {
  constructor(canvas, stage) {
    Object.assign(this, { canvas, stage, x: 0, y: 0, zoom: 1, width: 1, height: 1 });
    this.pointers = new Map();
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.#up(event));
  }

  apply() {
    const [x, y, zoom] = [this.x.toFixed(1), this.y.toFixed(1), this.zoom.toFixed(4)];
    this.stage.setAttribute("transform", `translate(${x} ${y}) scale(${zoom})`);
  }

  // The whole picture; `readable`: from its start, at a size at which words can be read.
  fit(readable = false) {
    const [w, h] = this.room();
    const edge = 12;
    const [wide, high] = [(w - 2 * edge) / this.width, (h - 2 * edge) / this.height];
    const across = Math.max(0.7, Math.min(1, this.sideways ? high : wide));
    const whole = Math.min(wide, high);
    this.zoom = Math.max(LEAST_ZOOM, Math.min(1.25, readable ? Math.max(whole, across) : whole));
    const [width, height] = [this.width * this.zoom, this.height * this.zoom];
    this.x = width > w && this.sideways ? edge : (w - width) / 2;
    this.y = height > h && !this.sideways ? edge : (h - height) / 2;
    this.apply();
  }

  // On paper, whose size is not known here, the whole picture is fitted by the browser.
  whole(wanted) {
    const picture = this.stage.ownerSVGElement;
    if (wanted) {
      picture.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      this.stage.removeAttribute("transform");
    } else {
      picture.removeAttribute("viewBox");
      this.apply();
    }
  }

  zoomBy(factor, cx = this.canvas.clientWidth / 2, cy = this.canvas.clientHeight / 2) {
    const zoom = Math.max(LEAST_ZOOM, Math.min(MOST_ZOOM, this.zoom * factor));
    this.x = cx - ((cx - this.x) * zoom) / this.zoom;
    this.y = cy - ((cy - this.y) * zoom) / this.zoom;
    this.zoom = zoom;
    this.apply();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.#keep();
    this.apply();
  }

  // Some of the picture always stays in sight.
  #keep() {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    const edge = 60;
    this.x = Math.min(w - edge, Math.max(edge - this.width * this.zoom, this.x));
    this.y = Math.min(h - edge, Math.max(edge - this.height * this.zoom, this.y));
  }

  toScreen([x, y]) {
    return [this.x + x * this.zoom, this.y + y * this.zoom];
  }

  // Of the canvas, what no panel covers.
  room() {
    return [this.canvas.clientWidth - (this.covered?.() ?? 0), this.canvas.clientHeight];
  }

  sees(x, y, w, h) {
    const [wide, high] = this.room();
    const [left, top] = this.toScreen([x, y]);
    const [right, bottom] = this.toScreen([x + w, y + h]);
    const rim = 12;                              // the ring around it is seen as well
    return left >= rim && top >= rim && right <= wide - rim && bottom <= high - rim;
  }

  // Brings a box into sight, with the least movement that does it; `center`: into the middle.
  show(x, y, w, h, center = false) {
    const [wide, high] = this.room();
    const [left, top] = this.toScreen([x, y]);
    const [right, bottom] = this.toScreen([x + w, y + h]);
    this.x += center ? (wide - left - right) / 2 : inward(left, right, wide);
    this.y += center ? (high - top - bottom) / 2 : inward(top, bottom, high);
    this.apply();
  }

  #wheel(event) {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;             // lines or pixels
    const box = this.canvas.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey) {
      this.zoomBy(Math.exp((-event.deltaY * unit) / 300), event.clientX - box.left, event.clientY - box.top);
    } else {
      const sideways = event.shiftKey && !event.deltaX;
      this.pan((sideways ? -event.deltaY : -event.deltaX) * unit, sideways ? 0 : -event.deltaY * unit);
    }
  }

  #down(event) {
    if (event.button > 0) return;
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.dragged = 0;
  }

  #move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    const box = this.canvas.getBoundingClientRect();
    if (other) {                                 // two fingers
      const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
      this.zoomBy(apart(now) / apart(before), (now[0] + other[0]) / 2 - box.left, (now[1] + other[1]) / 2 - box.top);
    } else {
      this.dragged += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
      if (this.dragged > 4) {
        this.canvas.classList.add("dragging");
        if (!this.canvas.hasPointerCapture(event.pointerId)) this.canvas.setPointerCapture(event.pointerId);
      }
      this.pan(now[0] - before[0], now[1] - before[1]);
    }
    this.pointers.set(event.pointerId, now);
  }

  #up(event) {
    this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("dragging");
  }
}

// How far a stretch must move to lie between 0 and `room`; its start counts more than its end.
function inward(low, high, room, edge = 28) {
  if (low < edge) return edge - low;
  return high > room - edge ? Math.max(room - edge - high, edge - low) : 0;
}
