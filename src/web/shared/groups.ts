/** The groups that may run a session on a page; the primary one first. */
export type GroupSet = readonly number[];

const LAST = 4294967295;

/**
 * A group as pages write it: a number, or its digits. `undefined` for anything else, so that a value
 * that cannot be read is refused rather than taken for the primary group.
 */
export function parseGroup(value: unknown): number | undefined {
  const text = typeof value === "number" || typeof value === "string" ? `${value}`.trim() : "";
  if (!/^[1-9]\d{0,9}$/.test(text)) return undefined;
  const group = Number(text);
  return group <= LAST ? group : undefined;
}

/** `data-groupid` and `data-additionalgroupids`; what is no group is left out. */
export function parseGroupSet(primary: string, additional: string): GroupSet {
  const groups: number[] = [];
  for (const text of [primary, ...additional.split(",")]) {
    const group = parseGroup(text);
    if (group && groups.indexOf(group) < 0) groups.push(group);
  }
  return parseGroup(primary) ? groups : [];
}
