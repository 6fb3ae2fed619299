import { record } from "@rrweb/record";

import { report } from "../guard.ts";
import type { RecordedEvent } from "../mask/events.ts";

/** Turns a page into events. What it says is raw: it must pass the mask layer. */
export interface Recorder {
  start: (emit: (event: RecordedEvent) => void) => () => void;
  /** Describes the whole page anew. */
  snapshot: () => void;
  nodeOf: (id: number) => Node | null;
}

export function rrwebRecorder(): Recorder {
  return {
    start: (emit) => {
      const stop = record({
        emit: emit as (event: unknown) => void,
        // Masks are the layer's business; these keep passwords out of the recorder's own memory.
        maskInputOptions: { password: true },
        slimDOMOptions: { script: true, comment: true },
        inlineStylesheet: true,
        recordCrossOriginIframes: false,
        recordCanvas: false,
        collectFonts: false,
        inlineImages: false,
        sampling: { mousemove: 50, scroll: 100 },
        errorHandler: (problem: unknown) => {
          report(problem);
          return true;
        },
      });
      return () => stop?.();
    },
    snapshot: () => record.takeFullSnapshot(true),
    nodeOf: (id) => record.mirror.getNode(id) as Node | null,
  };
}
