import { parseGroup, type GroupSet } from "../shared/groups.ts";
import type { VisitorError } from "./handover.ts";

/**
 * The group that a start names, or the primary one; an error where the page does not allow it. The
 * backend checks the same against the page's grant.
 */
export function checkGroup(groupid: unknown, allowed: GroupSet): number | VisitorError {
  const named = groupid != null && groupid !== "";
  const group = named ? parseGroup(groupid) : allowed[0];
  if (group && allowed.indexOf(group) >= 0) return group;
  const msg = `group ${groupid} is not among those of this page: ${allowed}`;
  return { code: "groupid", msg, params: { groupid, allowed: [...allowed] } };
}

/** `{groupid}` of what a start was given, or of what `setStartParams` was given before. */
export function wantedGroup(given: unknown): unknown {
  return (given as { groupid?: unknown } | undefined)?.groupid; // a key alone has none
}
