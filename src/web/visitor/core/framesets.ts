import { EVENT, CHANGE, NODE, type Mutation, type RecordedEvent, type Written } from "../mask/events.ts";

/**
 * Framesets as grids of inline frames: agents' browsers draw a recorded frame only inside a body.
 * Changes the event in place.
 */
export function withoutFramesets(event: RecordedEvent): RecordedEvent {
  if (event.type === EVENT.snapshot) redrawIn(event.data.node);
  if (event.type === EVENT.change && event.data.source === CHANGE.mutation) {
    for (const { node } of (event.data as unknown as Mutation).adds) redrawIn(node);
  }
  return event;
}

/** Framesets stand right below the root of a document, so that the rest of it need not be read. */
function redrawIn(written: Written): void {
  if (/^frame/.test(written.tagName ?? "")) return redraw(written, "div");
  const roots = written.type === NODE.document ? (written.childNodes ?? []) : [];
  for (const root of roots) {
    for (const part of root.childNodes ?? []) if (part.tagName === "frameset") redraw(part, "body");
  }
}

function redraw(written: Written, outermost: "body" | "div"): void {
  let inner = outermost;
  if (written.type === NODE.element && written.tagName === "frameset") {
    const { cols, rows } = written.attributes ?? {};
    written.tagName = outermost;
    written.attributes = { style: gridStyle(cols, rows, outermost === "body") };
    inner = "div";
  } else if (written.type === NODE.element && written.tagName === "frame") {
    written.tagName = "iframe";
    written.attributes = { ...written.attributes, style: "width: 100%; height: 100%; box-sizing: border-box;" };
  }
  for (const child of written.childNodes ?? []) redraw(child, inner);
}

function gridStyle(cols: unknown, rows: unknown, whole: boolean): string {
  const size = whole ? "margin: 0; height: 100vh;" : "height: 100%;";
  return `display: grid; ${size} grid-template-columns: ${tracks(cols)}; grid-template-rows: ${tracks(rows)};`;
}

/** `20%,*,2*,100` as tracks of a grid; one that takes all where there is none. */
export function tracks(lengths: unknown): string {
  const parts = typeof lengths === "string" ? lengths.split(",") : [];
  const made = parts.map((part) => {
    const [, number = "", unit = ""] = /^\s*(\d*(?:\.\d+)?)\s*(\*|%)?/.exec(part) ?? [];
    if (unit === "*" || !number) return `${number || 1}fr`;
    return unit === "%" ? `${number}%` : `${number}px`;
  });
  return made.join(" ") || "1fr";
}
