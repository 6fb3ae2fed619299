/** A node's box as the window sees it, through the frames that it is in. */
export function boxOf(node: Node | null): DOMRect | undefined {
  const element = (node?.nodeType === 1 ? node : node?.parentElement) as Element | null | undefined;
  if (!element) return undefined;
  const { left, top, width, height } = element.getBoundingClientRect();
  let x = left;
  let y = top;
  let view = element.ownerDocument.defaultView;
  while (view?.frameElement) {
    const frame = view.frameElement.getBoundingClientRect();
    x += frame.left + view.frameElement.clientLeft;
    y += frame.top + view.frameElement.clientTop;
    view = view.frameElement.ownerDocument.defaultView;
  }
  return new DOMRect(x, y, width, height);
}

export function place(box: HTMLElement, { x, y, width, height }: DOMRect): void {
  box.style.left = `${x}px`;
  box.style.top = `${y}px`;
  box.style.width = `${width}px`;
  box.style.height = `${height}px`;
}
