/** Hot key ("ctrl-13") to name of function; empty where the text cannot be read. */
export function parseHotKeys(text: string): Record<string, string> {
  const keys: Record<string, string> = {};
  // Samples write it as JSON, and with single quotes; both are read as pairs of strings.
  const pair = /["']\s*(\w+-\d+)\s*["']\s*:\s*["'](\w+)["']/g;
  for (const [, key, name] of text.matchAll(pair)) keys[key!.toLowerCase()] = name!;
  return keys;
}

export interface Pressed {
  ctrlKey: boolean;
  altKey: boolean;
  shiftKey: boolean;
  keyCode: number;
}

/** The function of a key press that has exactly one modifier. */
export function functionOf(keys: Record<string, string>, pressed: Pressed): string | undefined {
  const { ctrlKey, altKey, shiftKey, keyCode } = pressed;
  const held = (ctrlKey ? "ctrl" : "") + (altKey ? "alt" : "") + (shiftKey ? "shift" : "");
  return keys[`${held}-${keyCode}`];
}
