import type { RecordedEvent } from "../mask/events.ts";
import { stringify } from "./json.ts";

/** Events as they stand in a frame: deflated JSON. In a task of its own, behind the one that recorded them. */
export async function pack(events: readonly RecordedEvent[]): Promise<Uint8Array> {
  await new Promise((resolve) => setTimeout(resolve));
  const packer = new CompressionStream("deflate-raw");
  const writer = packer.writable.getWriter();
  const written = writer.write(new TextEncoder().encode(stringify(events)));
  const closed = writer.close();
  const body = await new Response(packer.readable).arrayBuffer();
  await written;
  await closed;
  return new Uint8Array(body);
}
