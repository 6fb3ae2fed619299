import type { Session } from "../core/session.ts";
import type { MaskRules } from "../mask/masked-nodes.ts";
import type { GroupSettings } from "../../shared/protocol.ts";
import { createBar } from "./bar.ts";
import { createHost } from "./host.ts";
import { createOverlay } from "./overlay.ts";
import { keepInReach } from "./reach.ts";
import { createPointers, type Pointers } from "./pointers.ts";
import { createStartButton } from "./start-button.ts";
import { askTerms } from "./terms.ts";
import { barView } from "./view.ts";

/** What visitors see of cobrowse on their page. */
export interface Ui {
  render: (session: Session) => void;
  showButton: (shown: boolean) => void;
  toggleButton: () => void;
  askTerms: (accept: () => void) => void;
  settings: (settings: GroupSettings) => void;
  pointers: Pointers;
}

export interface UiEvents {
  /** The start button was pressed. */
  press: () => void;
  end: () => void;
  pause: (paused: boolean) => void;
  masks: () => MaskRules | undefined;
  /** Whether the visitor sees the bar, and can end the session. */
  seen: (seen: boolean) => void;
}

export function createUi(doc: Document, termsUrl: string, on: UiEvents): Ui {
  const host = createHost(doc);
  const start = createStartButton(host.root, on.press);
  const overlay = createOverlay(host.root, doc);
  const pointers = createPointers(host.root);
  const bar = createBar(host.root, {
    end: on.end,
    pause: on.pause,
    masks: (shown) => overlay.show(shown ? on.masks() : undefined),
  });
  const reach = keepInReach(host.element, bar.end, doc, on.seen);
  let terms: GroupSettings["terms"] = {};
  let wanted = false;
  let inSession = false;
  let watching = false;

  const showButton = (shown: boolean) => {
    wanted = shown;
    start.show(wanted && !inSession);
  };
  return {
    render: (session) => {
      const view = barView(session);
      inSession = !!view;
      bar.show(view);
      if (inSession !== watching) reach.watch((watching = inSession));
      start.show(wanted && !inSession);
    },
    showButton,
    toggleButton: () => showButton(!wanted),
    askTerms: (accept) => askTerms(host.root, { ...terms, url: termsUrl || terms.url || "" }, accept),
    settings: (settings) => {
      start.label(settings.button.label, settings.button.color);
      host.style(settings.button.css ?? "");
      terms = settings.terms;
    },
    pointers,
  };
}
