import { parseGroupSet, type GroupSet } from "../../shared/groups.ts";

/** What the loader needs of the page's tag; read once, before anybody can change it. */
export interface Tag {
  element: HTMLElement;
  groups: GroupSet;
  grant: string;
  inputEvents: string;
  /** Folder of the scripts, with a slash at its end. */
  scripts: string;
  /** Folder of the loader. */
  here: string;
}

/** The element that carries the settings: the running script, or one of the names of old. */
export function findTag(doc: Document): HTMLElement | null {
  const running = doc.currentScript;
  if (running?.hasAttribute("data-groupid")) return running as HTMLElement;
  return doc.getElementById("glance-cobrowse") ?? doc.getElementById("cobrowsescript");
}

export function attributeOf(element: Element, name: string): string {
  return element.getAttribute(`data-${name}`) ?? "";
}

/** The groups that a tag allows. The vendor's text writes the second attribute both ways. */
export function groupsOf(element: Element): GroupSet {
  const say = (name: string) => attributeOf(element, name);
  return parseGroupSet(say("groupid"), `${say("additionalgroupids")},${say("additionalgroupid")}`);
}

export function readTag(element: HTMLElement, source: string): Tag {
  const here = source.replace(/[?#].*/, "").replace(/[^/]*$/, "");
  return {
    element,
    groups: groupsOf(element),
    grant: attributeOf(element, "grant"),
    inputEvents: attributeOf(element, "inputevents"),
    scripts: (attributeOf(element, "scriptserver") || here).replace(/\/?$/, "/"),
    here,
  };
}
