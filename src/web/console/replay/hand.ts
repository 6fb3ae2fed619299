import type { Spot } from "./pointing.ts";
import type { FromReplay, Tool } from "./port.ts";
import type { Stage } from "./stage.ts";

/** Pointers are sent no more often; the backend drops what is more than 30 a second. */
const POINTER_MS = 40;
/** How far an arrow key moves the pointer, in pixels of the visitor's page. */
const KEY_STEP = 16;
const KEY_STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface Place {
  x: number;
  y: number;
}

export interface HandParts {
  stage: Stage;
  /** What of the page lies at a place; nothing where there is no page. */
  spotAt: (place: Place) => Spot | undefined;
  /** The page that is shown. */
  page: () => number;
  say: (message: FromReplay) => void;
}

/** Points at the visitor's page with the agent's mouse and keys, as the chosen tool wants it. */
export function createHand({ stage, spotAt, page, say }: HandParts): { take: (tool: Tool) => void } {
  let tool: Tool = "look";
  let pointed = 0;
  let at: Place = { x: 40, y: 40 };

  const point = () => {
    const found = spotAt(at);
    if (found) say({ type: "pointer", page: page(), node: found.node, x: found.x, y: found.y });
    stage.outline(tool === "highlight" ? found?.box : undefined);
  };
  const mark = () => say({ type: "highlight", page: page(), node: spotAt(at)?.node ?? 0 });
  const goAway = () => {
    stage.outline(undefined);
    if (tool !== "look") say({ type: "pointer", page: page(), node: 0, x: 0, y: 0 });
  };
  /** Whether the key was one of ours. */
  const press = (key: string): boolean => {
    const step = KEY_STEPS[key];
    if (key === "Escape") goAway();
    else if (key === "Enter" && tool === "highlight") mark();
    else if (step) {
      at = { x: Math.max(0, at.x + step[0] * KEY_STEP), y: Math.max(0, at.y + step[1] * KEY_STEP) };
      point();
    } else return false;
    return true;
  };

  stage.glass.addEventListener("pointermove", (event) => {
    if (tool === "look" || event.timeStamp - pointed < POINTER_MS) return;
    pointed = event.timeStamp;
    at = stage.pointOf(event);
    point();
  });
  stage.glass.addEventListener("pointerleave", goAway);
  stage.glass.addEventListener("click", (event) => {
    if (tool !== "highlight") return;
    at = stage.pointOf(event);
    mark();
  });
  addEventListener("keydown", (event) => {
    if (tool !== "look" && press(event.key)) event.preventDefault();
  });

  return {
    take: (chosen) => {
      goAway();
      if (chosen !== "highlight") say({ type: "highlight", page: page(), node: 0 });
      tool = chosen;
      document.body.dataset.tool = tool;
    },
  };
}
