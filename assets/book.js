// Repairs that need the finished page.
document.addEventListener("DOMContentLoaded", () => {
  // These carry visible text that their aria-label contradicts, so speech control cannot find them (axe: serious).
  for (const element of document.querySelectorAll(".search-button-field, details.hide > summary"))
    element.removeAttribute("aria-label");
  // A box that scrolls must be reachable by keyboard, also one that opens or narrows later (axe: serious).
  const sizes = new ResizeObserver(entries => {
    for (const { target } of entries)
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
  });
  for (const box of document.querySelectorAll("article :is(pre, div.math)")) sizes.observe(box);
});
