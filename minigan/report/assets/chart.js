"use strict";
// Curves over steps as SVG. The values at the step that is looked at stand in the legend.

const MARGIN = { left: 46, right: 10, top: 12, bottom: 22 };
const HEIGHT = 176;

function svg(tag, attributes = {}, text = "") {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function shown(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}

// Round numbers from low to high, about `n` of them.
function linearTicks(low, high, n) {
  const rough = (high - low) / n;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough) * power;
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    ticks.push(Number((i * step).toPrecision(12)));
  }
  return ticks;
}

function logTicks(low, high) {
  const ticks = [];
  const decades = Math.log10(high / low);
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    for (const m of decades < 2 ? [1, 2, 5] : [1]) ticks.push(m * 10 ** e);
  }
  const inside = ticks.filter((t) => t >= low * 0.999 && t <= high * 1.001);
  return inside.filter((_, i) => i % Math.ceil(inside.length / 6) === 0);
}

const SCALES = {
  linear: { forward: (v) => v, legal: () => true, ticks: (low, high) => linearTicks(low, high, 5) },
  log: { forward: Math.log10, legal: (v) => v > 0, ticks: logTicks },
};

// The last point at or before a step; the first point of a curve that begins later.
function nearest(points, step) {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle][0] <= step) low = middle;
    else high = middle - 1;
  }
  return points[low];
}

class Chart {
  // look(step) is called where the pointer or an arrow key points at, look(null) when it leaves;
  // choose(step) where a person clicks.
  constructor(panel, { look, choose }) {
    this.panel = panel;
    this.scale = SCALES[panel.scale];
    this.step = 0;
    this.where = element("span");
    this.legend = element("ul", { class: "legend" });
    this.plot = element("div", {
      class: "plot",
      tabindex: "0",
      role: "slider",
      "aria-label": `${panel.title}: values at a step`,
    });
    const words = panel.title === panel.names[0] ? "name" : "words";
    const title = element("span", { class: words }, panel.title);
    const caption = element("figcaption", {}, title, this.where);
    this.root = element("figure", { class: "chart" }, caption, this.legend, this.plot);
    this.plot.addEventListener("pointermove", (event) => look(this.stepAt(event)));
    this.plot.addEventListener("pointerleave", () => look(null));
    this.plot.addEventListener("blur", () => look(null));
    this.plot.addEventListener("click", (event) => choose(this.stepAt(event)));
    this.plot.addEventListener("keydown", (event) => {
      const to = this.stepBy(event.key);
      if (to === undefined) return;
      event.preventDefault();
      look(to);
    });
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  // Take the runs' curves as they are now.
  update(runs) {
    this.series = [];
    const alone = runs.length === 1;
    this.panel.names.forEach((name, i) => {
      runs.forEach((run, j) => {
        const points = run.curves[name];
        if (!points) return;
        const kind = (alone ? i : j) % 6;
        const label = alone ? name : run.name;
        this.series.push({ label, points, kind, style: !alone && j ? "dashed" : "" });
      });
    });
    this.warnings = runs.flatMap((run) => run.warnings.map((warning) => warning.step));
    this.steps = [...new Set(this.series.flatMap((s) => s.points.map((p) => p[0])))];
    this.steps.sort((a, b) => a - b);
    this.legend.replaceChildren(...this.series.map((s) => this.entry(s)));
    this.draw();
  }

  entry(series) {
    series.value = element("b");
    const line = svg("svg", { width: 18, height: 8, "aria-hidden": "true" });
    const style = `curve s${series.kind} ${series.style}`;
    line.append(svg("line", { x1: 0, x2: 18, y1: 4, y2: 4, class: style }));
    return element("li", {}, line, series.label, series.value);
  }

  draw() {
    this.width = this.plot.clientWidth;
    if (!this.width || !this.series) return;
    const values = this.series
      .flatMap((s) => s.points.map((p) => p[1]))
      .filter((v) => v !== null && this.scale.legal(v));
    let low = values.reduce((a, b) => Math.min(a, b), Infinity);
    let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    if (!values.length) [low, high] = [1, 10];
    if (low === high) {
      const margin = Math.abs(low) * 0.1 || 0.1;
      [low, high] = [low - (low > margin || low <= 0 ? margin : low / 2), high + margin];
    }
    const f = this.scale.forward;
    const last = Math.max(this.steps.at(-1) ?? 1, 1);
    const inner = this.width - MARGIN.left - MARGIN.right;
    const tall = HEIGHT - MARGIN.top - MARGIN.bottom;
    this.x = (step) => MARGIN.left + (step / last) * inner;
    this.y = (v) => MARGIN.top + (1 - (f(v) - f(low)) / (f(high) - f(low))) * tall;
    const picture = svg("svg", { height: HEIGHT, "aria-hidden": "true" });
    picture.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.drawAxes(picture, low, high, last);
    for (const step of new Set(this.warnings)) {
      const [x, y] = [this.x(step), MARGIN.top];
      picture.append(svg("line", { x1: x, x2: x, y1: y, y2: y + tall, class: "warned" }));
      picture.append(svg("path", { d: `M${x} ${y - 9}l4.5 8h-9z`, class: "warned-mark" }));
    }
    for (const s of this.series) {
      picture.append(svg("path", { d: this.path(s.points), class: `curve s${s.kind} ${s.style}` }));
    }
    this.cursor = svg("g");
    picture.append(this.cursor);
    this.plot.replaceChildren(picture);
    this.mark(this.step);
  }

  drawAxes(picture, low, high, last) {
    const [left, right] = [MARGIN.left, this.width - MARGIN.right];
    const bottom = HEIGHT - MARGIN.bottom;
    for (const tick of this.scale.ticks(low, high)) {
      const y = this.y(tick);
      picture.append(svg("line", { x1: left, x2: right, y1: y, y2: y, class: "grid" }));
      picture.append(svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, shown(tick)));
    }
    picture.append(svg("line", { x1: left, x2: right, y1: bottom, y2: bottom, class: "axis" }));
    for (const tick of linearTicks(0, last, this.width < 420 ? 3 : 6)) {
      if (tick !== Math.round(tick)) continue;
      const anchor = this.x(tick) > right - 16 ? "end" : "middle";
      const place = { x: anchor === "end" ? right : this.x(tick), y: HEIGHT - 6 };
      picture.append(svg("text", { ...place, "text-anchor": anchor }, String(tick)));
    }
  }

  // The curve, broken where a value is not finite or the scale does not take it.
  path(points) {
    let pen = "M";
    let d = "";
    for (const [step, value] of points) {
      if (value === null || !this.scale.legal(value)) {
        pen = "M";
        continue;
      }
      d += `${pen}${this.x(step).toFixed(1)} ${this.y(value).toFixed(1)}`;
      pen = "L";
    }
    return d || "M0 0";
  }

  // Show the values at a step.
  mark(step) {
    this.step = step;
    if (!this.x || !this.steps.length) return;
    const at = Math.min(Math.max(step, 0), this.steps.at(-1));
    const x = this.x(at);
    const line = { x1: x, x2: x, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, class: "cursor" };
    this.cursor.replaceChildren(svg("line", line));
    this.where.textContent = `step ${at}`;
    const said = [];
    for (const s of this.series) {
      const [there, value] = nearest(s.points, at);
      s.value.textContent = shown(value);
      said.push(`${s.label} ${shown(value)}`);
      if (value === null || !this.scale.legal(value)) continue;
      const dot = { cx: this.x(there), cy: this.y(value), r: 3.5, class: `dot s${s.kind}` };
      this.cursor.append(svg("circle", dot));
    }
    this.plot.setAttribute("aria-valuemin", String(this.steps[0]));
    this.plot.setAttribute("aria-valuemax", String(this.steps.at(-1)));
    this.plot.setAttribute("aria-valuenow", String(at));
    this.plot.setAttribute("aria-valuetext", `step ${at}: ${said.join(", ")}`);
  }

  // The logged step nearest to the pointer.
  stepAt(event) {
    const x = event.clientX - this.plot.getBoundingClientRect().left;
    const distance = (step) => Math.abs(this.x(step) - x);
    return this.steps.reduce((a, b) => (distance(b) < distance(a) ? b : a), this.steps[0] ?? 0);
  }

  // Where an arrow key leads to.
  stepBy(key) {
    const before = this.steps.filter((s) => s < this.step).at(-1);
    const after = this.steps.find((s) => s > this.step);
    const ways = { ArrowLeft: before, ArrowDown: before, ArrowRight: after, ArrowUp: after };
    Object.assign(ways, { Home: this.steps[0], End: this.steps.at(-1) });
    return key in ways ? (ways[key] ?? this.step) : undefined;
  }
}
