import { boxOf, place } from "./boxes.ts";
import { element } from "./element.ts";

/** Agents' pointers and highlights, by the agent's name. */
export interface Pointers {
  point: (agent: string, node: Node | null, x: number, y: number) => void;
  highlight: (agent: string, node: Node | null) => void;
  clear: () => void;
}

const AGENTS_MAX = 20;

export function createPointers(root: ShadowRoot): Pointers {
  const layer = element("div", { "aria-hidden": "true" });
  root.appendChild(layer);
  const pointers = new Map<string, HTMLElement>();
  const highlights = new Map<string, HTMLElement>();

  const find = (kept: Map<string, HTMLElement>, agent: string, make: () => HTMLElement) => {
    let found = kept.get(agent);
    if (!found && kept.size < AGENTS_MAX) {
      found = layer.appendChild(make());
      kept.set(agent, found);
    }
    return found;
  };
  const drop = (kept: Map<string, HTMLElement>, agent: string) => {
    kept.get(agent)?.remove();
    kept.delete(agent);
  };

  return {
    point: (agent, node, x, y) => {
      const box = boxOf(node);
      if (!box) return drop(pointers, agent);
      const drawn = find(pointers, agent, () => element("div", { class: "pointer" }, element("span", {}, agent)));
      if (drawn) place(drawn, new DOMRect(box.x + box.width * x, box.y + box.height * y, 0, 0));
    },
    highlight: (agent, node) => {
      const box = boxOf(node);
      if (!box) return drop(highlights, agent);
      const drawn = find(highlights, agent, () => element("div", { class: "highlight" }));
      if (drawn) place(drawn, box);
    },
    clear: () => {
      while (layer.lastChild) layer.lastChild.remove();
      pointers.clear();
      highlights.clear();
    },
  };
}
