/** Readers of values that a visitor sent. They take what is there, or say that it is none. */

export type Bag = Record<string, unknown>;

/** Where a recording has something that no recorder writes. */
export function malformed(what: string): never {
  throw new Error(`not a recording: ${what}`);
}

export function bag(value: unknown, what: string): Bag {
  if (typeof value !== "object" || value === null || Array.isArray(value)) malformed(what);
  return value as Bag;
}

export function list(value: unknown, what: string, most = 100_000): unknown[] {
  if (!Array.isArray(value) || value.length > most) malformed(what);
  return value;
}

export function id(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < -2) malformed(what);
  return value as number;
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A number within bounds; `other` for what is none. */
export function number(value: unknown, least: number, most: number, other = least): number {
  if (typeof value !== "number" || !Number.isFinite(value)) return other;
  return Math.min(Math.max(value, least), most);
}
