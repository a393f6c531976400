// The scroller of a long list: follows the end, reports what is in view and how high rows are.

/** How near the end counts as at the end, in pixels. */
const NEAR = 48;
/** How much room a row that was looked for has above it, in pixels. */
const ABOVE = 28;

export class List {
  private pinned = true;
  private lastTop = 0;
  private asked = false;
  private gone = false;
  private readonly content: ResizeObserver;
  private readonly rows: ResizeObserver;
  private readonly onScroll = () => this.scrolled();

  constructor(
    private readonly scroller: HTMLElement,
    content: HTMLElement,
    private readonly onView: (top: number, height: number, pinned: boolean) => void,
    private readonly onHeights: (rows: string[], heights: number[]) => void,
  ) {
    this.rows = new ResizeObserver((entries) => this.measured(entries));
    this.content = new ResizeObserver(() => this.resized());
    this.content.observe(content);
    this.content.observe(scroller);
    scroller.addEventListener("scroll", this.onScroll, { passive: true });
    this.report();
  }

  /** Measures a row until it leaves the document. */
  observe(row: HTMLElement): void {
    this.rows.observe(row);
  }

  toEnd(): void {
    this.pinned = true;
    this.resized();
  }

  /** Brings a row to the top. Heights above it may be guesses, so it is looked for once it exists. */
  toRow(row: string, top: number): void {
    this.pinned = false;
    this.scroller.scrollTop = top;
    this.lastTop = this.scroller.scrollTop;
    let frames = 12;
    const settle = () => {
      const found = this.scroller.querySelector<HTMLElement>(`[data-row="${CSS.escape(row)}"]`);
      const off = found ? found.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - ABOVE : 0;
      if (Math.abs(off) > 1) this.scroller.scrollTop += off;
      if (--frames > 0 && !this.gone) requestAnimationFrame(settle);
      else this.report();
    };
    requestAnimationFrame(settle);
  }

  dispose(): void {
    this.gone = true;
    this.content.disconnect();
    this.rows.disconnect();
    this.scroller.removeEventListener("scroll", this.onScroll);
  }

  private scrolled(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const left = scrollHeight - scrollTop - clientHeight;
    // Only going up lets go of the end: growth below must not.
    if (left <= NEAR) this.pinned = true;
    else if (scrollTop < this.lastTop) this.pinned = false;
    // At the very top, browsers do not keep the view in place when rows come in above.
    if (scrollTop < 1 && scrollHeight > clientHeight + 2 && !this.pinned) this.scroller.scrollTop = 1;
    this.lastTop = this.scroller.scrollTop;
    this.report();
  }

  private resized(): void {
    if (this.pinned) {
      this.scroller.scrollTop = this.scroller.scrollHeight;
      this.lastTop = this.scroller.scrollTop;
    }
    this.report();
  }

  private report(): void {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      if (this.gone) return;
      this.onView(this.scroller.scrollTop, this.scroller.clientHeight, this.pinned);
    });
  }

  private measured(entries: ResizeObserverEntry[]): void {
    const rows: string[] = [];
    const heights: number[] = [];
    for (const { target, borderBoxSize } of entries) {
      const row = (target as HTMLElement).dataset.row;
      if (!target.isConnected) this.rows.unobserve(target);
      else if (row !== undefined) {
        rows.push(row);
        heights.push(borderBoxSize[0]?.blockSize ?? 0);
      }
    }
    if (rows.length > 0) this.onHeights(rows, heights);
  }
}
