/** More text than this is in no honest frame; a bomb of a few bytes could hold far more. */
export const TEXT_BYTES_MAX = 48 * 1024 * 1024;

/** The text of a raw-deflated body; nothing where it is broken or longer than `limit`. */
export async function inflate(body: BlobPart, limit = TEXT_BYTES_MAX): Promise<string | undefined> {
  const stream = new Blob([body]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let size = 0;
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      size += value.length;
      if (size > limit) {
        await reader.cancel();
        return undefined;
      }
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return undefined;
  }
}
