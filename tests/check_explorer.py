"""The race and the map of momentum in headless Chromium: each control is moved, and what the page says is NumPy's.

Needs Chromium, so plain pytest does not collect it; `make pages` runs it.
"""

import live_pages
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from dlnotes import CATALOGUE, explorer, minimize
from dlnotes.live_surfaces import SETTINGS, default_rates, dial
from dlnotes.objectives import quadratic_bowl
from dlnotes.stability import BETA, borders
from live_pages import element, numbers_of, settled, site, state_of

page = live_pages.page

SHARED = ("beta", "gamma", "beta1", "beta2", "lam")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    race, momentum_map = explorer.race(), explorer.momentum_map()
    everything = explorer.race("beale", rules=tuple(CATALOGUE), steps=100)
    pages = {"race": [race], "all": [everything], "momentum": [momentum_map], "three": [race, race, momentum_map]}
    with site(folder, **pages) as (address, browser):
        yield address, browser


def row(explorer_element, rule):
    return explorer_element.locator("tbody tr").nth(list(CATALOGUE).index(rule))


def surface_of(state):
    return quadratic_bowl(state["kappa"]) if state["surface"] == "bowl" else SETTINGS[state["surface"]].objective


def least_of(state):
    surface = surface_of(state)
    return surface.value(surface.minimizers[0])


def race_in_numpy(state, name):
    """The run of one rule by `minimize`, and the same from a start that differs in the last digit."""
    surface, rule = surface_of(state), CATALOGUE[name]
    hyper = {key: state[key] for key in SHARED if key in rule.hyper} | {dial(name): state[name]}
    start = np.array([state["x"], state["y"]]) * [[1.0], [1 + 1e-15]]
    run = minimize(rule, surface.gradient, start, int(state["steps"]), value=surface.value, **hyper)
    return run.theta, run.diverged[0]


def assert_race_is_numpys(explorer_element):
    """Every point of every path is NumPy's, up to a thousand times what the last digit of the start changes there."""
    state, numbers = state_of(explorer_element), numbers_of(explorer_element)
    assert sorted(numbers["last"]) == sorted(numbers["paths"]) == sorted(state["rules"])
    for name, path in numbers["paths"].items():
        theta, diverged = race_in_numpy(state, name)
        found = np.array(path, dtype=float).T
        assert (name in numbers["diverged"]) == diverged
        assert len(found) == len(theta) or diverged
        spread = np.maximum.accumulate(np.abs(theta[:, 1] - theta[:, 0]).max(axis=1))[: len(found), None]
        allowed = 1e-12 + 1e-11 * np.abs(theta[: len(found), 0]) + 1000 * spread
        np.testing.assert_array_less(np.abs(found - theta[: len(found), 0]), allowed, err_msg=f"{name} {state}")
        assert numbers["theta"][name] == found[-1].tolist()
        value = surface_of(state).value(found[-1]) - least_of(state)
        assert numbers["last"][name] == pytest.approx(max(value, 0), rel=1e-9, abs=1e-13)
    return state


def test_the_race_of_all_rules_is_numpys_on_every_surface(page):
    live = element(page("all.html"))
    assert len(assert_race_is_numpys(live)["rules"]) == len(CATALOGUE)
    for surface in SETTINGS:
        live.locator("select").select_option(surface)
        state = assert_race_is_numpys(live)
        assert state["surface"] == surface and {name: state[name] for name in CATALOGUE} == default_rates(surface)
        assert [state["x"], state["y"]] == list(SETTINGS[surface].start)
        assert live.locator("#kappa").is_visible() == (surface == "bowl")


@pytest.mark.parametrize("key", ["kappa", "steps", *SHARED, *CATALOGUE])
def test_each_slider_of_the_race_is_moved_by_key_and_by_pointer(page, key):
    live = element(page("all.html#race=surface:bowl"))
    slider, before = live.locator(f"#{key}"), state_of(live)
    slider.press("ArrowLeft")
    by_key = assert_race_is_numpys(live)
    assert by_key[key] < before[key] and by_key | {key: before[key]} == before
    box, part = slider.bounding_box(), slider.evaluate("s => (s.value - s.min) / (s.max - s.min) < 0.5 ? 0.8 : 0.2")
    slider.click(position={"x": box["width"] * part, "y": box["height"] / 2})
    by_pointer = assert_race_is_numpys(live)
    assert by_pointer[key] not in (by_key[key], before[key])
    shown = live.locator(f"output[for={key}]").text_content()
    assert slider.get_attribute("aria-valuetext") == shown
    assert "×" in shown or float(shown) == pytest.approx(by_pointer[key], rel=5e-3)


def test_rules_are_chosen_by_key_and_by_pointer(page):
    live = element(page("race.html"))
    for name in CATALOGUE:
        box, before = live.locator(f"input[value={name}]"), state_of(live)["rules"]
        box.press("Space")
        middle = assert_race_is_numpys(live)["rules"]
        assert sorted({*before, name} - ({*before} & {name})) == sorted(middle)
        row(live, name).locator("label.check").click()
        assert sorted(assert_race_is_numpys(live)["rules"]) == sorted(before)


def test_the_start_is_dragged_clicked_touched_and_moved_by_keys(page):
    live = element(opened_page := page("race.html", has_touch=True))
    handle, inside = live.get_by_role("slider", name="Start of the runs"), live.locator(".ground").first
    first, box = state_of(live), inside.bounding_box()

    def at(across, up):
        return box["x"] + across * box["width"], box["y"] + (1 - up) * box["height"]

    def start():
        state = assert_race_is_numpys(live)
        (left, right), (low, high) = SETTINGS["rosenbrock"].x, SETTINGS["rosenbrock"].y
        return [(state["x"] - left) / (right - left), (state["y"] - low) / (high - low)]

    handle.press("ArrowRight")
    assert state_of(live)["x"] > first["x"] and state_of(live)["y"] == pytest.approx(first["y"], abs=0.01)
    handle.press("Shift+ArrowDown")
    assert state_of(live)["y"] < first["y"] - 0.2
    opened_page.mouse.click(*at(0.7, 0.6))
    assert start() == pytest.approx([0.7, 0.6], abs=0.01)
    opened_page.mouse.down()
    opened_page.mouse.move(*at(0.2, 0.3), steps=5)
    assert start() == pytest.approx([0.2, 0.3], abs=0.01)
    opened_page.mouse.move(*at(3, 0.5))  # outside the frame the point stays on its edge
    assert start() == pytest.approx([1, 0.5], abs=0.01)
    opened_page.mouse.up()
    opened_page.mouse.move(*at(0.5, 0.5))
    assert start() == pytest.approx([1, 0.5], abs=0.01)
    opened_page.touchscreen.tap(*at(0.4, 0.8))
    assert start() == pytest.approx([0.4, 0.8], abs=0.01)
    assert "theta 1" in handle.get_attribute("aria-valuetext")
    assert float(handle.get_attribute("aria-valuenow")) == state_of(live)["x"]


def test_what_diverges_is_said_and_never_reaches_svg(page):
    live = element(page("race.html#race=gradient_descent:10,adam:30,steps:500"))
    assert_race_is_numpys(live)
    settled(live)
    assert numbers_of(live)["diverged"] == ["gradient_descent"]
    assert row(live, "gradient_descent").locator(".error").text_content() == "diverges"
    assert "Gradient descent diverges" in live.locator("[role=status]").text_content()
    drawn = live.evaluate("e => e.shadowRoot.innerHTML")
    assert "NaN" not in drawn and "Infinity" not in drawn
    numbers = live.evaluate(
        "e => [...e.shadowRoot.querySelectorAll('.lines path')].map(p => p.getAttribute('d')).join(' ')"
    )
    assert max(abs(float(n)) for n in numbers.replace("M", " ").replace("L", " ").split()) <= 1e4


def test_the_table_the_status_and_the_curves_say_the_numbers(page):
    live = element(page("race.html"))
    settled(live)
    last = numbers_of(live)["last"]
    cell = row(live, "adam").locator(".error").text_content()
    assert float(cell) == pytest.approx(last["adam"], rel=5e-3)
    best, sentence = min(last, key=last.get), live.locator("[role=status]").text_content()
    assert f"{CATALOGUE[best].name} is lowest after 200 steps" in sentence
    ends = live.evaluate(
        """e => [...e.shadowRoot.querySelectorAll("svg.plot")[1].querySelectorAll(".lines path")].map(p =>
            Number(p.getAttribute("d").split(" ").at(-1)))"""
    )
    lower = sorted(zip(ends, [last[name] for name in CATALOGUE if name in last], strict=True), reverse=True)
    assert [error for _, error in lower] == sorted(last.values())


def test_the_address_keeps_the_state_and_reset_forgets_it(page):
    opened_page = page("race.html")
    live = element(opened_page)
    first = state_of(live)
    live.locator("select").select_option("beale")
    live.locator("#adam").press("ArrowRight")
    live.locator("input[value=nadam]").check()
    settled(live)
    state, hash_ = state_of(live), opened_page.evaluate("location.hash")
    assert hash_.startswith("#race=") and "surface:beale" in hash_ and "nadam" in hash_ and "rmsprop:" not in hash_
    opened_page.reload()
    assert state_of(element(opened_page)) == state
    element(opened_page).get_by_role("button", name="Reset").click()
    settled(element(opened_page))
    assert state_of(element(opened_page)) == first and opened_page.evaluate("location.hash") == ""
    opened_page.evaluate("location.hash = '#race=steps:50'")
    settled(element(opened_page))
    assert state_of(element(opened_page)) == first | {"steps": 50}
    opened_page.evaluate("location.hash = '#what-follows'")
    settled(element(opened_page))
    assert state_of(element(opened_page))["steps"] == 50


@pytest.mark.parametrize(
    "broken",
    [
        "surface:moon",
        "adam:NaN",
        "adam:-1",
        "adam:1e9",
        "adam:",
        "rules:adam+sgd",
        "steps:1e6",
        "x:1e300",
        "%E0%A4%A:1",
        "kappa:3",
        "surface:%E0%A4%A",
        "toString:1",
        "beta2:0.12345",
        "beta:1",
    ],
)
def test_an_address_with_nonsense_is_ignored(page, broken):
    opened_page = page(f"race.html#race={broken}")
    assert state_of(element(opened_page)) == state_of(element(page("race.html")))
    assert_race_is_numpys(element(opened_page))


def test_copies_on_one_page_live_their_own_lives(page):
    opened_page = page("three.html")
    one, two, momentum_map = (element(opened_page, i) for i in range(3))
    first = state_of(one)
    two.locator("#adam").press("ArrowRight")
    momentum_map.locator("#u").press("ArrowRight")
    settled(two)
    assert state_of(one) == first and state_of(two)["adam"] > first["adam"] and state_of(momentum_map)["u"] == 0.51
    assert sorted(part.split("=")[0] for part in opened_page.evaluate("location.hash")[1:].split("&")) == [
        "momentum",
        "race-2",
    ]
    opened_page.reload()
    assert state_of(element(opened_page, 0)) == first and state_of(element(opened_page, 1))["adam"] > first["adam"]
    assert opened_page.evaluate("document.querySelectorAll('[id]').length") == 0


def test_a_figure_that_a_notebook_inserts_into_its_page_lives(page):
    opened_page = page("momentum.html")
    opened_page.evaluate(  # as JupyterLab does: markup first, then each script made anew
        """html => {
            const host = document.createElement("div");
            host.innerHTML = html;
            document.querySelector("main").append(host);
            for (const old of host.querySelectorAll("script")) {
                const script = document.createElement("script");
                for (const { name, value } of old.attributes) script.setAttribute(name, value);
                script.textContent = old.textContent;
                old.replaceWith(script);
            }
        }""",
        explorer.race("saddle")._repr_html_(),
    )
    assert assert_race_is_numpys(element(opened_page, 1))["surface"] == "saddle"


def test_nine_rules_of_200_steps_are_drawn_within_50_milliseconds(page):
    live = element(page("all.html#race=surface:rosenbrock,steps:200,rules:" + "+".join(list(CATALOGUE)[:9])))
    assert len(state_of(live)["rules"]) == 9 and state_of(live)["steps"] == 200
    times = live.evaluate(
        """async e => {
            const input = e.shadowRoot.querySelector("#beta1"), times = [];
            for (let i = 0; i < 30; i++) {
                await new Promise(done => setTimeout(done, 30));
                const begin = performance.now(), before = e.redraws;
                input.value = 0.5 + i / 100;
                input.dispatchEvent(new Event("input"));
                await new Promise(done => requestAnimationFrame(() => setTimeout(done)));  // after layout and paint
                if (e.redraws !== before + 1) throw Error("not one redraw");
                times.push([performance.now() - begin, e.milliseconds]);
            }
            return times;
        }"""
    )
    whole, drawing = np.median(times, axis=0)
    print(f"9 rules x 200 steps: {whole:.1f} ms from slider to picture, {drawing:.1f} ms of it to draw (medians of 30)")
    assert whole <= 50


def test_many_events_make_one_redraw_a_frame(page):
    live = element(page("race.html"))
    state_of(live)
    drawn = live.evaluate(
        """e => new Promise(done => {
            const before = e.redraws;
            for (let i = 0; i < 50; i++) e.set({ steps: 10 + 10 * (i % 5) });
            requestAnimationFrame(() => setTimeout(() => done(e.redraws - before)));
        })"""
    )
    assert drawn == 1


def momentum_in_numpy(state):
    rule = CATALOGUE[state["rule"]]
    run = minimize(rule, lambda theta: theta, [1.0], int(state["steps"]), eta=state["u"], beta=state["beta"])
    return np.linalg.eigvals(numeric_matrix(rule, state["u"], state["beta"])), run.theta[:, 0]


def numeric_matrix(rule, u, beta):
    """The iteration matrix by two steps of the rule itself from the unit vectors, with λ = 1."""
    columns = []
    for theta, memory in ((1.0, 0.0), (0.0, 1.0)):
        state, hyper = {rule.state[0]: memory}, {"eta": u, "beta": beta}
        step, after = rule(theta, rule.point(theta, state, 1, **hyper), state, 1, **hyper)
        columns.append([theta + step, after[rule.state[0]]])
    return np.transpose(columns)


def assert_map_is_numpys(live):
    state, numbers = state_of(live), numbers_of(live)
    roots, theta = momentum_in_numpy(state)
    found = np.array([complex(*root) for root in numbers["eigenvalues"]])
    np.testing.assert_allclose(np.sort_complex(found), np.sort_complex(roots), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(numbers["theta"], theta, rtol=1e-9, atol=1e-12)
    assert numbers["radius"] == pytest.approx(np.abs(roots).max(), rel=1e-6)
    return state, numbers


@pytest.mark.parametrize("rule", ["momentum", "nesterov"])
def test_the_map_names_the_regime_on_either_side_of_each_border(page, rule):
    live = element(page("momentum.html"))
    live.locator("select").select_option(rule)
    for decay in (0.04, 0.3, 0.7):
        low, high, limit = (float(border.subs(BETA, decay)) for border in borders(CATALOGUE[rule]))
        sides = {
            low - 1e-3: "creeps",
            low + 1e-3: "swings",
            high - 1e-3: "swings",
            high + 1e-3: "jumps",
            limit - 1e-3: "jumps",
        }
        for u, regime in (sides | {limit + 1e-3: "diverges", limit: "border"}).items():
            live.evaluate("(e, point) => e.set(point)", {"u": u, "beta": decay})
            assert assert_map_is_numpys(live)[1]["regime"] == regime, (decay, u)
            settled(live)
            assert f": {regime}." in live.locator("[role=status]").text_content()
    live.evaluate("e => e.set({ rule: 'momentum', u: 0.25, beta: 0.25 })")
    assert assert_map_is_numpys(live)[1]["regime"] == "critical"


@pytest.mark.parametrize("key", ["u", "beta", "steps"])
def test_each_slider_of_the_map_is_moved_by_key_and_by_pointer(page, key):
    live = element(page("momentum.html"))
    slider, before = live.locator(f"#{key}"), state_of(live)
    slider.press("ArrowRight")
    by_key, _ = assert_map_is_numpys(live)
    assert by_key[key] > before[key] and by_key | {key: before[key]} == before
    box, part = slider.bounding_box(), slider.evaluate("s => (s.value - s.min) / (s.max - s.min) < 0.5 ? 0.8 : 0.2")
    slider.click(position={"x": box["width"] * part, "y": box["height"] / 2})
    by_pointer, _ = assert_map_is_numpys(live)
    assert by_pointer[key] not in (by_key[key], before[key])


def test_the_point_of_the_map_is_dragged_and_moved_by_keys(page):
    opened_page = page("momentum.html")
    live = element(opened_page)
    handle, box = live.get_by_role("slider", name="Rate and decay"), live.locator(".ground").first.bounding_box()
    handle.press("ArrowRight")
    handle.press("ArrowDown")
    state, _ = assert_map_is_numpys(live)
    assert (state["u"], state["beta"]) == (0.58, 0.78)
    opened_page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    opened_page.mouse.down()
    assert assert_map_is_numpys(live)[0]["u"] == pytest.approx(1, abs=0.03)
    opened_page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    opened_page.mouse.up()
    state, numbers = assert_map_is_numpys(live)
    assert state["u"] == pytest.approx(3.6, abs=0.03) and numbers["regime"] == "diverges"
    settled(live)
    opened_page.reload()
    assert state_of(element(opened_page)) == state
    element(opened_page).get_by_role("button", name="Reset").click()
    assert state_of(element(opened_page)) == {"rule": "momentum", "u": 0.5, "beta": 0.8, "steps": 40}


@pytest.mark.parametrize("name", ["race", "momentum"])
def test_without_javascript_and_in_print_there_is_the_static_picture(page, name):
    still = page(f"{name}.html", java_script_enabled=False)
    pictures = still.locator("descent-explorer svg[role=img]")
    assert pictures.count() == 2 and all(pictures.nth(i).is_visible() for i in range(2))
    assert all(len(pictures.nth(i).get_attribute("aria-label")) > 30 for i in range(2))
    moving = page(f"{name}.html")
    live, static = moving.locator("descent-explorer .live"), moving.locator("descent-explorer > div svg").first
    assert live.is_visible() and not static.is_visible()
    moving.emulate_media(media="print")
    assert static.is_visible() and not live.is_visible()


@pytest.mark.parametrize("name", ["all", "momentum"])
def test_on_a_phone_nothing_overflows_and_targets_can_be_hit(page, name):
    phone = page(f"{name}.html", width=390, height=844, has_touch=True, is_mobile=True)
    settled(element(phone))
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert phone.locator("svg.plot").first.bounding_box()["width"] > 330
    small = phone.evaluate(
        """() => [...document.querySelector("descent-explorer").shadowRoot.querySelectorAll("*")].filter(node => {
            const box = node.getBoundingClientRect();
            const target = node.matches("input[type=range], select, button, label.check, .halo");
            const words = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
            const tiny = words && !node.matches("style") && parseFloat(getComputedStyle(node).fontSize) < 12;
            return box.width && ((target && Math.min(box.width, box.height) < 24) || tiny);
        }).map(node => node.outerHTML.slice(0, 80))"""
    )
    assert small == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["all", "momentum"])
@pytest.mark.parametrize("width", [1000, 390])
def test_axe_finds_nothing_serious(page, name, theme, width):
    opened_page = page(f"{name}.html", width=width)
    opened_page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    settled(element(opened_page))
    found = Axe().run(opened_page).response
    assert any(rule["id"] == "color-contrast" for rule in found["passes"])
    assert [f"{fault['id']}: {fault['nodes'][0]['html'][:120]}" for fault in found["violations"]] == []
