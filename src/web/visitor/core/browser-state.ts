import { MARKER } from "../../shared/protocol.ts";
import type { TagSettings } from "./tag-settings.ts";

/** What of a session the browser keeps for the next page: that there is one, and where needed its token. */
export interface BrowserState {
  mark: (group: number, resume: string | undefined) => void;
  resume: () => string | undefined;
  forget: () => void;
}

type StorageSettings = Pick<TagSettings, "storage" | "cookieDomain">;

export function browserState({ storage, cookieDomain }: StorageSettings, page: Window): BrowserState {
  const inStorage = storage === "ls" || storage === "dual";
  const inCookie = storage !== "ls";
  const cookie = (value: string, end: string) => {
    const scope = `; Path=/; SameSite=Lax${domainOf(cookieDomain, page)}${secure(page)}`;
    page.document.cookie = `${MARKER}=${value}${scope}${end}`;
  };
  return {
    mark: (group, resume) => {
      if (inCookie) cookie(`${group}`, "");
      if (inStorage) page.localStorage.setItem(MARKER, `${group}.${resume ?? ""}`);
    },
    resume: () => {
      const kept = inStorage ? page.localStorage.getItem(MARKER) : null;
      return kept?.slice(kept.indexOf(".") + 1) || undefined;
    },
    // Whatever kind it was stored by: pages of one site may differ.
    forget: () => {
      cookie("", "; Max-Age=0");
      page.localStorage.removeItem(MARKER);
    },
  };
}

/** The domain that cookies are for; nothing where the host is not in it. */
export function cookieDomainFor(domain: string, host: string): string | undefined {
  const bare = domain.replace(/^\./, "").toLowerCase();
  const inside = host === bare || host.slice(-bare.length - 1) === `.${bare}`;
  return bare && inside ? bare : undefined;
}

function domainOf(domain: string, page: Window): string {
  const fitting = cookieDomainFor(domain, page.location.hostname);
  return fitting ? `; Domain=${fitting}` : "";
}

function secure(page: Window): string {
  return page.location.protocol === "https:" ? "; Secure" : "";
}

const TAB = `${MARKER}_tab`;

/**
 * The tab's name, kept over navigation. It lies in the storage only between two pages, so that a tab
 * that is duplicated does not take its twin's.
 */
export function tabName(page: Window): { name: string; keep: () => void; take: () => void } {
  const take = () => page.sessionStorage.removeItem(TAB);
  const name = page.sessionStorage.getItem(TAB) ?? randomName();
  take();
  return { name, take, keep: () => page.sessionStorage.setItem(TAB, name) };
}

function randomName(): string {
  let name = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(12))) name += `0${byte.toString(16)}`.slice(-2);
  return name;
}
