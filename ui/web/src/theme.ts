// Sets what must stand before anything is painted; loaded on its own, since the page's policy allows no inline script.
try {
  const chosen = localStorage.getItem("duplex.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  // `?renderer=dom` keeps the terminal's text in the document, for this tab; the router drops the query.
  const asked = new URLSearchParams(location.search).get("renderer");
  if (asked) sessionStorage.setItem("duplex.renderer", asked);
  const renderer = sessionStorage.getItem("duplex.renderer");
  if (renderer) document.documentElement.dataset.renderer = renderer;
} catch {
  // Storage may be forbidden; the system's theme it is.
}
export {};
