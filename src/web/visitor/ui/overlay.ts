import { boxOf, place } from "./boxes.ts";
import { element } from "./element.ts";

/** Boxes over what agents do not see, drawn anew on every frame while it is on. */
export interface Overlay {
  show: (selector: string | undefined) => void;
}

const BOXES_MAX = 400;

export function createOverlay(root: ShadowRoot, doc: Document): Overlay {
  const layer = element("div", { "aria-hidden": "true" });
  root.appendChild(layer);
  let selector: string | undefined;
  let drawing = 0;

  const draw = () => {
    if (!selector) return;
    let used = 0;
    for (const masked of doc.querySelectorAll(selector)) {
      const box = boxOf(masked);
      if (!box || !box.width || !box.height || used === BOXES_MAX) continue;
      const drawn = layer.children[used] ?? layer.appendChild(element("div", { class: "mask" }));
      place(drawn as HTMLElement, box);
      used += 1;
    }
    while (layer.children.length > used) layer.lastChild?.remove();
    drawing = requestAnimationFrame(draw);
  };

  return {
    show: (wanted) => {
      cancelAnimationFrame(drawing);
      selector = wanted;
      if (wanted) return draw();
      while (layer.lastChild) layer.lastChild.remove();
    },
  };
}
