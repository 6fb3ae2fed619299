import { createHand } from "./hand.ts";
import { createPictures } from "./pictures.ts";
import { createPlayer, type Player } from "./player.ts";
import { spotAt } from "./pointing.ts";
import { GREETING, type FromReplay, type ToReplay } from "./port.ts";
import type { CleanEvent } from "./recording.ts";
import { SHEET } from "./sheet.ts";
import { createStage } from "./stage.ts";

/** Events that may wait while nobody sees the window, which draws nothing then. */
const WAITING_EVENTS_MAX = 2_000;

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
  let page = 0;
  let player: Player | undefined;
  /** Shown until another one is drawn. */
  let before: Player | undefined;

  const dropBefore = () => {
    before?.remove();
    before = undefined;
  };
  const clear = () => {
    stage.outline(undefined);
    dropBefore();
    player?.remove();
    player = undefined;
  };
  const drawn = () => {
    dropBefore();
    pictures.drawn();
    say({ type: "drawn", page });
  };
  const begin = (begun: number, events: CleanEvent[]) => {
    dropBefore();
    before = player;
    page = begun;
    player = createPlayer({ root: stage.place(), resized: stage.resize, drawn });
    player.add(events);
  };
  /** More is to be drawn than is worth it: the whole page once more, when somebody looks. */
  const late = () => {
    pictures.forget();
    if (!document.hidden) return say({ type: "lost" });
    document.addEventListener("visibilitychange", () => say({ type: "lost" }), { once: true });
  };

  const pictures = createPictures({
    begin,
    add: (events) => {
      if (player && player.waiting() > WAITING_EVENTS_MAX) return late();
      player?.add(events);
    },
    lost: () => say({ type: "lost" }),
    unshowable: () => say({ type: "unshowable" }),
  });
  const hand = createHand({
    stage,
    page: () => page,
    say,
    spotAt: ({ x, y }) => {
      const doc = player?.iframe.contentDocument;
      return player && doc ? spotAt(doc, x, y, player.idOf) : undefined;
    },
  });

  // What goes wrong in the replayer leaves its clock standing still.
  addEventListener("error", () => {
    if (!player) return;
    clear();
    pictures.fault();
  });

  port.onmessage = ({ data }: MessageEvent<ToReplay>) => {
    switch (data.type) {
      case "frame":
        return void pictures.take(data.bytes);
      case "clear":
        pictures.forget();
        return clear();
      case "zoom":
        return stage.zoom(data.zoom);
      case "tool":
        return hand.take(data.tool);
    }
  };
}
