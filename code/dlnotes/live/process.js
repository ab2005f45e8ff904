/*
 * A covariance function: its curve, paths from draws that stay the same, and the process given a few observations.
 */
function process(explorer, data, generated) {
  const families = Object.fromEntries(data.labels.map((label, i) => [label, generated.families[i]]));
  const [blue, ...others] = data.colours;
  const write = ([t, y]) => `${t}_${y}`; // how the state holds an observation
  const readable = (text) => text.split("_").map(Number);
  const observed = (state) => state.observations.map(readable);
  const last = data.times.at(-1);
  const snapped = (t) => data.times.reduce((best, time) => (Math.abs(time - t) < Math.abs(best - t) ? time : best));

  /* All families share the sliders: a parameter keeps its value when another function is chosen. */
  const parameters = Object.assign({}, ...data.labels.map((label) => data.parameters[label]).reverse());
  const defaults = ({ function: chosen = data.first.function }) =>
    ({ ...data.first, ...parameters, ...data.parameters[chosen], observations: data.observations.map(write) });

  const tall = (width) => clamp(width * 0.62, 200, 250);
  const plot = (label, x, y, height) => new Plot(explorer, { label, x, y, height });
  const curve = plot("Covariance with the value at time t", "time s", "C(s, t), t at the point", tall);
  const sample = plot("Paths of the process", "time", "paths, before any observation", tall);
  const given = plot("The process given the observations", "time", "given the points: mean, 95 % band, paths",
    (width) => clamp(width * 0.5, 260, 330));
  curve.handle({
    label: "The time t",
    at: (state) => [state.other, explorer.numbers.variance ?? 0],
    move: (t) => explorer.set({ other: snapped(t) }),
    text: (t) => `time ${t}`,
  });
  explorer.accept("other", (t) => data.times.includes(t));

  const handles = [];
  const change = (points) => explorer.set({ observations: points.map(write) });
  const remove = (i) => change(observed(explorer.state).filter((_, j) => j !== i));
  const put = (i, t, y) => change(Object.assign(observed(explorer.state), { [i]: [snapped(t), Number(y.toFixed(2))] }));
  given.press = (t, y) => explorer.state.observations.length < data.most && put(explorer.state.observations.length, t, y);
  given.listen();
  explorer.accept("observations", (list) => list.length <= data.most && list.every((text) => {
    const [t, y, ...more] = readable(text);
    return more.length === 0 && data.times.includes(t) && Math.abs(y) <= 100;
  }));

  /* One handle for each observation. */
  function sync(points) {
    while (handles.length > points.length) handles.pop().remove();
    while (handles.length < points.length) {
      const i = handles.length;
      const gone = () => remove(i);
      handles.push(given.handle({
        label: `Observation ${i + 1}; Delete removes it`,
        at: (state) => observed(state)[i] ?? [0, 0],
        move: (t, y) => put(i, t, y),
        text: (t, y) => `time ${t}, value ${number(y)}`,
        reach: 22,
        keys: { Delete: gone, Backspace: gone },
      }));
    }
  }

  /* In the middle of the widest gap, where the process is expected. */
  function add() {
    const times = [0, ...observed(explorer.state).map(([t]) => t), last].sort((a, b) => a - b);
    const gaps = times.slice(1).map((t, i) => [t - times[i], (t + times[i]) / 2]);
    const middle = snapped(gaps.reduce((a, b) => (b[0] > a[0] ? b : a))[1]);
    given.press(middle, explorer.numbers.mean?.[data.times.indexOf(middle)] ?? 0);
  }

  const choose = (label) => explorer.set({ function: label, member: Math.min(explorer.state.member, families[label].length - 1) });
  const options = data.labels.map((label) => [label, label]);
  const choice = explorer.select({ key: "function", label: "Process", options, change: choose });
  const most = Math.max(...Object.values(families).map((family) => family.length));
  const member = explorer.slider({ key: "member", label: "smoothness", stops: Array.from({ length: most }, (_, i) => i),
    text: (i) => formula(explorer.state, i).name.replace(`${explorer.state.function} `, "") });
  const sliders = Object.entries(parameters).map(([key, value]) => [key, explorer.slider({
    key, label: key.replace("_", " "), min: Math.log10(value) - 1, max: Math.log10(value) + 1, step: 0.05, log: true })]);
  const noise = explorer.slider({ key: "noise", label: "noise", spoken: "variance of the errors in the observations",
    min: Math.log10(data.noises[0]), max: Math.log10(data.noises[1]), step: 0.1, log: true });
  const more = explorer.button("Add an observation", add);
  const fewer = explorer.button("Remove one", () => remove(explorer.state.observations.length - 1));
  explorer.place(
    make("div", { class: "controls" }, choice, member, ...sliders.map(([, slider]) => slider), noise),
    make("div", { class: "plots even" }, curve.node, sample.node),
    make("div", { class: "plots" }, given.node),
    make("div", { class: "top" }, more, fewer, explorer.button("Reset", () => explorer.reset())),
    make("p", { class: "hint" },
      "Drag an observation, or move it with the arrow keys; press on the picture to add one, Delete to remove it."),
    explorer.sentence,
    make("style", {}, ".controls :is(.slider, .select) label { min-width: 5.8em; } .top { gap: 8px 10px; }"),
  );

  const formula = (state, i = state.member) => families[state.function][Math.min(i, families[state.function].length - 1)];
  const stroke = (d, colour, width, opacity = 1) =>
    `<path d="${d}" stroke="${colour}" stroke-width="${width}" opacity="${opacity}"/>`;

  function draw(state) {
    const { times, draws } = data;
    const points = observed(state);
    const law = formula(state);
    const k = (s, t) => law.covariance(s, t, state);
    const matrix = gaussian.matrix(k, times, times);
    const variance = Math.max(...matrix.map((row, i) => row[i]));
    const ridge = data.jitter * variance;
    const root = gaussian.cholesky(matrix, ridge);
    const found = gaussian.condition(k, points.map(([t]) => t), points.map(([, y]) => y), state.noise, times);
    const rest = found && gaussian.cholesky(found.covariance, ridge);
    const paths = root ? draws.map((z) => gaussian.path(root, z)) : [];
    const after = rest ? draws.map((z) => gaussian.path(rest, z, found.mean)) : [];
    const covariances = matrix[times.indexOf(state.other)];
    explorer.numbers = { covariances, paths, after, variance: k(state.other, state.other), mean: found?.mean,
      variances: found?.covariance.map((row, i) => row[i]), logLikelihood: found?.logLikelihood };

    curve.frame({ x: [0, last], y: [Math.min(0, 1.1 * Math.min(...covariances)), 1.1 * Math.max(...covariances) || 1] });
    curve.lines(stroke(curve.path(times, covariances), blue, 2));
    const high = Math.max(data.reach, 2.1 * Math.sqrt(Math.max(variance, 0)));
    for (const plot of [sample, given]) plot.frame({ x: [0, last], y: [-high, high] });
    sample.lines(paths.map((path, i) => stroke(sample.path(times, path), others[i], 1.6)).join(""));
    given.lines(found ? picture(found, after) + points.map(([t, y]) => bar(t, y, state.noise)).join("") : "");
    sync(points);
    tell(state, law, points, root && found);
  }

  function picture({ mean, covariance }, after) {
    const width = covariance.map((row, i) => 1.96 * Math.sqrt(Math.max(row[i], 0)));
    const edge = [...mean.map((m, i) => m + width[i]), ...mean.map((m, i) => m - width[i]).reverse()];
    const around = given.path([...data.times, ...[...data.times].reverse()], edge);
    const lines = after.map((path, i) => stroke(given.path(data.times, path), others[i], 1.2, 0.75)).join("");
    return `<path d="${around}Z" style="fill:${blue};fill-opacity:.18"/>${lines}${stroke(given.path(data.times, mean), blue, 2.2)}`;
  }

  /* Where an observed value may lie in truth. */
  function bar(t, y, variance) {
    const half = 1.96 * Math.sqrt(variance);
    return `<path class="axis" d="M${given.x(t)} ${given.y(y - half)}V${given.y(y + half)}"/>`;
  }

  function tell(state, law, points, valid) {
    member.hidden = families[state.function].length === 1;
    for (const [key, slider] of sliders) slider.hidden = !(key in law.parameters);
    more.disabled = points.length === data.most;
    fewer.disabled = points.length === 0;
    if (!valid) {
      const why = "the matrix at the times drawn is not positive semi-definite";
      return explorer.say(`With these parameters ${law.name} is no covariance function: ${why}.`);
    }
    const { logLikelihood, variances } = explorer.numbers;
    const deviation = Math.sqrt(Math.max(...variances));
    const count = `${points.length} observation${points.length === 1 ? "" : "s"}`;
    const name = member.hidden ? state.function : law.name;
    explorer.say(`${name[0].toUpperCase()}${name.slice(1)}, ${count}: log marginal likelihood ${number(logLikelihood, 4)}. ` +
      `The process is known to ± ${number(1.96 * deviation)} where it is known least.`);
  }

  return { defaults, draw };
}
