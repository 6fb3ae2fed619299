import { Replayer } from "@rrweb/replay";

import { MODAL } from "./clean-attributes.ts";
import { createClock, type Clock } from "./clock.ts";
import { CHANGE, EVENT, type CleanEvent } from "./recording.ts";

/** As browsers draw modal dialogs, and the backdrop behind them. */
const AS_MODAL =
  "position: fixed; inset: 0; margin: auto; overflow: auto; max-width: calc(100% - 6px - 2em); " +
  "max-height: calc(100% - 6px - 2em); z-index: 2147483647; box-shadow: 0 0 0 200vmax rgb(0 0 0 / 10%)";

/** Events that one replayer keeps; it never looks back at them. */
const KEPT_EVENTS_MAX = 5_000;

/** One recording being shown. A new one for each snapshot: replayers keep all that they were given. */
export interface Player {
  add: (events: readonly CleanEvent[]) => void;
  iframe: HTMLIFrameElement;
  idOf: (node: Node) => number;
  /** Events that were given and not yet shown. */
  waiting: () => number;
  remove: () => void;
}

export interface PlayerParts {
  root: HTMLElement;
  /** The visitor's window has this size. */
  resized: (width: number, height: number) => void;
  drawn: () => void;
}

export function createPlayer({ root, resized, drawn }: PlayerParts): Player {
  const clock = createClock();
  const replayer = new Replayer([], {
    root,
    liveMode: true,
    mouseTail: false,
    triggerFocus: false,
    useVirtualDom: false,
    showWarning: false,
    insertStyleRules: [`dialog[${MODAL}] { ${AS_MODAL} }`],
  });
  replayer.iframe.title = "The visitor's page";
  // Tabbing must not lead into it: what has the focus there gets the agent's keys.
  replayer.iframe.tabIndex = -1;
  let given = 0;
  let shown = 0;
  replayer.on("resize", (size) => resized((size as { width: number }).width, (size as { height: number }).height));
  replayer.on("fullsnapshot-rebuilded", drawn);
  replayer.on("event-cast", () => (shown += 1));
  replayer.startLive(Date.now());

  return {
    add: (events) => {
      const timed = schedule(events, clock, Date.now());
      given += timed.length;
      // The type of the recorder's events says more than the replayer reads.
      for (const event of timed) replayer.addEvent(event as never);
      trim(replayer);
    },
    iframe: replayer.iframe,
    idOf: (node) => replayer.getMirror().getId(node as never),
    waiting: () => given - shown,
    remove: () => {
      // What is still to come would be drawn where nothing is left.
      replayer.timer.clear();
      replayer.destroy();
      root.remove();
    },
  };
}

/** Events at the times at which they shall be shown. */
function schedule(events: readonly CleanEvent[], clock: Clock, now: number): CleanEvent[] {
  const last = events[events.length - 1];
  if (last) clock.heard(last.timestamp, now);
  return events.map((event) => ({ ...spread(event), timestamp: clock.shows(event.timestamp, now) }));
}

/** The way of a pointer is told after it was gone: it is shown from its event on. */
function spread(event: CleanEvent): CleanEvent {
  const { source, positions } = event.data as { source?: number; positions?: { timeOffset: number }[] };
  const [first] = positions ?? [];
  if (event.type !== EVENT.change || source === CHANGE.mouse || !positions || !first) return event;
  const later = positions.map((position) => ({ ...position, timeOffset: position.timeOffset - first.timeOffset }));
  return { ...event, data: { ...event.data, positions: later } };
}

function trim(replayer: Replayer): void {
  const { events } = replayer.service.state.context;
  if (events.length > KEPT_EVENTS_MAX) events.splice(1, events.length - KEPT_EVENTS_MAX / 2);
}
