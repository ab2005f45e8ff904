/*
 * The map of momentum: a point in the plane of u = ηλ and β, the eigenvalues there, and the run. The curvature is 1, so u = η.
 */
function momentum(explorer, data, generated) {
  const defaults = () => ({ ...data.first });
  const wide = () => explorer.live.clientWidth >= 560;
  const plot = (label, x, y, tall, short) => new Plot(explorer, { label, x, y, height: () => (wide() ? tall : short) });
  const map = plot("Map of rate and decay", "ηλ", "β", 320, 290);
  const disc = plot("Eigenvalues of the iteration matrix and the unit circle", "real part", "imaginary part", 320, 290);
  const path = plot("Path of theta over the steps", "step", "θ", 210, 200);
  const error = plot("Distance from the minimum over the steps", "step", "distance |θ| and ρᵗ", 210, 200);
  map.handle({
    label: "Rate and decay",
    at: (state) => [state.u, state.beta],
    move: (u, beta) => explorer.set({ u: clamp(Math.round(u * 100) / 100, 0.01, 4), beta: clamp(Math.round(beta * 100) / 100, 0, 0.99) }),
    text: (u, beta) => `rate times curvature ${number(u)}, decay ${number(beta)}`,
  });

  const rule = explorer.select({ key: "rule", label: "Rule", options: Object.entries(data.rules).map(([key, { name }]) => [key, name]) });
  const u = explorer.slider({ key: "u", label: "ηλ", spoken: "ηλ, rate times curvature", min: 0.01, max: 4, step: 0.01 });
  const beta = explorer.slider({ key: "beta", label: "β", spoken: "β, decay", min: 0, max: 0.99, step: 0.01 });
  const steps = explorer.slider({ key: "steps", label: "steps", min: 10, max: data.maxSteps, step: 10 });
  explorer.place(
    make("div", { class: "plots two" }, map.node, disc.node),
    make("div", { class: "plots even" }, path.node, error.node),
    explorer.sentence,
    make("div", { class: "controls" }, u, beta, steps, make("div", { class: "line" }, rule, explorer.button("Reset", () => explorer.reset()))),
  );

  /* The roots of z² − trace z + determinant, each as [real, imaginary], the larger modulus first. */
  function eigenvalues([[a, b], [c, d]]) {
    const [middle, determinant] = [(a + d) / 2, a * d - b * c];
    const rest = middle * middle - determinant;
    if (Math.abs(rest) < 1e-12) return [[middle, 0], [middle, 0]];
    const root = Math.sqrt(Math.abs(rest));
    if (rest < 0) return [[middle, root], [middle, -root]];
    return [[middle + root, 0], [middle - root, 0]].sort((p, q) => Math.abs(q[0]) - Math.abs(p[0]));
  }

  function regime([[real, imaginary], [second]], radius) {
    if (radius > 1 + 1e-9) return ["diverges", `Every step is ${number(radius)} times as long as the one before, in the long run.`];
    if (radius > 1 - 1e-9) return ["border", "On the border: the run neither dies out nor grows."];
    const factor = `In the long run the distance shrinks by ${number(radius)} a step.`;
    if (imaginary) return ["swings", `Complex eigenvalues, underdamped: the run swings about the minimum. ${factor}`];
    if (real === second) return ["critical", `A double eigenvalue, critically damped: no other decay is faster at this rate. ${factor}`];
    if (real > 0) return ["creeps", `Real and positive, overdamped: the run creeps to the minimum from one side. ${factor}`];
    return ["jumps", `Real, the larger one negative: the run jumps to the other side at every step. ${factor}`];
  }

  function run(state) {
    const rule = generated.rules[state.rule];
    const hyper = { eta: state.u, beta: state.beta };
    let [theta, memory] = [1, rule.start];
    const found = [theta];
    for (let t = 1; t <= state.steps; t++) {
      const [step, next] = rule.step(theta, rule.point(theta, memory, t, hyper), memory, t, hyper);
      [theta, memory] = [theta + step, next];
      found.push(theta);
    }
    return found;
  }

  const points = (plot, line) => plot.path(...[0, 1].map((axis) => line.map((point) => point[axis])));
  const stroke = (d, color, more = "") => `<path d="${d}" stroke="${color}" stroke-width="2" ${more}/>`;

  let shown;
  function drawMap(state) {
    map.frame({ x: [0, 4], y: [0, 1] });
    const { swings, diverges, places } = data.rules[state.rule];
    const { colours } = data;
    if (!map.changed && shown === state.rule) return;
    shown = state.rule;
    const word = ([name, [x, y]]) => `<text x="${map.x(x)}" y="${map.y(y)}" text-anchor="middle">${name}</text>`;
    const far = [...diverges, [4, 1], [4, 0]];
    map.under(
      `<path class="region" d="${points(map, swings)}Z" fill="${colours.swings}"/><path class="region" d="${points(map, far)}Z" fill="${colours.diverges}"/>` +
        stroke(points(map, swings), colours.swings, 'fill="none"') + stroke(points(map, diverges), colours.diverges, 'fill="none"') +
        Object.entries(places).map(word).join(""),
    );
  }

  function drawDisc(roots, radius) {
    const high = 1.25;
    const across = (high * (disc.node.clientWidth - disc.margin.left - disc.margin.right)) / (disc.height() - disc.margin.top - disc.margin.bottom);
    disc.frame({ x: [-across, across], y: [-high, high], ticks: { x: [-1, 0, 1].map((v) => [v, number(v)]), y: [-1, 0, 1].map((v) => [v, number(v)]) } });
    const middle = `cx="${disc.x(0)}" cy="${disc.y(0)}" fill="none"`;
    const ring = (r, more) => `<circle ${middle} r="${disc.x(Math.min(r, 99)) - disc.x(0)}" ${more}/>`;
    const dot = ([x, y]) => `<circle class="root" cx="${clamp(disc.x(x), 0, disc.inner.width)}" cy="${disc.y(y)}" r="6"/>`;
    disc.lines(ring(1, 'class="cross"') + ring(radius, `stroke="${data.colours.theory}" stroke-dasharray="5 3" stroke-width="1.5"`) + roots.map(dot).join(""));
    disc.over(`<text x="${disc.inner.width}" y="-12" text-anchor="end">ρ = ${number(radius)}</text>`);
  }

  function draw(state) {
    const roots = eigenvalues(generated.matrices[state.rule](state.u, 1, state.beta));
    const radius = Math.max(...roots.map(([x, y]) => Math.hypot(x, y)));
    const [name, sentence] = regime(roots, radius);
    const theta = run(state);
    const { color, dash } = data.rules[state.rule];
    const times = theta.map((_, t) => t);
    drawMap(state);
    drawDisc(roots, radius);
    const top = clamp(Math.max(...theta.map(Math.abs).filter(Number.isFinite)), 1, 100) * 1.1;
    path.frame({ x: [0, state.steps], y: [-top, top] });
    path.lines(`<path class="contour" d="M0 ${path.y(0)}H${path.inner.width}"/>` + stroke(path.path(times, theta), color, `stroke-dasharray="${dash}"`));
    const low = Math.floor(Math.log10(clamp(radius ** state.steps, 1e-12, 0.1)));
    const high = Math.ceil(Math.log10(clamp(Math.max(...theta.map(Math.abs)), 10, 1e6)));
    error.frame({ x: [0, state.steps], y: [10 ** low, 10 ** high], logY: true });
    error.lines(
      stroke(error.path(times, times.map((t) => radius ** t)), data.colours.theory, 'stroke-dasharray="5 3"') +
        stroke(error.path(times, theta.map(Math.abs)), color, `stroke-dasharray="${dash}"`),
    );
    explorer.say(`At ηλ = ${number(state.u)}, β = ${number(state.beta)}: ${name}. ${sentence}`);
    explorer.numbers = { regime: name, radius, eigenvalues: roots, theta };
  }

  return { defaults, draw };
}
