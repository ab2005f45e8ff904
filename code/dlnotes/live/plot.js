/*
 * Plots: scales, axes, paths and points to drag. The interface stands at the top of core.js.
 */
class Plot {
  constructor(explorer, { label, x, y, height }) {
    Object.assign(this, { explorer, names: { x, y }, height, handles: [], margin: { left: 46, right: 14, top: 26, bottom: 38 } });
    this.node = make("svg:svg", { class: "plot", role: "img", "aria-label": label });
    this.axes = make("svg:g", { class: "axes", "aria-hidden": "true" });
    this.inside = make("svg:svg", { class: "inside" }); // an inner svg cuts off what leaves the frame
    this.layers = ["under", "lines"].map((name) => this.inside.appendChild(make("svg:g", { class: name })));
    this.layers.push(make("svg:g", { class: "over" }));
    this.node.append(this.axes, this.inside, this.layers[2]);
    explorer.plots.push(this);
  }

  frame(spec) {
    const width = this.node.clientWidth || this.width || 340;
    const height = typeof this.height === "function" ? this.height(width) : this.height;
    const key = JSON.stringify([spec, width, height]);
    this.changed = key !== this.drawn;
    if (!this.changed) return;
    const { left, right, top, bottom } = this.margin;
    Object.assign(this, { spec, width, drawn: key, inner: { width: width - left - right, height: height - top - bottom } });
    this.node.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.node.setAttribute("height", height);
    for (const [name, value] of Object.entries({ x: left, y: top, ...this.inner })) this.inside.setAttribute(name, value);
    this.drawAxes();
  }

  /* Pixels inside the frame; far outside it every distance is the same, so that SVG meets no huge numbers. */
  x(value) {
    const [low, high] = this.spec.x;
    const part = this.spec.logX ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return clamp(part * this.inner.width, -1e4, 1e4);
  }

  y(value) {
    const [low, high] = this.spec.y;
    const part = this.spec.logY ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    return clamp((1 - part) * this.inner.height, -1e4, 1e4);
  }

  /* The upper left corner of the frame on the screen. An inner svg's own box would count what leaves the frame. */
  corner() {
    const box = this.node.getBoundingClientRect();
    return [box.left + this.margin.left, box.top + this.margin.top];
  }

  data(event) {
    const [left, top] = this.corner();
    const [x, y] = [clamp((event.clientX - left) / this.inner.width, 0, 1), clamp((event.clientY - top) / this.inner.height, 0, 1)];
    const between = ([low, high], part, log) => (log ? low * (high / low) ** part : low + (high - low) * part);
    return [between(this.spec.x, x, this.spec.logX), between(this.spec.y, 1 - y, this.spec.logY)];
  }

  path(xs, ys) {
    let text = "";
    let pen = "M";
    for (let i = 0; i < xs.length; i++) {
      const [x, y] = [this.x(xs[i]), this.y(ys[i])];
      if (Number.isNaN(x + y)) pen = "M";
      else {
        text += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
        pen = "L";
      }
    }
    return text;
  }

  under(markup) {
    this.layers[0].innerHTML = markup;
  }

  lines(markup) {
    this.layers[1].innerHTML = markup;
  }

  over(markup) {
    this.layers[2].innerHTML = `<g transform="translate(${this.margin.left} ${this.margin.top})">${markup}</g>`;
  }

  ticks(axis) {
    const [low, high] = this.spec[axis];
    if (this.spec.ticks?.[axis]) return this.spec.ticks[axis];
    if (this.spec[axis === "x" ? "logX" : "logY"]) {
      const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
      const stride = Math.ceil((last - first + 1) / 6);
      const powers = Array.from({ length: Math.floor((last - first) / stride) + 1 }, (_, i) => last - i * stride);
      return powers.map((power) => [10 ** power, power === 0 ? "1" : `10${raised(power)}`]);
    }
    const rough = (high - low) / 5;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough * 0.999);
    const count = Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1;
    return Array.from({ length: count }, (_, i) => (Math.ceil(low / step - 1e-9) + i) * step).map((v) => [v, number(v)]);
  }

  drawAxes() {
    const { left, top } = this.margin;
    const { width, height } = this.inner;
    const [across, up] = [this.ticks("x"), this.ticks("y")];
    const text = (x, y, words, more) => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(words)}</text>`;
    this.axes.innerHTML = `<g transform="translate(${left} ${top})">
      <path class="axis" d="M0 0V${height}H${width}${across.map(([v]) => `M${this.x(v).toFixed(1)} ${height}v5`).join("")}${up
        .map(([v]) => `M0 ${this.y(v).toFixed(1)}h-5`)
        .join("")}"/>
      ${across.map(([v, words]) => text(this.x(v), height + 18, words, 'text-anchor="middle"')).join("")}
      ${up.map(([v, words]) => text(-9, this.y(v) + 4, words, 'text-anchor="end"')).join("")}
      ${text(width, height + 34, this.names.x, 'class="name" text-anchor="end"')}
      ${text(-left + 2, -12, this.names.y, 'class="name"')}</g>`;
  }

  handle({ label, at, move, text, reach = Infinity, keys = {} }) {
    const node = make("svg:g", { class: "handle", tabindex: 0, role: "slider", "aria-label": label, "aria-roledescription": "point" });
    node.append(make("svg:circle", { class: "halo", r: 15 }), make("svg:circle", { class: "dot", r: 6.5 }));
    const handle = { node, at, move, reach };
    const update = (state) => {
      const [x, y] = at(state);
      if (!this.spec) return;
      node.setAttribute("transform", `translate(${(this.margin.left + this.x(x)).toFixed(1)} ${(this.margin.top + this.y(y)).toFixed(1)})`);
      const [low, high] = this.spec.x;
      const spoken = { "aria-valuemin": low, "aria-valuemax": high, "aria-valuenow": x, "aria-valuetext": text(x, y) };
      for (const [name, value] of Object.entries(spoken)) node.setAttribute(name, value);
    };
    node.addEventListener("keydown", (event) => this.key(event, handle, keys));
    handle.update = update;
    handle.remove = () => {
      node.remove();
      this.handles.splice(this.handles.indexOf(handle), 1);
    };
    if (this.handles.length === 0 && !this.pressable) this.listen();
    this.handles.push(handle);
    this.node.append(node);
    return handle;
  }

  /* Called by the core after each drawing, when the scales are those of the picture. */
  update(state) {
    for (const handle of this.handles) handle.update(state);
  }

  key(event, handle, keys) {
    const away = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!away && !keys[event.key]) return;
    event.preventDefault();
    if (!away) return keys[event.key]();
    const stride = event.shiftKey ? 1 / 10 : 1 / 50;
    const [x, y] = handle.at(this.explorer.state);
    const [left, top] = this.corner();
    const clientX = left + this.x(x) + away[0] * stride * this.inner.width;
    const clientY = top + this.y(y) + away[1] * stride * this.inner.height;
    handle.move(...this.data({ clientX, clientY }));
  }

  /* A press moves the nearest handle there, and on until it is released. */
  listen() {
    this.pressable = true;
    this.node.setAttribute("role", "group"); // a picture would hide its handles from screen readers
    this.node.classList.add("touch");
    this.inside.prepend(make("svg:rect", { class: "ground", width: "100%", height: "100%" }));
    let held = null;
    const distance = ({ at }, event) => {
      const [left, top] = this.corner();
      const [x, y] = at(this.explorer.state);
      return Math.hypot(left + this.x(x) - event.clientX, top + this.y(y) - event.clientY);
    };
    this.node.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const near = this.handles.map((handle) => [distance(handle, event), handle]).sort((a, b) => a[0] - b[0]);
      held = near.length && near[0][0] <= near[0][1].reach ? near[0][1] : null;
      if (!held) return this.press?.(...this.data(event));
      event.preventDefault();
      held.node.focus({ preventScroll: true });
      this.node.setPointerCapture(event.pointerId);
      held.move(...this.data(event));
    });
    this.node.addEventListener("pointermove", (event) => held?.move(...this.data(event)));
    for (const end of ["pointerup", "pointercancel"]) this.node.addEventListener(end, () => (held = null));
  }
}
