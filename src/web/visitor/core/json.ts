/**
 * `JSON.stringify` as it is meant. Old libraries put `toJSON` on the prototypes of the page, which
 * turns arrays into strings; then the walk is ours, and the page keeps what it has.
 */
export function stringify(value: unknown): string {
  const foreign =
    "toJSON" in Array.prototype || "toJSON" in Object.prototype || "toJSON" in String.prototype;
  return foreign ? (walk(value) ?? "null") : JSON.stringify(value);
}

function walk(value: unknown): string | undefined {
  if (value === null) return "null";
  if (typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number") return isFinite(value) ? `${value}` : "null";
  if (typeof value !== "object") return undefined;
  return Array.isArray(value) ? walkList(value) : walkObject(value as Record<string, unknown>);
}

function walkList(list: readonly unknown[]): string {
  let text = "";
  for (let index = 0; index < list.length; index += 1) {
    text += `${index ? "," : ""}${walk(list[index]) ?? "null"}`;
  }
  return `[${text}]`;
}

function walkObject(object: Record<string, unknown>): string {
  let text = "";
  for (const name of Object.keys(object)) {
    const value = walk(object[name]);
    if (value !== undefined) text += `${text ? "," : ""}${JSON.stringify(name)}:${value}`;
  }
  return `{${text}}`;
}
