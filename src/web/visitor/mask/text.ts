/** Every character that can be seen becomes a star; spaces stay, and so does the flow of the text. */
export function stars(text: string): string {
  return text.replace(/\S/g, "*");
}

/**
 * A URL without user, query and fragment. What is no URL of the web (`javascript:`, `data:`) becomes
 * nothing.
 */
export function plainUrl(url: string, base?: string): string {
  try {
    const { protocol, host, pathname } = new URL(url, base);
    return protocol === "http:" || protocol === "https:" ? `${protocol}//${host}${pathname}` : "";
  } catch {
    return "";
  }
}
