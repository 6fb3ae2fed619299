/** The replayer's own marks, and the sheet of glass over the page. */
export const SHEET = `
html { height: 100%; background: #dfe3e8; color-scheme: light; overflow: auto; }
@media (prefers-color-scheme: dark) { html { background: #0d1015; } }
body { margin: 0; display: grid; justify-items: safe center; }
#sheet { position: relative; overflow: hidden; background: #fff; }
#sheet:empty, body:not(:has(iframe)) #sheet { visibility: hidden; }
#pages { position: absolute; left: 0; top: 0; transform-origin: 0 0; }
#pages > div { position: absolute; inset: 0; }
#glass { position: absolute; inset: 0; }
[data-tool=point] #glass, [data-tool=highlight] #glass { cursor: crosshair; }
#outline { position: absolute; box-sizing: border-box; border: 2px solid #d1495b; border-radius: 3px; pointer-events: none; }
.replayer-wrapper { position: relative; }
.replayer-wrapper > iframe { border: 0; display: block; background: #fff; }
.replayer-mouse {
  position: absolute; z-index: 1; width: 20px; height: 20px; pointer-events: none;
  transition: left 50ms linear, top 50ms linear;
}
.replayer-mouse::before {
  content: ""; position: absolute; left: 0; top: 0; width: 14px; height: 20px;
  background: #14213d; clip-path: polygon(0 0, 0 85%, 26% 66%, 44% 100%, 62% 92%, 45% 60%, 80% 60%);
  filter: drop-shadow(0 0 1px #fff);
}
.replayer-mouse::after {
  content: ""; position: absolute; left: -14px; top: -14px; width: 28px; height: 28px; border-radius: 50%;
  background: #1b6ef3; opacity: 0;
}
.replayer-mouse.active::after { animation: press 250ms ease-out; }
.replayer-mouse.touch-device::before { display: none; }
.replayer-mouse.touch-active::after { opacity: 0.4; }
@keyframes press { from { opacity: 0.5; transform: scale(0.4); } to { opacity: 0; transform: scale(1.4); } }
@media (prefers-reduced-motion: reduce) { .replayer-mouse { transition: none; } .replayer-mouse.active::after { animation: none; } }
`;
