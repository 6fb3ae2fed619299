/** The recorder's events, as far as the mask layer reads them. */

import type { Attributes } from "./attributes.ts";

export interface RecordedEvent {
  type: number;
  data: Record<string, any>;
  timestamp: number;
}

export const EVENT = { dom: 0, load: 1, snapshot: 2, change: 3, meta: 4 } as const;

export const CHANGE = {
  mutation: 0,
  mouseMove: 1,
  mouse: 2,
  scroll: 3,
  resize: 4,
  input: 5,
  touchMove: 6,
  media: 7,
  rule: 8,
  drag: 12,
  declaration: 13,
  selection: 14,
  sheet: 15,
  customElement: 16,
} as const;

export const NODE = { document: 0, doctype: 1, element: 2, text: 3 } as const;

/** A node as the recorder writes it. */
export interface Written {
  type: number;
  id: number;
  tagName?: string;
  attributes?: Attributes;
  childNodes?: Written[];
  textContent?: string;
  isStyle?: boolean;
}

export interface Mutation {
  texts: { id: number; value: string | null }[];
  attributes: { id: number; attributes: Attributes }[];
  removes: { id: number }[];
  adds: { parentId: number; nextId: number | null; node: Written }[];
}
