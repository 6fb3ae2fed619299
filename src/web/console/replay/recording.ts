/** Events of a recording as the replayer takes them; `cleaner` makes them of what visitors send. */

export interface CleanEvent {
  type: number;
  data: Record<string, unknown>;
  timestamp: number;
}

export const EVENT = { snapshot: 2, change: 3, meta: 4 } as const;

export const CHANGE = {
  mutation: 0,
  mouseMove: 1,
  mouse: 2,
  scroll: 3,
  resize: 4,
  input: 5,
  touchMove: 6,
  rule: 8,
  drag: 12,
  declaration: 13,
  selection: 14,
  sheets: 15,
} as const;

export const NODE = { document: 0, doctype: 1, element: 2, text: 3, cdata: 4, comment: 5 } as const;

export interface CleanNode {
  type: number;
  id: number;
  [part: string]: unknown;
}
