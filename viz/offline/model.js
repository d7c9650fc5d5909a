// The graph as the page holds it: columns, texts by number, and the tree of what can be folded.

async function unpacked(element) {
  const packed = Uint8Array.from(atob(element.textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
}

class Model {
  constructor(data) {
    Object.assign(this, data);
    const { inputs, kind } = this.nodes;
    this.count = inputs.length;
    this.ops = [];                               // position -> node
    this.position = new Int32Array(this.count).fill(-1);
    for (let i = 0; i < this.count; i++) {
      if (this.texts[kind[i]] === "op") {
        this.position[i] = this.ops.length;
        this.ops.push(i);
      }
    }
    this.#units();
    this.users = Array.from({ length: this.count }, () => []);
    inputs.forEach((from, i) => from.forEach((a) => this.users[a].push(i)));
    this.stepOf = new Map(this.steps.node.map((node, k) => [node, k]));
  }

  // The units inside each unit, and the innermost unit around each op.
  #units() {
    const { parent, start, stop } = this.units;
    this.inner = parent.map(() => []);
    this.top = [];
    this.around = new Int32Array(this.ops.length).fill(-1);
    parent.forEach((p, u) => {
      (p < 0 ? this.top : this.inner[p]).push(u);
      this.around.fill(u, start[u], stop[u]);    // inner units come later and overwrite
    });
  }

  text(column, i) {
    return this.texts[this.nodes[column][i]];
  }

  // "fc1: Linear", "ResBlock ×6", "40 operations": what a unit is called.
  unitName(u) {
    const { form, path, name, start, stop } = this.units;
    const [kind, called, type] = [this.texts[form[u]], this.texts[path[u]], this.texts[name[u]]];
    if (kind === "part") return `${stop[u] - start[u]} operations${called ? `: ${called}` : ""}`;
    const last = called.split(".").pop();
    if (kind === "repeat") return `${type || last || "group"} ×${this.cards.headers[u][2]}`;
    return type && type.toLowerCase() !== last.toLowerCase() ? `${last}: ${type}` : last || type;
  }

  nodeName(i) {
    return this.text("name", i) || this.text("op", i) || this.text("kind", i);
  }

  // Units from the page inward, around a node; for a leaf, around the first op that uses it.
  unitsAround(i) {
    const op = this.position[i] >= 0 ? i : this.users[i][0];
    const chain = [];
    let u = op === undefined ? -1 : this.around[this.position[op]];
    for (; u >= 0; u = this.units.parent[u]) chain.unshift(u);
    return chain;
  }
}
