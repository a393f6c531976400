// Small dialogs of the terminal: links and large pastes are asked about first.

interface Choice {
  label: string;
  act: () => void;
}

/** Asks over the page: a title, a sentence, a text shown as it is, and what can be done. Esc does nothing of it. */
export function ask(title: string, sentence: string, text: string, choices: Choice[], then: () => void): void {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog small terminal-ask";
  dialog.setAttribute("aria-label", title);
  const heading = document.createElement("h2");
  heading.textContent = title;
  const said = document.createElement("p");
  said.className = "muted";
  said.textContent = sentence;
  const shown = document.createElement("pre");
  shown.textContent = text;
  const actions = document.createElement("div");
  actions.className = "actions";
  const close = () => dialog.close();
  const buttons = [{ label: "Cancel", act: () => undefined }, ...choices].map(({ label, act }, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = place === choices.length ? "button primary" : "button";
    button.textContent = label;
    button.addEventListener("click", () => {
      close();
      act();
    });
    return button;
  });
  actions.append(...buttons);
  dialog.append(heading, said, shown, actions);
  dialog.addEventListener("close", () => {
    dialog.remove();
    then();
  });
  document.body.append(dialog);
  dialog.showModal();
  buttons.at(-1)?.focus();
}

/** Opens a link, once the person has seen where it really leads. */
export function askToOpen(address: string, then: () => void): void {
  if (!/^https?:\/\//i.test(address)) return;
  const open = { label: "Open", act: () => void window.open(address, "_blank", "noopener,noreferrer") };
  const copy = { label: "Copy", act: () => void navigator.clipboard?.writeText(address).catch(() => undefined) };
  ask("Open this link?", "It comes from the terminal's output and leads to:", address, [copy, open], then);
}
