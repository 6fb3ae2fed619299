import { createPictures } from "./pictures.ts";
import { createPlayer, type Player } from "./player.ts";
import { spotAt, type Spot } from "./pointing.ts";
import { GREETING, type FromReplay, type Tool, type ToReplay } from "./port.ts";
import { SHEET } from "./sheet.ts";
import { createStage } from "./stage.ts";

/** Pointers are sent no more often; the backend drops what is more than 30 a second. */
const POINTER_MS = 40;
/** Events that may wait while nobody sees the window, which draws nothing then. */
const WAITING_EVENTS_MAX = 2_000;
/** How far an arrow key moves the pointer, in pixels of the visitor's page. */
const KEY_STEP = 16;

addEventListener("message", function greet(event: MessageEvent) {
  const [port] = event.ports;
  if (event.source !== parent || event.origin !== location.origin || event.data !== GREETING || !port) return;
  removeEventListener("message", greet);
  run(port);
});

function run(port: MessagePort): void {
  const say = (message: FromReplay) => port.postMessage(message);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SHEET);
  document.adoptedStyleSheets = [sheet];
  const stage = createStage(document, (scale) => say({ type: "scale", scale }));
  let tool: Tool = "look";
  let page = 0;
  let player: Player | undefined;
  /** Shown until another one is drawn. */
  let before: Player | undefined;
  let keyed = { x: 40, y: 40 };

  const clear = () => {
    stage.outline(undefined);
    for (const old of [before, player]) old?.remove();
    before = player = undefined;
  };

  const pictures = createPictures({
    begin: (begun, events) => {
      before?.remove();
      before = player;
      page = begun;
      const made = createPlayer({
        root: stage.place(),
        resized: stage.resize,
        drawn: () => {
          before?.remove();
          before = undefined;
          pictures.drawn();
          say({ type: "drawn", page: begun });
        },
      });
      player = made;
      made.add(events);
    },
    add: (events) => {
      if (player && player.waiting() > WAITING_EVENTS_MAX) return late();
      player?.add(events);
    },
    lost: () => say({ type: "lost" }),
    unshowable: () => say({ type: "unshowable" }),
  });

  /** More is to be drawn than is worth it: the whole page once more, when somebody looks. */
  const late = () => {
    pictures.forget();
    if (!document.hidden) return say({ type: "lost" });
    document.addEventListener("visibilitychange", () => say({ type: "lost" }), { once: true });
  };

  // What goes wrong in the replayer leaves its clock standing still.
  addEventListener("error", () => {
    if (!player) return;
    clear();
    pictures.fault();
  });

  port.onmessage = ({ data }: MessageEvent<ToReplay>) => {
    switch (data.type) {
      case "frame":
        return pictures.take(data.bytes);
      case "clear":
        pictures.forget();
        return clear();
      case "zoom":
        return stage.zoom(data.zoom);
      case "tool":
        tool = data.tool;
        document.body.dataset.tool = tool;
        stage.outline(undefined);
        if (tool === "look") say({ type: "pointer", page, node: 0, x: 0, y: 0 });
        if (tool !== "highlight") say({ type: "highlight", page, node: 0 });
    }
  };

  const spot = ({ x, y }: { x: number; y: number }): Spot | undefined => {
    const doc = player?.iframe.contentDocument;
    return doc ? spotAt(doc, x, y, player!.idOf) : undefined;
  };
  const point = (at: { x: number; y: number }) => {
    const found = spot(at);
    if (found) say({ type: "pointer", page, node: found.node, x: found.x, y: found.y });
    stage.outline(tool === "highlight" ? found?.box : undefined);
  };
  const highlight = (at: { x: number; y: number }) => {
    const found = spot(at);
    say({ type: "highlight", page, node: found?.node ?? 0 });
  };
  const gone = () => {
    stage.outline(undefined);
    if (tool !== "look") say({ type: "pointer", page, node: 0, x: 0, y: 0 });
  };

  let pointed = 0;
  stage.glass.addEventListener("pointermove", (event) => {
    if (tool === "look" || event.timeStamp - pointed < POINTER_MS) return;
    pointed = event.timeStamp;
    keyed = stage.pointOf(event);
    point(keyed);
  });
  stage.glass.addEventListener("pointerleave", gone);
  stage.glass.addEventListener("click", (event) => {
    if (tool === "highlight") highlight(stage.pointOf(event));
  });
  addEventListener("keydown", (event) => {
    if (tool === "look") return;
    const step = KEY_STEPS[event.key];
    if (event.key === "Enter" && tool === "highlight") highlight(keyed);
    else if (event.key === "Escape") gone();
    else if (step) {
      keyed = { x: Math.max(0, keyed.x + step[0] * KEY_STEP), y: Math.max(0, keyed.y + step[1] * KEY_STEP) };
      point(keyed);
    } else return;
    event.preventDefault();
  });
}

const KEY_STEPS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
