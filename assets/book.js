// Repairs that need the finished page.
document.addEventListener("DOMContentLoaded", () => {
  // These carry visible text that their aria-label contradicts, so speech control cannot find them (axe: serious).
  for (const element of document.querySelectorAll(".search-button-field, details.hide > summary"))
    element.removeAttribute("aria-label");
});
