/** Everything is reset: what a page says about `div` or `*` must not be seen in here. */
export const SHEET = `
:host {
  all: initial !important; display: block !important; position: fixed !important; inset: auto !important;
  width: 0 !important; height: 0 !important; z-index: 2147483647 !important;
  visibility: visible !important; opacity: 1 !important;
  font: 15px/1.4 system-ui, sans-serif !important; color: #14213d !important; color-scheme: light !important;
}
:host::backdrop { display: none !important; }
[hidden] { display: none !important; }
* { box-sizing: border-box; }
button {
  font: inherit; color: inherit; background: #fff; border: 1px solid #5c677d; border-radius: 6px;
  padding: 6px 12px; cursor: pointer; min-height: 36px;
}
button:hover { background: #eef2f7; }
button:focus-visible, a:focus-visible { outline: 3px solid #1b6ef3; outline-offset: 2px; }
button.strong { background: var(--color, #0b5cad); border-color: var(--color, #0b5cad); color: #fff; font-weight: 600; }
button.strong:hover { filter: brightness(0.92); }
#glance_stop_btn { background: #b3261e; border-color: #b3261e; color: #fff; font-weight: 600; }
#glance_cobrowse_btn { position: fixed; right: 20px; bottom: 20px; box-shadow: 0 2px 10px #0005; }
#glance_bar {
  position: fixed; left: 50%; bottom: 12px; transform: translateX(-50%); width: max-content; max-width: calc(100vw - 24px);
  display: flex; flex-wrap: wrap; align-items: center; gap: 10px; padding: 8px 12px;
  background: #fff; border: 1px solid #5c677d; border-radius: 10px; box-shadow: 0 4px 18px #0006;
}
#glance_ssn_key { font-weight: 700; font-size: 18px; letter-spacing: 2px; }
#glance_state { display: flex; align-items: center; gap: 8px; }
#glance_state::before { content: ""; width: 10px; height: 10px; border-radius: 50%; background: #8d99ae; flex: none; }
#glance_state[data-state=live]::before { background: #2e9e4f; }
#glance_state[data-state=waiting]::before { background: #e09f3e; }
dialog {
  border: 1px solid #5c677d; border-radius: 10px; padding: 20px; max-width: min(480px, calc(100vw - 32px));
  color: inherit; background: #fff; box-shadow: 0 8px 40px #0007;
}
dialog::backdrop { background: #0008; }
dialog h2 { font: 600 19px/1.3 system-ui, sans-serif; margin: 0 0 10px; }
dialog p { margin: 0 0 14px; }
dialog a { color: #0b5cad; }
.choices { display: flex; justify-content: flex-end; gap: 10px; }
.mask {
  position: fixed; pointer-events: none; border: 1px solid #b3261e; border-radius: 2px;
  background: repeating-linear-gradient(45deg, #b3261e33 0 6px, #b3261e11 6px 12px);
}
.pointer { position: fixed; pointer-events: none; transition: left 80ms linear, top 80ms linear; }
.pointer::before {
  content: ""; position: absolute; left: -10px; top: -10px; width: 20px; height: 20px;
  border: 3px solid #d1495b; border-radius: 50%; background: #d1495b44;
}
.pointer span {
  position: absolute; left: 14px; top: 8px; padding: 1px 6px; border-radius: 4px; white-space: nowrap;
  background: #d1495b; color: #fff; font-size: 12px;
}
.highlight { position: fixed; pointer-events: none; border: 3px solid #d1495b; border-radius: 4px; }
@media print { :host { display: none !important; } }
@media (prefers-reduced-motion: reduce) { .pointer { transition: none; } }
`;
