/*
 * The race: every chosen rule runs anew at each change, by the package's own formulas.
 */
function race(explorer, data, generated) {
  const names = Object.keys(data.rules);
  const symbols = { eta: "η", eps: "ε", beta: "β", gamma: "γ", beta1: "β₁", beta2: "β₂", lam: "λ" };
  const place = (state) => data.surfaces[state.surface];
  const formula = (state) => state.surface + (state.surface === "bowl" ? state.kappa : "");
  const ofSurface = (surface) => {
    const { start, rates } = data.surfaces[surface];
    return { x: start[0], y: start[1], ...rates };
  };
  const defaults = ({ surface = data.first.surface }) =>
    ({ ...data.first, kappa: 20, ...data.shared, ...ofSurface(surface) });

  const wide = () => explorer.live.clientWidth >= 560;
  const ground = new Plot(explorer, { label: "Paths over the contour lines", x: "θ₁", y: "θ₂", height: () => (wide() ? 350 : 320) });
  const curves = new Plot(explorer, { label: "Error over the steps", x: "step", y: "error J − J*", height: () => (wide() ? 350 : 250) });
  ground.handle({
    label: "Start of the runs",
    at: (state) => [state.x, state.y],
    move: (x, y) => explorer.set({ x: Number(x.toPrecision(3)), y: Number(y.toPrecision(3)) }),
    text: (x, y) => `theta 1 ${number(x)}, theta 2 ${number(y)}`,
  });
  for (const key of ["x", "y"]) explorer.accept(key, (value) => Math.abs(value) <= 20);

  /* One row for each rule: its line, its rate, its last error. A row under the pointer brings out its path. */
  const cells = {};
  let chosen = null;
  const rows = names.map((name) => {
    const { color, dash, dial } = data.rules[name];
    const sample = make("svg:svg", { width: 30, height: 12, "aria-hidden": "true" },
      make("svg:path", { d: "M2 6H28", stroke: color, "stroke-width": 2.5, "stroke-dasharray": dash }));
    const label = generated.rules[name].name;
    const box = explorer.check({ key: "rules", value: name, label: make("span", { class: "rule" }, sample, label) });
    const [min, max] = dial === "eta" ? [-4, 1.5] : [-8, 2];
    const what = dial === "eta" ? "learning rate" : "epsilon";
    const rate = explorer.slider({ key: name, label: symbols[dial], spoken: `${symbols[dial]}, ${what} of ${label}`, min, max, step: 0.05, log: true });
    cells[name] = make("td", { class: "error", role: "cell" });
    const row = make("tr", { role: "row" }, make("th", { role: "rowheader" }, box), make("td", { role: "cell" }, rate), cells[name]);
    for (const [event, value] of [["pointerenter", name], ["pointerleave", null], ["focusin", name], ["focusout", null]])
      row.addEventListener(event, () => {
        chosen = value;
        explorer.schedule();
      });
    return row;
  });
  const head = ["Rule", "Rate", "Last error"].map((text) => make("th", { role: "columnheader" }, text));
  // The roles say again what a phone's layout in two lines takes from a table.
  const table = make("table", { role: "table", "aria-label": "Rules, their rates and their last errors" },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...head)), make("tbody", { role: "rowgroup" }, ...rows));

  const option = (name) => [name, data.surfaces[name].name];
  const surface = explorer.select({
    key: "surface", label: "Surface", options: Object.keys(data.surfaces).map(option),
    change: (value) => explorer.set({ surface: value, ...ofSurface(value) }),
  });
  const kappa = explorer.slider({ key: "kappa", label: "κ", spoken: "κ, condition number of the bowl", stops: data.conditionNumbers });
  const steps = explorer.slider({ key: "steps", label: "steps", min: 10, max: data.maxSteps, step: 10 });
  const shared = Object.keys(data.shared).map((key) => {
    const range = key === "beta2" ? { stops: [0, 0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999] }
      : { min: 0, max: key === "lam" ? 0.5 : 0.99, step: 0.01 };
    const slider = explorer.slider({ key, label: symbols[key], spoken: `${symbols[key]} of ${data.readers[key]}`, ...range });
    slider.title = data.readers[key];
    return slider;
  });
  explorer.place(
    make("div", { class: "top" }, surface, kappa, steps, explorer.button("Reset", () => explorer.reset())),
    make("div", { class: "plots two" }, ground.node, curves.node),
    make("p", { class: "hint" }, "Drag the ring, or move it with the arrow keys, to start elsewhere. The address keeps what you choose."),
    explorer.sentence, table, make("div", { class: "controls" }, ...shared),
  );

  function run(name, state) {
    const [rule, surface] = [generated.rules[name], generated.surfaces[formula(state)]];
    const hyper = { ...rule.hyper };
    for (const key of Object.keys(data.shared)) if (key in hyper) hyper[key] = state[key];
    hyper[data.rules[name].dial] = state[name];
    let theta = [state.x, state.y];
    const memory = theta.map(() => rule.start);
    const error = () => Math.max(surface.value(...theta) - place(state).least, 0);
    const found = { xs: [theta[0]], ys: [theta[1]], errors: [error()], diverged: false };
    for (let t = 1; t <= state.steps; t++) {
      const point = theta.map((value, i) => rule.point(value, memory[i], t, hyper));
      const slope = surface.gradient(...point);
      const after = theta.map((value, i) => {
        const [step, next] = rule.step(value, slope[i], memory[i], t, hyper);
        memory[i] = next;
        return value + step;
      });
      const all = [...slope, ...after, ...memory.flatMap(Object.values), surface.value(...after)];
      found.diverged = !all.every(Number.isFinite);
      if (found.diverged) break;
      theta = after;
      found.xs.push(theta[0]);
      found.ys.push(theta[1]);
      found.errors.push(error());
    }
    return found;
  }

  function contours(state) {
    const scale = (line) => line.map((v, i) => (i % 2 ? (1 - v / data.grid) * ground.inner.height : (v / data.grid) * ground.inner.width).toFixed(1));
    const lines = data.contours[formula(state)].map((line) => `M${scale(line).join(" ")}`).join("");
    const cross = ([x, y]) => `M${ground.x(x) - 6} ${ground.y(y)}h12M${ground.x(x)} ${ground.y(y) - 6}v12`;
    ground.over(`<path class="cross" d="${place(state).minimizers.map(cross).join("")}"/>`);
    return `<path class="contour" d="${lines}"/>`;
  }

  function line(name, d, extra = "") {
    const { color, dash } = data.rules[name];
    const [width, opacity] = name === chosen ? [3, 1] : [2, chosen && explorer.state.rules.includes(chosen) ? 0.3 : 1];
    return `<g stroke="${color}" fill="${color}" opacity="${opacity}"><path d="${d}" stroke-width="${width}" stroke-dasharray="${dash}"/>${extra}</g>`;
  }

  let drawn;
  function draw(state) {
    const runs = Object.fromEntries(names.filter((name) => state.rules.includes(name)).map((name) => [name, run(name, state)]));
    const { x, y } = place(state);
    ground.frame({ x, y });
    if (ground.changed || drawn !== formula(state)) ground.under(contours(state));
    drawn = formula(state);
    ground.lines(Object.entries(runs).map(([name, { xs, ys }]) => {
      const [endX, endY] = [ground.x(xs.at(-1)), ground.y(ys.at(-1))];
      return line(name, ground.path(xs, ys), `<circle cx="${endX}" cy="${endY}" r="4.5"/>`);
    }).join(""));

    const first = generated.surfaces[formula(state)].value(state.x, state.y) - place(state).least;
    const least = Math.min(first, ...Object.values(runs).map(({ errors }) => Math.min(...errors)));
    const most = Math.max(...Object.values(runs).map(({ errors }) => Math.max(...errors)), first);
    const high = Math.ceil(Math.log10(clamp(most, 1e-9, Math.max(first, 1e-6) * 100)));
    const low = Math.min(Math.floor(Math.log10(Math.max(least, 1e-12))), high - 3);
    curves.frame({ x: [0, state.steps], y: [10 ** low, 10 ** high], logY: true });
    curves.lines(Object.entries(runs).map(([name, { errors }]) => line(name, curves.path(errors.map((_, t) => t), errors))).join(""));
    tell(state, runs, first);
  }

  function tell(state, runs, first) {
    kappa.hidden = state.surface !== "bowl";
    const last = (name) => runs[name].errors.at(-1);
    const away = Object.keys(runs).filter((name) => runs[name].diverged || last(name) > 1000 * Math.max(first, 1e-9));
    for (const name of names) cells[name].textContent = !runs[name] ? "" : away.includes(name) ? "diverges" : number(last(name));
    const inOrder = Object.keys(runs).filter((name) => !away.includes(name)).sort((a, b) => last(a) - last(b));
    const spoken = (name) => generated.rules[name].name;
    const best = inOrder.length ? `${spoken(inOrder[0])} is lowest after ${state.steps} steps, with an error of ${number(last(inOrder[0]))}` : "";
    const worst = inOrder.length > 1 ? `; ${spoken(inOrder.at(-1))} is highest, with ${number(last(inOrder.at(-1)))}` : "";
    const lost = away.length ? ` ${away.map(spoken).join(", ")} ${away.length > 1 ? "diverge" : "diverges"}: the rate is too large here.` : "";
    explorer.say(`From (${number(state.x)}, ${number(state.y)}): ${best ? `${best}${worst}.` : "no rule arrives."}${lost}`);
    explorer.numbers = {
      last: Object.fromEntries(Object.keys(runs).map((name) => [name, last(name)])),
      theta: Object.fromEntries(Object.entries(runs).map(([name, { xs, ys }]) => [name, [xs.at(-1), ys.at(-1)]])),
      paths: Object.fromEntries(Object.entries(runs).map(([name, { xs, ys }]) => [name, [xs, ys]])),
      diverged: Object.keys(runs).filter((name) => runs[name].diverged),
      diverges: away,
    };
  }

  return { defaults, draw };
}
