import { EVENT } from "../mask/events.ts";
import { maskLayer } from "../mask/layer.ts";
import { maskedNodes, type MaskRules } from "../mask/masked-nodes.ts";
import { batcher } from "./batch.ts";
import { pack } from "./deflate.ts";
import { withoutFramesets } from "./framesets.ts";
import type { Link } from "./link.ts";
import type { Recorder } from "./recorder.ts";

/** The page being recorded, masked and sent, until `stop`. */
export interface Capture {
  snapshot: () => void;
  /** Whether anything may leave. Meanwhile the page is watched on, so that no mask that comes and goes is missed. */
  hold: (held: boolean) => void;
  stop: () => void;
}

export interface CaptureParts {
  recorder: Recorder;
  rules: MaskRules;
  page: number;
  link: Pick<Link, "send" | "waiting">;
  doc: Document;
  /** What was masked once on this page, in any recording of it. */
  masked: WeakSet<Node>;
  /** Snapshots fail again and again: the page cannot be masked. */
  onUnmaskable: () => void;
}

const FAULTS_MAX = 3;

export function startCapture({ recorder, rules, page, link, doc, masked, onUnmaskable }: CaptureParts): Capture {
  let stopped = false;
  let held = false;
  let asked = false;
  let faults = 0;

  const stop = () => {
    if (stopped) return;
    stopped = true;
    frames.stop();
    stopRecorder();
  };

  // Many reasons for a snapshot at once need one of it, and never inside the recorder's own work.
  const snapshot = () => {
    if (asked || stopped) return;
    asked = true;
    setTimeout(() => {
      asked = false;
      if (!stopped) recorder.snapshot();
    });
  };

  const hold = (now: boolean) => {
    if (held === now) return;
    held = now;
    frames.reset();
    if (!held) snapshot();
  };

  const fault = () => {
    frames.reset();
    faults += 1;
    if (faults < FAULTS_MAX) return snapshot();
    stop();
    onUnmaskable();
  };

  const grown = () => {
    frames.reset();
    snapshot();
  };

  const frames = batcher({ page, pack, send: link.send, waiting: link.waiting, snapshot });
  const nodes = maskedNodes(rules, doc, masked);
  const layer = maskLayer({ nodes, nodeOf: recorder.nodeOf, onGrown: grown, onFault: fault });
  const stopRecorder = recorder.start((event) => {
    if (stopped) return;
    const left = layer.apply(event);
    if (left && !held) frames.push(withoutFramesets(left));
    if (left?.type === EVENT.snapshot) faults = 0;
  });
  return { snapshot, hold, stop };
}
