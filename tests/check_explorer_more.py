"""Bias correction and covariance functions in headless Chromium: each control is moved, the page says NumPy's numbers.

Needs Chromium, so plain pytest does not collect it; `make pages` runs it.
"""

import json

import live_pages
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from dlnotes import adam, explorer
from dlnotes.live_moments import DECAYS, STEPS, stages_over_time
from dlnotes.live_processes import JITTER, TIMES, default_families, paths
from dlnotes.processes import condition, log_marginal_likelihood
from dlnotes.variants import adam_uncorrected
from live_pages import element, numbers_of, settled, site, state_of

page = live_pages.page

FAMILIES = default_families()
NAMES = ["moments", "process"]
AT = """(e, [index, x, y]) => {
    const plot = e.plots[index], box = plot.inside.getBoundingClientRect();
    return [box.left + plot.x(x), box.top + plot.y(y)];
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    moments, process = explorer.bias_correction(), explorer.covariance_function()
    with site(folder, moments=[moments], process=[process], four=[moments, process, process, moments]) as (
        address,
        browser,
    ):
        yield address, browser


def data_of(live):
    return json.loads(live.locator('script[type="application/json"]').text_content())


def say(live):
    settled(live)
    return live.locator("p[role=status]").text_content()


def close(found, expected, tolerance):
    """Compare arrays up to a tolerance in units of the largest number."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * (1 + np.abs(expected).max()))


# --- bias correction ------------------------------------------------------------------------------------------------
def assert_moments_are_numpys(live):
    state, found = state_of(live), numbers_of(live)
    g = state["mean"] + state["noise"] * np.array(data_of(live)["draws"][: state["steps"]])
    hyper = {"eta": 1.0, "beta1": state["beta1"], "beta2": state["beta2"]}
    fair, biased = (stages_over_time(rule, g, **hyper) for rule in (adam, adam_uncorrected))
    expected = {"m": biased["m"], "n": biased["n"], "m_hat": fair["m_hat"], "n_hat": fair["n_hat"]}
    expected |= {"corrected": np.abs(fair["dtheta"]), "uncorrected": np.abs(biased["dtheta"])}
    assert set(found) == set(expected)
    for name, series in expected.items():
        close(found[name], series, 1e-11)
    return state, expected


def cells(live, row):
    return [
        float(text) for text in live.get_by_role("row").nth(row).get_by_role("cell").all_text_contents() if text != "–"
    ]


@pytest.mark.parametrize("key", ["beta1", "beta2", "mean", "noise", "steps"])
def test_each_slider_of_the_moments_is_moved_by_key_and_by_pointer(page, key):
    live = element(page("moments.html"))
    slider, (before, _) = live.locator(f"#{key}"), assert_moments_are_numpys(live)
    slider.press("ArrowLeft")
    by_key, _ = assert_moments_are_numpys(live)
    assert by_key[key] < before[key] and by_key | {key: before[key]} == before
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] * 0.1, "y": box["height"] / 2})
    by_pointer, _ = assert_moments_are_numpys(live)
    assert by_pointer[key] < by_key[key]
    assert slider.get_attribute("aria-valuetext") == live.locator(f"output[for={key}]").text_content()


def test_every_decay_and_number_of_steps_is_numpys(page):
    live = element(page("moments.html"))
    for beta1, beta2 in zip(DECAYS, DECAYS[::-1], strict=True):
        live.evaluate("(e, state) => e.set(state)", {"beta1": beta1, "beta2": beta2, "steps": 50})
        assert_moments_are_numpys(live)
    for steps in STEPS:
        live.evaluate("(e, state) => e.set(state)", {"steps": steps})
        assert assert_moments_are_numpys(live)[0]["steps"] == steps


def test_the_step_that_is_read_is_moved_by_keys_and_dragged(page):
    opened_page = page("moments.html")
    live = element(opened_page)
    handle = live.get_by_role("slider", name="Step whose numbers are read")
    for key, t in (("ArrowRight", 11), ("ArrowLeft", 10), ("Home", 1), ("ArrowLeft", 1), ("ArrowUp", 2), ("End", 1000)):
        handle.press(key)
        assert read_at(live, t)
    handle.press("PageDown")
    assert state_of(live)["t"] < 1000
    opened_page.mouse.move(*live.evaluate(AT, [2, 40, 2]))
    opened_page.mouse.down()
    assert read_at(live, 40)
    opened_page.mouse.move(*live.evaluate(AT, [2, 5, 2]), steps=4)
    opened_page.mouse.up()
    assert read_at(live, 5)
    assert handle.get_attribute("aria-valuetext") == "step 5"


def read_at(live, t):
    """Whether the table and the sentence hold the numbers of step t."""
    state, series = assert_moments_are_numpys(live)
    square = state["mean"] ** 2 + state["noise"] ** 2
    m, m_hat, n, n_hat, without, length = (
        series[name][t - 1] for name in ("m", "m_hat", "n", "n_hat", "uncorrected", "corrected")
    )
    rows = [[m, m_hat, m / m_hat, state["mean"]], [n, n_hat, n / n_hat, square], [without, length, without / length]]
    for i, row in enumerate(rows, 1):
        np.testing.assert_allclose(cells(live, i), row, rtol=6e-3)
    assert live.get_by_role("columnheader").first.text_content() == f"at t = {t}"
    assert m / m_hat == pytest.approx(1 - state["beta1"] ** t) and n / n_hat == pytest.approx(1 - state["beta2"] ** t)
    sentence = say(live)
    ratio = float(sentence.split("correction is ")[1].split()[0])
    return sentence.startswith(f"At step {t} ") and ratio == pytest.approx(without / length, rel=6e-3)


def test_time_is_logarithmic_or_linear(page):
    live = element(page("moments.html"))
    box = live.get_by_role("checkbox", name="logarithmic time")
    middle = "e => e.plots[2].x(500) / e.plots[2].inner.width"
    assert live.evaluate(middle) == pytest.approx(np.log(500) / np.log(1000))
    box.press("Space")
    state_of(live)
    assert live.evaluate(middle) == pytest.approx(0.5)
    box.click()
    state_of(live)
    assert live.evaluate(middle) > 0.8


def test_without_gradients_there_is_no_step(page):
    live = element(page("moments.html#moments=mean:0,noise:0"))
    assert max(assert_moments_are_numpys(live)[1]["uncorrected"]) == 0
    assert "there is no step" in say(live) and "NaN" not in live.evaluate("e => e.shadowRoot.innerHTML")


# --- covariance functions -------------------------------------------------------------------------------------------
def law_of(state):
    family = FAMILIES[state["function"]]
    function = family[min(state["member"], len(family) - 1)]
    return function.at([state[str(symbol)] for symbol in function.values])


def points_of(state):
    return np.reshape([list(map(float, text.split("_"))) for text in state["observations"]], (-1, 2))


def assert_process_is_numpys(live):
    """Kernel values, paths, conditional mean, variance and paths, and the log likelihood."""
    state, found = state_of(live), numbers_of(live)
    law, points, draws = law_of(state), points_of(state), np.array(data_of(live)["draws"])
    matrix = law(TIMES)
    close(found["covariances"], matrix[TIMES.tolist().index(state["other"])], 1e-13)
    close(found["paths"], paths(law, draws), 1e-6)
    mean, covariance, likelihood = np.zeros(TIMES.size), matrix, 0.0
    if len(points):
        mean, covariance = condition(law, *points.T, TIMES, noise=state["noise"])
        likelihood, _ = log_marginal_likelihood(law, *points.T, noise=state["noise"])
    close(found["mean"], mean, 1e-9)
    close(found["variances"], covariance.diagonal(), 1e-9)
    assert found["logLikelihood"] == pytest.approx(likelihood, rel=1e-9, abs=1e-9)
    ridge = JITTER * matrix.diagonal().max()
    values, vectors = np.linalg.eigh(covariance)
    root = np.linalg.qr(
        (vectors * np.sqrt(np.maximum(values, 0) + ridge)).T, mode="r"
    )  # a Cholesky factor that rounding
    root *= np.sign(root.diagonal())[:, np.newaxis]  # cannot break
    close(found["after"], mean + draws @ root, 1e-5)
    return state, found


@pytest.mark.parametrize("label", FAMILIES)
def test_every_function_is_numpys_with_its_parameters_moved_by_key_and_pointer(page, label):
    live = element(page("process.html"))
    live.locator("select").select_option(label)
    before, _ = assert_process_is_numpys(live)
    names = [str(symbol) for symbol in law_of(before).values]
    shown = live.locator("input[type=range]:visible").evaluate_all("nodes => nodes.map(n => n.id)")
    assert sorted(shown) == sorted([*names, "noise", *(["member"] if len(FAMILIES[label]) > 1 else [])])
    for key in shown:
        slider, last = live.locator(f"#{key}"), state_of(live)
        slider.press("ArrowRight")
        by_key, _ = assert_process_is_numpys(live)
        assert by_key[key] > last[key] and by_key | {key: last[key]} == last
        box = slider.bounding_box()
        slider.click(position={"x": box["width"] * 0.75, "y": box["height"] / 2})
        by_pointer, _ = assert_process_is_numpys(live)
        assert by_pointer[key] > by_key[key]
        assert slider.get_attribute("aria-valuetext") == live.locator(f"output[for={key}]").text_content()
        slider.press("Home")
        assert_process_is_numpys(live)


def test_the_smoothness_is_told_and_kept_apart_from_other_functions(page):
    live = element(page("process.html#process=function:Mat%C3%A9rn,member:3"))
    assert live.locator("output[for=member]").text_content() == "7/2"
    assert say(live).startswith("Matérn 7/2, 4 observations: log marginal likelihood")
    live.locator("select").select_option("white noise")
    state, _ = assert_process_is_numpys(live)
    assert (
        state["member"] == 0 and not live.locator("#member").is_visible() and not live.locator("#length").is_visible()
    )
    assert say(live).startswith("White noise, 4 observations")


def test_parameters_stay_when_another_function_is_chosen(page):
    live = element(page("process.html"))
    live.locator("#length").press("ArrowLeft")
    length = state_of(live)["length"]
    live.locator("select").select_option("Ornstein–Uhlenbeck")
    assert assert_process_is_numpys(live)[0]["length"] == length < 1


def test_observations_are_dragged_moved_by_keys_added_and_removed(page):
    opened_page = page("process.html", has_touch=True, height=1400)
    live = element(opened_page)
    handle = live.get_by_role("slider", name="Observation 1")
    first = points_of(state_of(live))
    handle.press("ArrowRight")
    handle.press("ArrowUp")
    moved = points_of(assert_process_is_numpys(live)[0])
    assert moved[0, 0] > first[0, 0] and moved[0, 1] > first[0, 1] and (moved[1:] == first[1:]).all()
    opened_page.mouse.move(*live.evaluate(AT, [2, *moved[1]]))
    opened_page.mouse.down()
    opened_page.mouse.move(*live.evaluate(AT, [2, 3.5, 2.0]), steps=5)
    opened_page.mouse.up()
    dragged = points_of(assert_process_is_numpys(live)[0])
    np.testing.assert_allclose(dragged[1], [3.5, 2.0], atol=0.03)
    opened_page.mouse.click(*live.evaluate(AT, [2, 5.5, 1.0]))
    pressed = points_of(assert_process_is_numpys(live)[0])
    assert len(pressed) == 5 and np.abs(pressed[4] - [5.5, 1.0]).max() < 0.03
    opened_page.touchscreen.tap(*live.evaluate(AT, [2, 0.3, -2.0]))
    assert len(points_of(assert_process_is_numpys(live)[0])) == 6
    live.get_by_role("slider", name="Observation 2").press("Delete")
    removed = points_of(assert_process_is_numpys(live)[0])
    assert len(removed) == 5 and (removed[:4] == pressed[[0, 2, 3, 4]]).all()
    assert "time" in handle.get_attribute("aria-valuetext") and "value" in handle.get_attribute("aria-valuetext")


def test_buttons_add_in_the_widest_gap_and_remove_down_to_none(page):
    live = element(page("process.html"))
    more, fewer = (live.get_by_role("button", name=name) for name in ("Add an observation", "Remove one"))
    expected = numbers_of(live)["mean"]
    more.press("Enter")
    point = points_of(assert_process_is_numpys(live)[0])[4]
    assert point[0] == pytest.approx(3.7) and point[1] == pytest.approx(expected[74], abs=0.006)
    for _ in range(7):
        more.click()
        state_of(live)
    assert len(points_of(assert_process_is_numpys(live)[0])) == 12 and more.is_disabled()
    for _ in range(12):
        fewer.click()
        state_of(live)
    state, found = assert_process_is_numpys(live)
    assert state["observations"] == [] and fewer.is_disabled() and found["logLikelihood"] == 0
    assert live.locator(".handle").count() == 1  # the time of the curve
    more.click()
    assert len(points_of(assert_process_is_numpys(live)[0])) == 1


def test_the_time_of_the_curve_is_moved_by_keys_and_dragged(page):
    opened_page = page("process.html#process=function:Brownian%20motion")
    live = element(opened_page)
    handle = live.get_by_role("slider", name="The time t")
    handle.press("ArrowLeft")
    assert assert_process_is_numpys(live)[0]["other"] < 3
    opened_page.mouse.move(*live.evaluate(AT, [0, 2, 1]))
    opened_page.mouse.down()
    opened_page.mouse.move(*live.evaluate(AT, [0, 5, 1]), steps=3)
    opened_page.mouse.up()
    state, found = assert_process_is_numpys(live)
    assert state["other"] == 5 and found["variance"] == 5 and handle.get_attribute("aria-valuetext") == "time 5"


def test_what_is_no_covariance_function_is_said(page):
    live = element(page("process.html"))
    live.evaluate("e => e.set({ variance: -1 })")  # no slider allows it; a formula of the reader might
    assert "is no covariance function" in say(live)
    assert "NaN" not in live.evaluate("e => e.shadowRoot.innerHTML")


# --- both -----------------------------------------------------------------------------------------------------------
CHANGES = {
    "moments": {"beta1": 0.5, "mean": -0.3, "axis": [], "t": 20},
    "process": {"function": "periodic", "length": 2.0, "observations": ["1_0.5", "2.05_-1.25"], "other": 1.5},
}
CHECKS = {"moments": assert_moments_are_numpys, "process": assert_process_is_numpys}


@pytest.mark.parametrize("name", NAMES)
def test_the_address_keeps_the_state_and_reset_forgets_it(page, name):
    opened_page = page(f"{name}.html")
    first = state_of(element(opened_page))
    element(opened_page).evaluate("(e, state) => e.set(state)", CHANGES[name])
    settled(element(opened_page))
    state, hash_ = state_of(element(opened_page)), opened_page.evaluate("location.hash")
    assert state == first | CHANGES[name] and hash_.startswith(f"#{name}=") and "noise" not in hash_
    opened_page.reload()
    assert CHECKS[name](element(opened_page))[0] == state
    element(opened_page).get_by_role("button", name="Reset").click()
    settled(element(opened_page))
    assert CHECKS[name](element(opened_page))[0] == first and opened_page.evaluate("location.hash") == ""


@pytest.mark.parametrize(
    "broken",
    [
        *(
            "moments=beta1:0.91",
            "moments=t:1.5",
            "moments=steps:30",
            "moments=mean:3",
            "moments=axis:log+x",
            "moments=t:",
        ),
        *("process=function:moon", "process=length:0", "process=length:1e9", "process=other:1.01", "process=noise:-1"),
        *("process=observations:1", "process=observations:1.01_0", "process=observations:1_0_0", "process=member:9"),
        *("process=observations:1_x", "process=observations:1_1e9", "process=observations:" + "1_0+" * 13),
    ],
)
def test_an_address_with_nonsense_is_ignored(page, broken):
    name = broken.split("=")[0]
    live = element(page(f"{name}.html#{broken}"))
    assert CHECKS[name](live)[0] == state_of(element(page(f"{name}.html")))


def test_copies_on_one_page_live_their_own_lives(page):
    opened_page = page("four.html")
    first = [state_of(element(opened_page, i)) for i in range(4)]
    element(opened_page, 2).locator("#length").press("ArrowLeft")
    element(opened_page, 3).locator("#beta1").press("ArrowLeft")
    settled(element(opened_page, 3))
    assert [state_of(element(opened_page, i)) for i in range(2)] == first[:2]
    assert state_of(element(opened_page, 2))["length"] < 1 and state_of(element(opened_page, 3))["beta1"] == 0.8
    keys = sorted(part.split("=")[0] for part in opened_page.evaluate("location.hash")[1:].split("&"))
    assert keys == ["moments-2", "process-2"]
    opened_page.reload()
    assert assert_process_is_numpys(element(opened_page, 2))[0]["length"] < 1
    assert_moments_are_numpys(element(opened_page, 0))
    assert opened_page.evaluate("document.querySelectorAll('[id]').length") == 0


@pytest.mark.parametrize(
    ("name", "key", "start"),
    [("moments", "beta1", ""), ("moments", "beta1", "#moments=steps:2000"), ("process", "variance", "")],
)
def test_a_slider_is_followed_within_50_milliseconds(page, name, key, start):
    live = element(page(f"{name}.html{start}"))
    times = live.evaluate(
        """async (e, key) => {
            const input = e.shadowRoot.querySelector(`#${key}`), times = [];
            const choices = Number(input.max) - Number(input.min);
            for (let i = 0; i < 30; i++) {
                await new Promise(done => setTimeout(done, 30));
                const begin = performance.now(), before = e.redraws;
                input.value = Number(input.min) + choices * (i % 2 ? 0.25 : 0.75);
                input.dispatchEvent(new Event("input"));
                await new Promise(done => requestAnimationFrame(() => setTimeout(done)));  // after layout and paint
                if (e.redraws !== before + 1) throw Error("not one redraw");
                times.push([performance.now() - begin, e.milliseconds]);
            }
            return times;
        }""",
        key,
    )
    whole, drawing = np.median(times, axis=0)
    print(
        f"{name}{start}: {whole:.1f} ms from slider to picture, {drawing:.1f} ms of it for the drawing (medians of 30)"
    )
    assert whole <= 50


@pytest.mark.parametrize("name", NAMES)
def test_without_javascript_and_in_print_there_is_the_static_picture(page, name):
    still = page(f"{name}.html", java_script_enabled=False)
    pictures = still.locator("descent-explorer svg[role=img]")
    assert pictures.count() == 3 and all(pictures.nth(i).is_visible() for i in range(3))
    assert all(len(pictures.nth(i).get_attribute("aria-label")) > 30 for i in range(3))
    moving = page(f"{name}.html")
    live, static = moving.locator("descent-explorer .live"), moving.locator("descent-explorer > div svg").first
    assert live.is_visible() and not static.is_visible()
    moving.emulate_media(media="print")
    assert static.is_visible() and not live.is_visible()


def test_the_static_picture_shows_what_the_live_one_shows_at_first(page):
    """The mean of the process ends where the live line ends, in parts of the frame."""
    live = element(page("process.html"))
    mean = numbers_of(live)["mean"][-1]
    y = live.evaluate("e => e.plots[2].y(e.numbers.mean.at(-1)) / e.plots[2].inner.height")
    path = live.evaluate(
        """e => [...e.querySelectorAll("svg[role=img]")][2].querySelectorAll(":scope svg path")[1].getAttribute("d")"""
    )
    assert float(path.split()[-1]) / (240 - 26 - 38) == pytest.approx(y, abs=0.002) and abs(mean) > 0.1


@pytest.mark.parametrize("name", NAMES)
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
            return box.width && ((target && Math.min(box.width, box.height) < 24) || (words && box.right > 390)
                || (words && !node.matches("style") && parseFloat(getComputedStyle(node).fontSize) < 12));
        }).map(node => node.outerHTML.slice(0, 80))"""
    )
    assert small == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [1000, 390])
def test_axe_finds_nothing_serious(page, name, theme, width):
    opened_page = page(f"{name}.html", width=width)
    opened_page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    settled(element(opened_page))
    found = Axe().run(opened_page).response
    assert any(rule["id"] == "color-contrast" for rule in found["passes"])
    assert [f"{fault['id']}: {fault['nodes'][0]['html'][:120]}" for fault in found["violations"]] == []
