import type { MaskRules } from "../mask/masked-nodes.ts";
import { boxOf, place } from "./boxes.ts";
import { element } from "./element.ts";

/** Boxes over what agents do not see, drawn anew on every frame while it is on. */
export interface Overlay {
  show: (rules: MaskRules | undefined) => void;
}

const BOXES_MAX = 400;
/** Shadow roots and frames are looked for this often: it takes a walk over the whole page. */
const ROOTS_MS = 1_000;

type Root = Document | ShadowRoot;

export function createOverlay(root: ShadowRoot, doc: Document): Overlay {
  const layer = element("div", { "aria-hidden": "true" });
  root.appendChild(layer);
  let rules: MaskRules | undefined;
  let roots: Root[] = [];
  let looked = 0;
  let drawing = 0;

  const draw = (now: number) => {
    if (!rules) return;
    if (!roots.length || now - looked > ROOTS_MS) {
      roots = rootsIn(doc);
      looked = now;
    }
    let used = 0;
    for (const masked of maskedIn(roots, rules)) {
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
      rules = wanted;
      roots = [];
      if (wanted) return draw(performance.now());
      while (layer.lastChild) layer.lastChild.remove();
    },
  };
}

/** The document, and the open shadow roots and reachable frames in it, however deep. */
function rootsIn(root: Root): Root[] {
  const found: Root[] = [root];
  for (const inner of root.querySelectorAll("*")) {
    const below = inner.shadowRoot ?? (inner as HTMLIFrameElement).contentDocument;
    if (below && below !== root) found.push(...rootsIn(below));
  }
  return found;
}

/** What is masked, and frames that are not seen at all. */
function* maskedIn(roots: Root[], rules: MaskRules): Iterable<Element> {
  if (rules.page && roots[0]) return yield (roots[0] as Document).documentElement;
  for (const root of roots) {
    const doc = root.ownerDocument ?? (root as Document);
    const selector = rules.selectorOf(doc);
    const frame = doc.defaultView?.frameElement;
    if (selector) yield* root.querySelectorAll(selector);
    else if (frame && root === doc) yield frame;
  }
}
