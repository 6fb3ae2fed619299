import { KEY_CHARACTERS_MAX, type Wanted } from "../../shared/agents.ts";
import { parseGroup } from "../../shared/groups.ts";

const KEY = new RegExp(`^[A-Za-z0-9_.~-]{1,${KEY_CHARACTERS_MAX}}$`);

/** A key as people type and paste it: digits in groups of three, spaces around it. */
export function parseKey(typed: string): string | undefined {
  const key = typed.replace(/\s/g, "");
  return KEY.test(key) ? key : undefined;
}

/**
 * The session that an address asks for: `AgentView?SessionKey=&GroupId=&Wait=1` in the forms that are
 * in use, names in any case, or the fragment that the console itself leaves behind.
 */
export function wantedBy({ search, hash }: { search: string; hash: string }): Wanted | undefined {
  const id = /^#([0-9a-f]{16})$/.exec(hash)?.[1];
  if (id) return { session: id };
  const given = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (!given.has(name.toLowerCase())) given.set(name.toLowerCase(), value);
  }
  const key = parseKey(given.get("sessionkey") || given.get("visitorid") || "");
  if (!key) return undefined;
  const group = parseGroup(given.get("groupid") || given.get("partnerid") || given.get("group"));
  return { key, ...(group ? { group } : {}), ...(given.get("wait") === "1" ? { wait: true } : {}) };
}
