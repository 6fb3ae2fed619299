/** Runs at the page's call: whatever goes wrong here is ours, and never reaches it. */
export function guarded<A extends unknown[], R>(
  run: (...args: A) => R,
): (...args: A) => R | undefined {
  return (...args) => {
    try {
      return run(...args);
    } catch (problem) {
      report(problem);
      return undefined;
    }
  };
}

export function report(problem: unknown): void {
  try {
    console.warn("cobrowse:", problem);
  } catch {
    // a page without a console
  }
}
