import { MESSAGE_NAME_MAX, TEXT_BYTES_MAX } from "../../shared/protocol.ts";
import { stringify } from "./json.ts";

export type PageMessage = { type: "message"; name: string; data: unknown };

/** What the rest of a message takes. */
const ROOM_BYTES = 1_024;

/** A message of the page to agents as it is sent, or why it cannot be: the backend would close the socket. */
export function pageMessage(name: unknown, data: unknown): PageMessage | string {
  const named = `${name}`;
  if (!named || [...named].length > MESSAGE_NAME_MAX) {
    return `the name of a message has 1 to ${MESSAGE_NAME_MAX} characters`;
  }
  let text: string | undefined;
  try {
    text = stringify(data);
  } catch {
    return "the data of a message is what JSON can say";
  }
  if (new TextEncoder().encode(text).length > TEXT_BYTES_MAX - ROOM_BYTES) {
    return `the data of a message has at most ${(TEXT_BYTES_MAX - ROOM_BYTES) / 1_024} KiB as JSON`;
  }
  return { type: "message", name: named, data: text === undefined ? null : JSON.parse(text) };
}
