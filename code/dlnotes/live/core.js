/*
 * What the live figures share: one element, its state, its controls and its plots.
 *
 * A figure is a function `figure(explorer, data, generated)`: it builds plots and controls once and returns
 * `{defaults, draw}`. `data` is the JSON beside the script, `generated` what was printed from the package's formulas.
 *
 *   defaults(state)   every key of the state with its value at the start; numbers, strings or arrays of strings.
 *                     May look at keys already chosen, for instance to give each surface its own default rate.
 *   draw(state)       draws everything anew, sets `explorer.numbers` and calls `explorer.say(sentence)`.
 *
 * explorer.place(node, …)    puts nodes into the figure, one below the other; wrap plots in make("div", {class: "plots"}).
 * explorer.slider({key, label, spoken, min, max, step, log, stops, text})    a number; `log`: equal steps of the logarithm,
 *                            with min, max, step as powers of ten; `stops`: the allowed values; `text(value)`: as shown.
 * explorer.select({key, label, options: [[value, text], …], change})      a string; `change(value)` instead of set().
 * explorer.check({key, value, label, spoken})                             is `value` in the array state[key]?
 * explorer.button(text, action)                                           (Reset is made by the core)
 *                            Each returns its node. Values from the address are taken only where a control accepts them.
 * explorer.accept(key, test) the same for a state key without a control of its own.
 * explorer.set({key: value, …})  changes the state; the next frame draws it. explorer.reset() goes back to the defaults.
 * explorer.say(text)         the polite status line, written once things are quiet.
 * explorer.numbers, .state, .milliseconds, .redraws      what tests read.
 *
 * plot = new Plot(explorer, {label, x, y, height})   `label` for screen readers, `x`, `y` names on the axes, `height` in
 *                            pixels or a function of the width; plot.node is what to append.
 * plot.frame({x: [low, high], y: [low, high], logX, logY, ticks})     sets the scales, draws the axes; first thing in draw().
 * plot.x(value), plot.y(value)      data to pixels; finite for every number, so that nothing diverged reaches SVG.
 * plot.path(xs, ys)                 "M…L…" through arrays of data; NaN interrupts the line.
 * plot.under(markup), plot.lines(markup), plot.over(markup)     strings of SVG: below, inside the frame, unclipped on top.
 * plot.handle({label, at, move, text, reach, keys})       a point to drag, click or move by arrow keys: `at(state)` → [x, y],
 *                            `move(x, y)` is called with data inside the frame, `text(x, y)` is read aloud; a press moves the
 *                            nearest handle within `reach` pixels, else calls plot.press(x, y) if that is set;
 *                            `keys` {Delete: action} for more keys. Returns {node, remove()}.
 * plot.changed                      whether the last frame() drew new axes, so that under() must be drawn again.
 * explorer.sentence          the node of the status line, to be placed.
 * make(name, attributes, …children)     an element, with "svg:" before the name for one of SVG.
 * number(value, digits)      a number for readers, such as 0.0178 or 1.2×10⁻⁷;  escaped(text) for markup.
 */
function make(name, attributes = {}, ...children) {
  const vector = name.startsWith("svg:");
  const node = vector
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const raised = (power) => String(power).replace(/./g, (c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function number(value, digits = 3) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-3 && size < 1e5)) return String(Number(value.toPrecision(digits))).replace("-", "−");
  const [front, power] = value.toExponential(digits - 1).split("e");
  return `${front.replace("-", "−")}×10${raised(Number(power))}`;
}

class DescentExplorer extends HTMLElement {
  /* Called by the script inside the element. If anything fails, the static picture stays. */
  show(figure, generated, css) {
    if (this.shadowRoot) return;
    const root = this.attachShadow({ mode: "open" });
    Object.assign(this, { state: {}, numbers: {}, redraws: 0, milliseconds: 0, plots: [], controls: [], accepted: {}, choices: {} });
    this.live = make("div", { class: "live" });
    this.still = make("div", { class: "still" }, make("slot"));
    root.append(make("style", {}, css), this.live, this.still);
    try {
      const data = JSON.parse(this.querySelector('script[type="application/json"]').textContent);
      const same = [...document.querySelectorAll(`descent-explorer[figure="${this.getAttribute("figure")}"]`)];
      this.key = this.getAttribute("figure") + (same.indexOf(this) > 0 ? `-${same.indexOf(this) + 1}` : "");
      this.sentence = make("p", { class: "status", role: "status" });
      Object.assign(this, figure(this, data, generated)); // brings `defaults` and `draw`
      this.restore();
      this.redraw();
    } catch (error) {
      root.replaceChildren(make("slot"));
      throw error;
    }
    this.resize = new ResizeObserver(() => this.schedule());
    this.resize.observe(this.live);
    window.addEventListener("hashchange", () => this.addressed().length && this.restore());
    if (this.addressed().length) this.scrollIntoView({ block: "center" });
  }

  place(...nodes) {
    this.live.append(...nodes);
  }

  set(changes) {
    Object.assign(this.state, changes);
    this.schedule();
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.address(), 250);
  }

  reset() {
    this.set(this.defaults({}));
  }

  /* However many events arrive, a frame draws once. */
  schedule() {
    this.frame ??= requestAnimationFrame(() => this.redraw());
  }

  redraw() {
    this.frame = undefined;
    if (!this.live.clientWidth) return; // hidden, or in print: the observer asks again
    const begin = performance.now();
    for (const control of this.controls) control(this.state);
    this.draw(this.state);
    for (const plot of this.plots) plot.update(this.state);
    this.milliseconds = performance.now() - begin;
    this.redraws += 1;
  }

  say(text) {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => (this.sentence.textContent = text), this.sentence.textContent ? 300 : 0);
  }

  /* The address: "#race=surface:beale,eta:0.01&momentum=beta:0.5", only what differs from the defaults. */
  addressed() {
    const mine = location.hash.slice(1).split("&").find((part) => part.startsWith(`${this.key}=`));
    return mine ? mine.slice(this.key.length + 1).split(",").map((pair) => pair.split(":")) : [];
  }

  address() {
    const first = this.defaults(this.state);
    const told = Object.keys(first).filter((key) => String(this.state[key]) !== String(first[key]));
    const mine = told.map((key) => `${key}:${[].concat(this.state[key]).map(encodeURIComponent).join("+")}`).join();
    const others = location.hash.slice(1).split("&").filter((p) => p.includes("=") && !p.startsWith(`${this.key}=`));
    const hash = [...others, ...(mine ? [`${this.key}=${mine}`] : [])].join("&");
    try {
      history.replaceState(history.state, "", hash ? `#${hash}` : location.pathname + location.search);
    } catch {
      // A page without an address of its own, such as a notebook's frame, can't keep it.
    }
  }

  restore() {
    const first = this.defaults({});
    const given = {};
    for (const [key, text = ""] of this.addressed()) {
      const value = Object.hasOwn(first, key) ? this.read(first[key], text) : undefined;
      if (value !== undefined && this.accepted[key]?.(value)) given[key] = value;
    }
    this.state = { ...this.defaults(given), ...given };
    this.schedule();
  }

  /* A value of the address as the kind of thing that the default is; undefined where it can't be. */
  read(kind, text) {
    try {
      if (Array.isArray(kind)) return text.split("+").filter(Boolean).map(decodeURIComponent);
      if (typeof kind === "number") return text.trim() === "" ? undefined : Number(text);
      return decodeURIComponent(text);
    } catch {
      return undefined;
    }
  }

  accept(key, test) {
    this.accepted[key] = test;
  }

  slider({ key, label, spoken, min, max, step, log, stops, text = number }) {
    const inside = log ? (raw) => Number((10 ** raw).toPrecision(3)) : stops ? (raw) => stops[raw] : (raw) => raw;
    const outside = log ? Math.log10 : stops ? (value) => stops.indexOf(value) : (value) => value;
    if (stops) [min, max, step] = [0, stops.length - 1, 1];
    const input = make("input", { type: "range", id: key, min, max, step });
    const output = make("output", { for: key, "aria-live": "off" }); // the slider's own text is read aloud already
    if (spoken) input.setAttribute("aria-label", spoken);
    input.addEventListener("input", () => this.set({ [key]: inside(input.valueAsNumber) }));
    this.accept(key, (value) => (stops ? stops.includes(value) : outside(value) >= min - 1e-9 && outside(value) <= max + 1e-9));
    this.controls.push((state) => {
      input.value = outside(state[key]);
      output.textContent = text(state[key]);
      input.setAttribute("aria-valuetext", output.textContent);
    });
    return make("div", { class: "slider" }, make("label", { for: key }, label), input, output);
  }

  select({ key, label, options, change = (value) => this.set({ [key]: value }) }) {
    const list = make("select", { id: key }, ...options.map(([value, text]) => make("option", { value }, text)));
    list.addEventListener("change", () => change(list.value));
    this.accept(key, (value) => options.some(([known]) => known === value));
    this.controls.push((state) => (list.value = state[key]));
    return make("div", { class: "select" }, make("label", { for: key }, label), list);
  }

  check({ key, value, label, spoken }) {
    const box = make("input", { type: "checkbox", name: key, value });
    if (spoken) box.setAttribute("aria-label", spoken);
    box.addEventListener("change", () => {
      const others = this.state[key].filter((other) => other !== value);
      this.set({ [key]: box.checked ? [...others, value] : others });
    });
    const known = (this.choices[key] ??= []);
    known.push(value);
    this.accept(key, (values) => values.every((chosen) => known.includes(chosen)));
    this.controls.push((state) => (box.checked = state[key].includes(value)));
    return make("label", { class: "check" }, box, label);
  }

  button(text, action) {
    const node = make("button", { type: "button" }, text);
    node.addEventListener("click", action);
    return node;
  }
}
