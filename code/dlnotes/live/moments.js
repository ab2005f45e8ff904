/*
 * The bias correction: a stream of gradients with known moments, and what Adam's averages make of it.
 */
function moments(explorer, data, generated) {
  const [corrected, uncorrected, truth, expected] = data.lines;
  const { corrected: adam, uncorrected: plain } = generated;
  const defaults = () => ({ ...data.first, axis: ["log"], t: 10 });

  const tall = (width) => clamp(width * 0.62, 200, 250);
  const plots = {
    m: new Plot(explorer, { label: "First moment over the steps", x: "step t", y: "first moment", height: tall }),
    n: new Plot(explorer, { label: "Second moment over the steps", x: "step t", y: "second moment", height: tall }),
    step: new Plot(explorer, {
      label: "Length of the step", x: "step t", y: "length of the step / η", height: (width) => clamp(width * 0.4, 220, 250),
    }),
  };

  /* Steps that can be read: every one at first, then some two per cent apart, so that a key press is seen. */
  const known = new Set(data.choices.steps);
  for (let t = 1; t < data.draws.length; t = Math.ceil(t * 1.02 + 1e-9)) known.add(t);
  const stops = [...known].sort((a, b) => a - b);
  const nearest = (t) => stops.reduce((best, stop) => (Math.abs(stop - t) < Math.abs(best - t) ? stop : best));
  const read = (state) => Math.min(state.t, state.steps);
  const handle = plots.step.handle({
    label: "Step whose numbers are read",
    at: (state) => [read(state), explorer.numbers.uncorrected[read(state) - 1]],
    move: (x) => explorer.set({ t: nearest(x) }),
    text: (t) => `step ${t}`,
  });
  handle.node.addEventListener("keydown", (event) => {
    const strides = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: -1e4, End: 1e4 };
    const away = strides[event.key];
    if (!away) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // steps are whole numbers: the plot's own strides would not reach the next one
    const last = stops.findLastIndex((stop) => stop <= explorer.state.steps);
    explorer.set({ t: stops[clamp(stops.indexOf(nearest(read(explorer.state))) + away, 0, last)] });
  }, true);
  explorer.accept("t", (t) => stops.includes(t));

  const line = ({ color, dash }, d, width = 1.8) =>
    `<path d="${d}" stroke="${color}" stroke-width="${width}" stroke-dasharray="${dash}"/>`;
  const sample = (look) => make("span", {}, make("svg:svg", { width: 30, height: 12, "aria-hidden": "true" },
    make("svg:path", { d: "M2 6H28", stroke: look.color, "stroke-width": 2.5, "stroke-dasharray": look.dash })), look.label);

  /* What is read at step t: one row for each plot. */
  const cell = (text = "", role = "cell") => make("span", { role }, text);
  const row = (...entries) => make("div", { role: "row" }, ...entries);
  const head = cell("", "columnheader");
  const names = { m: "first moment", n: "second moment", step: "step / η" };
  const cells = Object.fromEntries(Object.keys(names).map((name) => [name, Array.from({ length: 4 }, () => cell())]));
  const reading = make("div", { class: "reading", role: "table", "aria-label": "Numbers at one step" },
    row(head, ...["without", "with", "ratio", "true"].map((text) => cell(text, "columnheader"))),
    ...Object.entries(names).map(([name, text]) => row(cell(text, "rowheader"), ...cells[name])));
  const css = `.samples { display: flex; flex-wrap: wrap; gap: 2px 22px; }
    .samples span { display: inline-flex; gap: 8px; align-items: center; }
    .controls .slider label { min-width: 3.2em; }
    .reading { display: grid; grid-template-columns: minmax(7.6em, 1.5fr) repeat(4, 1fr); }
    .reading div { display: contents; }
    .reading span { text-align: right; } .reading span:first-child { text-align: left; }
    .reading div:first-child span { border-bottom: 1px solid color-mix(in srgb, currentColor 45%, transparent); }`;

  const { decays, means, noises, steps } = data.choices;
  const tenths = ([min, max]) => ({ min, max, step: 0.1 });
  explorer.place(
    make("div", { class: "controls" },
      explorer.slider({ key: "beta1", label: "β₁", spoken: "β₁, decay of the first moment", stops: decays }),
      explorer.slider({ key: "beta2", label: "β₂", spoken: "β₂, decay of the second moment", stops: decays }),
      explorer.slider({ key: "mean", label: "mean", spoken: "mean of the gradient", ...tenths(means) }),
      explorer.slider({ key: "noise", label: "noise", spoken: "standard deviation of the gradient", ...tenths(noises) }),
      explorer.slider({ key: "steps", label: "steps", stops: steps }),
      make("div", { class: "select" }, explorer.check({ key: "axis", value: "log", label: "logarithmic time" }),
        explorer.button("Reset", () => explorer.reset()))),
    make("div", { class: "samples" }, ...data.lines.map(sample)),
    make("div", { class: "plots even" }, plots.m.node, plots.n.node),
    make("div", { class: "plots" }, plots.step.node),
    make("p", { class: "hint" }, "Drag the ring, or move it with the arrow keys, to read the numbers at another step."),
    explorer.sentence, reading, make("style", {}, css),
  );

  /* All stages at all steps, one array for each. */
  function run(rule, gradient, state) {
    const hyper = { ...rule.hyper, eta: 1, beta1: state.beta1, beta2: state.beta2 };
    const series = {};
    let now = rule.start;
    for (let t = 1; t <= state.steps; t++) {
      now = rule.stages(0, gradient(t), now, t, hyper);
      for (const name in now) (series[name] ??= []).push(now[name]);
    }
    return series;
  }

  function draw(state) {
    const square = state.mean ** 2 + state.noise ** 2;
    const g = (t) => state.mean + state.noise * data.draws[t - 1];
    const [fair, biased] = [run(adam, g, state), run(plain, g, state)];
    const stride = Math.ceil(state.steps / 500); // no more points than pixels
    const ts = state.axis.length ? stops.filter((t) => t <= state.steps)
      : Array.from({ length: state.steps / stride }, (_, i) => 1 + i * stride);
    const at = (series) => ts.map((t) => series[t - 1]);
    const frame = { x: [state.axis.length ? 1 : 0, state.steps], logX: state.axis.length > 0 };
    const lengths = [biased, fair].map(({ dtheta }) => dtheta.map(Math.abs));
    const [{ m, n }, { m_hat, n_hat }, [uncorrectedLength, correctedLength]] = [biased, fair, lengths];
    explorer.numbers = { m, n, m_hat, n_hat, uncorrected: uncorrectedLength, corrected: correctedLength };

    /* m is linear in the gradients and n in their squares: run on ones, they say how much of the moment is there. */
    const weights = run(plain, () => 1, state);
    const frames = {
      m: [state.mean, [Math.min(0, state.mean - state.noise), Math.max(0, state.mean) + 1.2 * state.noise || 1]],
      n: [square, [0, 2 * square || 1]],
    };
    const t = read(state);
    for (const [name, [moment, y]] of Object.entries(frames)) {
      const plot = plots[name];
      plot.frame({ ...frame, y });
      plot.lines(
        line(truth, plot.path(frame.x, [moment, moment]), 1.4) +
          line(expected, plot.path(ts, at(weights[name]).map((weight) => weight * moment)), 1.4) +
          line(uncorrected, plot.path(ts, at(biased[name]))) + line(corrected, plot.path(ts, at(fair[`${name}_hat`]))) +
          mark(plot, t, [biased[name][t - 1], fair[`${name}_hat`][t - 1]]));
    }
    const longest = Math.max(1, ...lengths.map((series) => Math.ceil(Math.max(...series))));
    plots.step.frame({ ...frame, y: [0, longest] });
    plots.step.lines(
      `<path class="contour" d="${plots.step.path(frame.x, [1, 1])}"/>` +
        line(uncorrected, plots.step.path(ts, at(lengths[0]))) + line(corrected, plots.step.path(ts, at(lengths[1]))) +
        mark(plots.step, t, [lengths[1][t - 1]]));
    tell(state, t, square, weights);
  }

  /* The step that is read, in every plot. */
  function mark(plot, t, values) {
    const dots = values.map((value) => `<circle cx="${plot.x(t)}" cy="${plot.y(value)}" r="4" fill="${corrected.color}"/>`);
    return `<path class="contour" d="M${plot.x(t)} 0V${plot.inner.height}"/>${dots.join("")}`;
  }

  function tell(state, t, square, weights) {
    const { m, n, m_hat, n_hat, uncorrected: without, corrected: length } = explorer.numbers;
    const rows = { m: [m, m_hat, state.mean], n: [n, n_hat, square], step: [without, length, NaN] };
    head.textContent = `at t = ${t}`;
    for (const [name, [biased, fair, moment]] of Object.entries(rows)) {
      const values = [biased[t - 1], fair[t - 1], biased[t - 1] / fair[t - 1], moment];
      cells[name].forEach((cell, i) => (cell.textContent = Number.isNaN(values[i]) ? "–" : number(values[i])));
    }
    const ratio = without[t - 1] / length[t - 1];
    const size = Number.isNaN(ratio) ? "there is no step"
      : `the step without correction is ${number(ratio)} times the corrected one`;
    const [inM, inN] = [number(weights.m[t - 1]), number(weights.n[t - 1])];
    explorer.say(`At step ${t} ${size}. The weights in m sum to ${inM}, those in n to ${inN}.`);
  }

  return { defaults, draw };
}
