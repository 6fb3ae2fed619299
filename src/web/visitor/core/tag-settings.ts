import type { StorageKind } from "../../shared/protocol.ts";
import { attributeOf, type Tag } from "../loader/tag.ts";

/** The rest of what the page's tag says. */
export interface TagSettings {
  site: "production" | "staging";
  storage: StorageKind;
  cookieDomain: string;
  termsUrl: string;
  visitorId: string;
  startPaused: boolean;
  video: string;
  /** Folder of the backend's paths. */
  backend: string;
}

export function readSettings({ element, here }: Tag): TagSettings {
  const say = (name: string) => attributeOf(element, name);
  const host = say("ws");
  const kind = say("cookietype");
  return {
    site: say("site") === "staging" ? "staging" : "production",
    storage: /^(?:ls|dual|secure)$/.test(kind) ? (kind as StorageKind) : "normal",
    cookieDomain: say("cookiedomain"),
    termsUrl: say("termsurl"),
    visitorId: say("visitorid"),
    startPaused: say("startpaused") === "1",
    video: say("video"),
    backend: host ? here.replace(/^(\w+:\/\/)[^/]+/, `$1${host}`) : here,
  };
}
