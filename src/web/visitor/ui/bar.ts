import { button, element } from "./element.ts";
import type { BarView } from "./view.ts";

export interface Bar {
  show: (view: BarView | undefined) => void;
  /** Ends the session. */
  end: Element;
}

export interface BarEvents {
  end: () => void;
  pause: (paused: boolean) => void;
  masks: (shown: boolean) => void;
}

export function createBar(root: ShadowRoot, on: BarEvents): Bar {
  let paused = false;
  let masksShown = false;
  const state = element("span", { id: "glance_state", role: "status", "aria-live": "polite" });
  const key = element("output", { id: "glance_ssn_key", "aria-label": "Session key" });
  const masks = button("glance_masks_btn", "Show what is hidden", () => {
    masksShown = !masksShown;
    masks.setAttribute("aria-pressed", `${masksShown}`);
    on.masks(masksShown);
  });
  masks.setAttribute("aria-pressed", "false");
  const pause = button("glance_pause_btn", "Pause", () => on.pause(!paused));
  const end = button("glance_stop_btn", "End session", on.end);
  const named = { id: "glance_bar", role: "region", "aria-label": "Cobrowse session" };
  const bar = element("div", named, state, key, masks, pause, end);
  bar.hidden = true;
  root.appendChild(bar);

  const show = (view: BarView | undefined) => {
    bar.hidden = !view;
    if (!view) {
      if (masksShown) masks.click();
      return;
    }
    paused = view.paused;
    // Said again only when it changed, or screen readers repeat it.
    if (state.textContent !== view.text) state.textContent = view.text;
    state.setAttribute("data-state", view.state);
    key.textContent = view.key;
    key.hidden = !view.key;
    pause.textContent = paused ? "Resume" : "Pause";
  };
  return { show, end };
}
