import type { GroupSet } from "../../shared/groups.ts";
import { checkGroup } from "../group-check.ts";
import type { VisitorError } from "../handover.ts";
import type { TagSettings } from "./tag-settings.ts";

/** What a start asks for. */
export interface StartParams {
  group: number;
  /** Absent: random digits. */
  key?: string;
  visitor: { id?: string; name?: string; email?: string; phone?: string };
  video?: "off" | "small" | "large";
}

/** `window.GLANCE_COBROWSE`, whatever the page put there. */
export type PageSettings = Record<string, unknown>;

const RANDOM = "GLANCE_KEYTYPE_RANDOM";
/** The union of the documented rules. */
const KEY = /^[A-Za-z0-9_.~-]{1,62}$/;

/**
 * The parameters of a start: a key, or an object, or else what `setStartParams` was given. A start by
 * a link or a hot key is always in the primary group.
 */
export function startParams(
  given: unknown,
  set: unknown,
  groups: GroupSet,
  tag: Pick<TagSettings, "visitorId" | "video">,
  settings: PageSettings,
  primary: boolean,
): StartParams | VisitorError {
  const own = asObject(given ?? set);
  const group = checkGroup(primary ? undefined : own.groupid, groups);
  if (typeof group !== "number") return group;
  const id = text(settings.visitorid) ?? (tag.visitorId || undefined);
  const wanted = text(own.sessionKey);
  const key = wanted === RANDOM ? undefined : (wanted ?? id);
  if (key !== undefined && !KEY.test(key)) return badKey(key);
  const video = text(own.video) ?? tag.video;
  return {
    group,
    ...(key === undefined ? {} : { key }),
    visitor: participant({ ...settings, ...own }, id),
    ...(/^(?:off|small|large)$/.test(video) ? { video: video as "off" } : {}),
  };
}

/** A key alone is short for an object with a key. */
function asObject(given: unknown): Record<string, unknown> {
  if (given && typeof given === "object") return given as Record<string, unknown>;
  return { sessionKey: given };
}

/** Text, or a number as text; nothing for what is empty. */
function text(value: unknown): string | undefined {
  const written = typeof value === "number" || typeof value === "string" ? `${value}` : "";
  return written || undefined;
}

function badKey(key: string): VisitorError {
  const msg = "a session key has 1 to 62 of the characters A-Z a-z 0-9 _ - . ~";
  return { code: "sessionkey", msg, params: { sessionKey: key } };
}

/**
 * Who the visitor is, as far as the page says. A name that is too long is cut; an address or number
 * that breaks its rule would be a wrong one if it were cut, and is left out.
 */
function participant(said: Record<string, unknown>, id: string | undefined): StartParams["visitor"] {
  const visitor: StartParams["visitor"] = {};
  const name = text(said.name);
  const email = text(said.email);
  const phone = text(said.phone);
  if (id && KEY.test(id)) visitor.id = id;
  if (name) visitor.name = firstCharacters(name, 63);
  if (email && isLatin1(email, 127)) visitor.email = email;
  if (phone && isLatin1(phone, 31)) visitor.phone = phone;
  return visitor;
}

function firstCharacters(name: string, count: number): string {
  let cut = "";
  let taken = 0;
  for (const character of name) {
    if (taken === count) break;
    cut += character;
    taken += 1;
  }
  return cut;
}

function isLatin1(value: string, length: number): boolean {
  return value.length <= length && /^[\x20-\x7e\xa0-\xff]*$/.test(value);
}
