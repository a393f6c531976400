// What the page's Rust asks of the browser. None of these throws: an exception would stop the wasm.

/** An id that sorts by time (UUID version 7), as 32 hexadecimal digits. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let now = Date.now();
  for (let at = 5; at >= 0; at--) {
    bytes[at] = now % 256;
    now = Math.floor(now / 256);
  }
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function stored(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

export function store(key: string, value: string | undefined): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Full or forbidden: the page works without.
  }
}

/** Applies a theme: "light", "dark", or "" for the system's. */
export function setTheme(choice: string): void {
  if (choice) document.documentElement.dataset.theme = choice;
  else delete document.documentElement.dataset.theme;
  dispatchEvent(new Event("duplex-theme"));
}

/** The colours of a mark on the tab's picture. */
const MARKS: Record<string, string> = { works: "#4c9bf0", asks: "#e0a030", failed: "#e5534b" };

/** Names the tab, and marks its picture with a dot: "works", "asks", "failed", or none. */
export function setTab(title: string, mark: string): void {
  document.title = title;
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]");
  if (!icon || icon.dataset.mark === mark) return;
  icon.dataset.plain ??= icon.href;
  icon.dataset.mark = mark;
  const colour = MARKS[mark];
  const dot = colour ? `<circle cx='12' cy='12' r='4' fill='${colour}'/></svg>` : "</svg>";
  icon.href = icon.dataset.plain.replace(encodeURIComponent("</svg>").replace("%2F", "/"), encodeURIComponent(dot));
}

/** Calls back at the next frame, or soon where no frames are painted (a hidden tab). */
export function nextFrame(then: () => void): void {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    then();
  };
  const timer = setTimeout(once, 250);
  requestAnimationFrame(once);
}

export function after(milliseconds: number, then: () => void): void {
  setTimeout(then, milliseconds);
}

/** Reports what may end a wait for the network: "online", "offline", "visible". */
export function watchPage(report: (what: string) => void): void {
  addEventListener("online", () => report("online"));
  addEventListener("offline", () => report("offline"));
  addEventListener("focus", () => report("focus"));
  document.addEventListener("visibilitychange", () => {
    report(document.visibilityState === "visible" ? "visible" : "hidden");
  });
}

/** Answers [status, body]; status 0 means that nothing was reached. */
export async function request(method: string, path: string, body: string | undefined): Promise<[number, string]> {
  try {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await fetch(path, {
      method,
      headers,
      body: body ?? null,
      credentials: "same-origin",
      signal: AbortSignal.timeout(30_000),
    });
    return [response.status, await response.text()];
  } catch {
    return [0, ""];
  }
}

/** A WebSocket whose events all go to one function: (generation, kind, text or bytes or code). */
export class Socket {
  private readonly socket: WebSocket;

  constructor(generation: number, path: string, report: (generation: number, kind: string, data: unknown) => void) {
    const address = new URL(path, location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => report(generation, "open", undefined);
    this.socket.onclose = (event) => report(generation, "close", event.code);
    this.socket.onmessage = ({ data }) => {
      if (typeof data === "string") report(generation, "text", data);
      else report(generation, "bytes", new Uint8Array(data));
    };
  }

  send(text: string): boolean {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(text);
    return true;
  }

  close(): void {
    this.socket.onmessage = null;
    this.socket.onclose = null;
    this.socket.onopen = null;
    this.socket.close(1000);
  }
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Pages without TLS have no clipboard interface. */
function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  return copied;
}

export function focusOn(selector: string): void {
  const element = document.querySelector<HTMLElement>(selector);
  element?.focus();
  if (element instanceof HTMLInputElement) element.select();
}

/** Shows a menu over the page, where there is room for it beside the button before it, with the focus on its first line. */
export function openMenu(layer: HTMLElement): void {
  const button = layer.previousElementSibling?.getBoundingClientRect();
  const menu = layer.firstElementChild as HTMLElement | null;
  if (!button || !menu) return;
  layer.showPopover();
  const [gap, edge] = [4, 8];
  const right = Math.max(edge, innerWidth - button.right);
  const below = innerHeight - button.bottom - gap - edge;
  menu.style.right = `${Math.min(right, innerWidth - menu.offsetWidth - edge)}px`;
  menu.style.top = `${menu.offsetHeight <= below ? button.bottom + gap : Math.max(edge, innerHeight - menu.offsetHeight - edge)}px`;
  menu.querySelector<HTMLElement>("[role=menuitem]")?.focus();
}

/** The place of what has the focus in its list; nothing outside of one. */
export function focusedPlace(): number | undefined {
  const place = (document.activeElement as HTMLElement | null)?.dataset["place"];
  return place === undefined ? undefined : Number(place);
}

/** Makes a text area as high as its text, up to the limit its style sets. */
export function growToFit(area: HTMLElement): void {
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}

export function areaText(selector: string): string {
  return document.querySelector<HTMLTextAreaElement>(selector)?.value ?? "";
}

export function setAreaText(selector: string, text: string): void {
  const area = document.querySelector<HTMLTextAreaElement>(selector);
  if (!area) return;
  area.value = text;
  growToFit(area);
}

/** Opens a dialog element over the page, which makes the rest inert. */
export function showDialog(dialog: HTMLElement): void {
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

export function showCrash(): void {
  document.getElementById("crash")?.removeAttribute("hidden");
  document.getElementById("crash-reload")?.addEventListener("click", () => location.reload());
}

export function hideSkeleton(): void {
  document.getElementById("skeleton")?.remove();
}

/** Milliseconds since 1970 UTC, by this machine's clock. */
export function now(): number {
  return Date.now();
}
