import type { Zoom } from "./port.ts";

const ZOOM_MIN = 0.1;
const ZOOM_MAX = 4;

interface Size {
  width: number;
  height: number;
}

/** How large the page is drawn: as it is asked for, or as large as it fits, and never larger than it is. */
export function scaleFor(zoom: Zoom, page: Size, room: Size): number {
  if (zoom !== "fit") return Math.min(ZOOM_MAX, Math.max(ZOOM_MIN, zoom));
  const fitting = Math.min(room.width / page.width, room.height / page.height, 1);
  return Math.max(ZOOM_MIN, fitting || 1);
}

/** Where the page is drawn, and the glass before it that takes the agent's pointer. */
export interface Stage {
  /** A place for another picture; what was shown before goes when `settle` is called. */
  place: () => HTMLElement;
  glass: HTMLElement;
  resize: (width: number, height: number) => void;
  zoom: (zoom: Zoom) => void;
  /** A point of the agent's window in the page's own pixels. */
  pointOf: (event: MouseEvent) => { x: number; y: number };
  outline: (box: DOMRect | undefined) => void;
}

export function createStage(doc: Document, scaled: (scale: number) => void): Stage {
  const sheet = doc.body.appendChild(made(doc, "sheet"));
  const pages = sheet.appendChild(made(doc, "pages"));
  const outline = sheet.appendChild(made(doc, "outline"));
  const glass = sheet.appendChild(made(doc, "glass"));
  outline.hidden = true;
  let size = { width: 1, height: 1 };
  let zoom: Zoom = "fit";
  let scale = 1;

  const draw = () => {
    const { clientWidth, clientHeight } = doc.documentElement;
    scale = scaleFor(zoom, size, { width: clientWidth, height: clientHeight });
    sheet.style.width = `${Math.floor(size.width * scale)}px`;
    sheet.style.height = `${Math.floor(size.height * scale)}px`;
    pages.style.width = `${size.width}px`;
    pages.style.height = `${size.height}px`;
    pages.style.transform = `scale(${scale})`;
    scaled(scale);
  };
  doc.defaultView?.addEventListener("resize", draw);

  return {
    place: () => pages.appendChild(made(doc, "")),
    glass,
    resize: (width, height) => {
      size = { width, height };
      draw();
    },
    zoom: (wanted) => {
      zoom = wanted;
      draw();
    },
    pointOf: (event) => {
      const { left, top } = sheet.getBoundingClientRect();
      return { x: (event.clientX - left) / scale, y: (event.clientY - top) / scale };
    },
    outline: (box) => {
      outline.hidden = !box;
      if (!box) return;
      const sides = { left: box.x, top: box.y, width: box.width, height: box.height };
      for (const [side, length] of Object.entries(sides)) outline.style.setProperty(side, `${length * scale}px`);
    },
  };
}

function made(doc: Document, id: string): HTMLElement {
  const element = doc.createElement("div");
  if (id) element.id = id;
  return element;
}
