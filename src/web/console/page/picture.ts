import { AGENTS_PATHS } from "../../shared/agents.ts";
import { GREETING, type FromReplay, type ToReplay } from "../replay/port.ts";
import { element } from "./element.ts";

/** The document in which the visitor's page is drawn: nothing of it gets nearer than its port. */
export interface Picture {
  root: HTMLIFrameElement;
  say: (message: ToReplay) => void;
  close: () => void;
}

export function createPicture(heard: (message: FromReplay) => void): Picture {
  const { port1, port2 } = new MessageChannel();
  const root = element("iframe", {
    class: "picture",
    src: AGENTS_PATHS.replay,
    title: "The visitor's page",
    referrerpolicy: "no-referrer",
  });
  const greet = () => root.contentWindow?.postMessage(GREETING, location.origin, [port2]);
  root.addEventListener("load", greet, { once: true });
  port1.onmessage = ({ data }: MessageEvent<FromReplay>) => heard(data);
  return {
    root,
    say: (message) => port1.postMessage(message, message.type === "frame" ? [message.bytes] : []),
    close: () => {
      port1.close();
      root.remove();
    },
  };
}
