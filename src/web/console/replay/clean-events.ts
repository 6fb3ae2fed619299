import { cleanAttributes } from "./clean-attributes.ts";
import { cleanNodes, type Nodes } from "./clean-nodes.ts";
import { CHANGE, EVENT, type CleanEvent } from "./recording.ts";
import { bag, id, list, malformed, number, text, type Bag } from "./values.ts";

/** Windows are drawn no larger. */
export const SIDE_MAX = 8_192;
const SCROLL_MAX = 10_000_000;

/**
 * Cleans the events of one recording, in their order: what is left builds a picture and does nothing
 * else. Throws at what no recorder writes. The frame's sandbox and policy hold all the same.
 */
export function createCleaner(): (event: unknown) => CleanEvent | undefined {
  let nodes = cleanNodes();
  return (given) => {
    const { type, timestamp, data } = bag(given, "event");
    if (typeof timestamp !== "number" || !Number.isFinite(timestamp)) malformed("timestamp");
    switch (type) {
      case EVENT.meta:
        return { type, timestamp, data: size(bag(data, "meta")) };
      case EVENT.snapshot: {
        nodes = cleanNodes();
        return { type, timestamp, data: snapshot(bag(data, "snapshot"), nodes) };
      }
      case EVENT.change: {
        const change = cleanChange(bag(data, "change"), nodes);
        return change && { type, timestamp, data: change };
      }
      default:
        return undefined;
    }
  };
}

function size({ width, height }: Bag): Bag {
  return { href: "about:blank", width: number(width, 1, SIDE_MAX), height: number(height, 1, SIDE_MAX) };
}

function snapshot({ node, initialOffset }: Bag, nodes: Nodes): Bag {
  const { top, left } = bag(initialOffset ?? {}, "initialOffset");
  const offset = { top: number(top, 0, SCROLL_MAX), left: number(left, 0, SCROLL_MAX) };
  return { node: nodes.clean(node), initialOffset: offset };
}

/** Media, canvases and fonts are not replayed; custom elements are defined as they are built. */
function cleanChange(data: Bag, nodes: Nodes): Bag | undefined {
  const { source } = data;
  switch (source) {
    case CHANGE.mutation:
      return { source, ...mutation(data, nodes) };
    case CHANGE.mouseMove:
    case CHANGE.touchMove:
    case CHANGE.drag:
      return { source, positions: positions(data) };
    case CHANGE.mouse:
      return mouse(data);
    case CHANGE.scroll:
      return { source, id: id(data.id, "scroll.id"), x: number(data.x, 0, SCROLL_MAX), y: number(data.y, 0, SCROLL_MAX) };
    case CHANGE.resize:
      return { source, ...size(data) };
    case CHANGE.input:
      return { source, id: id(data.id, "input.id"), text: text(data.text), isChecked: data.isChecked === true };
    case CHANGE.rule:
      return { source, ...sheetOf(data), ...rules(data) };
    case CHANGE.declaration:
      return { source, ...sheetOf(data), ...declaration(data) };
    case CHANGE.selection:
      return { source, ranges: list(data.ranges, "ranges", 1_000).map(range) };
    case CHANGE.sheets:
      return { source, id: id(data.id, "sheets.id"), ...sheets(data) };
    default:
      return undefined;
  }
}

function mutation(data: Bag, nodes: Nodes): Bag {
  return {
    removes: list(data.removes, "removes").map((given) => {
      const { parentId, id: node, isShadow } = bag(given, "remove");
      return { parentId: id(parentId, "parentId"), id: id(node, "id"), ...(isShadow === true ? { isShadow } : {}) };
    }),
    adds: list(data.adds, "adds").map((given) => {
      const { parentId, nextId, node } = bag(given, "add");
      const before = nextId == null ? null : id(nextId, "nextId");
      return { parentId: id(parentId, "parentId"), nextId: before, node: nodes.clean(node) };
    }),
    texts: list(data.texts, "texts").map((given) => {
      const { id: node, value } = bag(given, "text");
      return { id: id(node, "id"), value: text(value) };
    }),
    attributes: list(data.attributes, "attributes").flatMap((given) => {
      const { id: node, attributes } = bag(given, "attribute");
      const tag = nodes.tagOf(id(node, "id"));
      if (tag === undefined) return [];
      return [{ id: node, attributes: cleanAttributes(tag, bag(attributes, "attributes")) }];
    }),
  };
}

/** The way of a pointer, as times before its event. */
function positions(data: Bag): Bag[] {
  const all = list(data.positions, "positions", 2_000);
  if (!all.length) malformed("positions");
  return all.map((given) => {
    const { x, y, id: node, timeOffset } = bag(given, "position");
    const before = number(timeOffset, -1_000, 0, 0);
    return { x: coordinate(x), y: coordinate(y), id: id(node, "position.id"), timeOffset: before };
  });
}

const coordinate = (value: unknown) => number(value, -SIDE_MAX, SIDE_MAX, 0);

/** The kinds of the recorder, from `mouseup` to `touchcancel`. */
function mouse({ source, type, id: node, x, y }: Bag): Bag | undefined {
  if (!Number.isInteger(type) || (type as number) < 0 || (type as number) > 10) return undefined;
  return { source, type, id: id(node, "mouse.id"), x: coordinate(x), y: coordinate(y) };
}

function sheetOf({ id: node, styleId }: Bag): Bag {
  return {
    ...(node === undefined ? {} : { id: id(node, "sheet") }),
    ...(styleId === undefined ? {} : { styleId: id(styleId, "styleId") }),
  };
}

function rules({ adds, removes, replace, replaceSync }: Bag): Bag {
  return {
    ...(adds === undefined ? {} : { adds: list(adds, "rules").map(rule) }),
    ...(removes === undefined ? {} : { removes: list(removes, "rules").map(removed) }),
    ...(typeof replace === "string" ? { replace } : {}),
    ...(typeof replaceSync === "string" ? { replaceSync } : {}),
  };
}

function removed(given: unknown): Bag {
  return { index: position(bag(given, "rule").index) };
}

function rule(given: unknown): Bag {
  const { rule: css, index } = bag(given, "rule");
  return { rule: text(css), ...(index === undefined ? {} : { index: position(index) }) };
}

/** Of a rule among rules, or of a rule within rules. */
function position(value: unknown): number | number[] {
  if (Array.isArray(value)) return list(value, "index", 100).map((part) => id(part, "index"));
  return id(value, "index");
}

function declaration({ index, set, remove }: Bag): Bag {
  const made: Bag = { index: list(index, "index", 100).map((part) => id(part, "index")) };
  if (set !== undefined) {
    const { property, value, priority } = bag(set, "set");
    made.set = { property: text(property), value: value === null ? null : text(value), priority: text(priority) };
  }
  if (remove !== undefined) made.remove = { property: text(bag(remove, "remove").property) };
  return made;
}

function range(given: unknown): Bag {
  const { start, startOffset, end, endOffset } = bag(given, "range");
  return {
    start: id(start, "start"),
    startOffset: number(startOffset, 0, SCROLL_MAX),
    end: id(end, "end"),
    endOffset: number(endOffset, 0, SCROLL_MAX),
  };
}

function sheets({ styles, styleIds }: Bag): Bag {
  return {
    styleIds: list(styleIds, "styleIds", 10_000).map((part) => id(part, "styleId")),
    ...(styles === undefined
      ? {}
      : {
          styles: list(styles, "styles", 10_000).map((given) => {
            const { styleId, rules: written } = bag(given, "style");
            return { styleId: id(styleId, "styleId"), rules: list(written, "rules").map(rule) };
          }),
        }),
  };
}
