/** Keeps the bar where the visitor sees it and can press its button, and says whether that is so. */
export interface Reach {
  watch: (on: boolean) => void;
}

/** How often it is looked at. */
const LOOK_MS = 250;
/** What is smaller cannot be read. */
const LEAST_PIXELS = 12;

/**
 * Pages replace their root, open dialogs that make everything else inert, and style `html`. The bar is
 * drawn in the browser's top layer, above all of that, and follows into modal dialogs.
 */
export function keepInReach(host: HTMLElement, pressed: Element, doc: Document, tell: (seen: boolean) => void): Reach {
  let seen = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const say = (now: boolean) => {
    if (now === seen) return;
    seen = now;
    tell(now);
  };

  const observer = new MutationObserver(() => {
    if (!host.isConnected) say(false);
  });

  const look = () => {
    clearTimeout(timer);
    timer = setTimeout(look, LOOK_MS);
    say(isInReach(host, pressed) || placesFor(doc).some((place) => {
      raise(host, place);
      return isInReach(host, pressed);
    }));
    // Again and again: the root may be another one by now.
    observer.observe(doc, { childList: true });
    observer.observe(doc.documentElement ?? doc, { childList: true });
  };

  return {
    watch: (on) => {
      if (on) return look();
      clearTimeout(timer);
      observer.disconnect();
      seen = false;
    },
  };
}

/** The root, and within whatever keeps the visitor from everything else. */
function placesFor(doc: Document): Element[] {
  let focused = doc.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  const dialogs = canBeRaised(doc.documentElement) ? doc.querySelectorAll("dialog:modal") : [];
  const around = focused?.closest("dialog[open]");
  const places = [doc.documentElement, doc.fullscreenElement, ...dialogs, around];
  return places.filter((place) => !!place) as Element[];
}

function raise(host: HTMLElement, place: Element): void {
  if (host.parentNode !== place) place.appendChild(host);
  if (!canBeRaised(host)) return;
  host.popover = "manual";
  if (host.matches(":popover-open")) host.hidePopover();
  host.showPopover();
}

function canBeRaised(element: Element | null): boolean {
  return !!element && "showPopover" in element;
}

/** Whether a click in the middle of the button would be one on it. */
function isInReach(host: HTMLElement, pressed: Element): boolean {
  const { left, top, width, height } = pressed.getBoundingClientRect();
  if (!host.isConnected || width < LEAST_PIXELS || height < LEAST_PIXELS) return false;
  const root = host.getRootNode() as Document | ShadowRoot;
  if (root.elementFromPoint(left + width / 2, top + height / 2) !== host) return false;
  return canBeRaised(host) ? host.matches(":popover-open") : isClear(host.ownerDocument);
}

/** Without a top layer, what fades the root fades the bar. */
function isClear(doc: Document): boolean {
  const { opacity, filter } = getComputedStyle(doc.documentElement);
  return opacity === "1" && filter === "none";
}
