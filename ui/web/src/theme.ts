// Sets the theme before anything is painted; loaded on its own, since the page's policy allows no inline script.
try {
  const chosen = localStorage.getItem("duplex.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; the system's theme it is.
}
export {};
