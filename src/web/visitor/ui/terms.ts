import { button, element } from "./element.ts";

export interface Terms {
  url?: string;
  text?: string;
}

const TEXT =
  "An agent will see this page in your browser while you talk, until you end the session. Private fields stay hidden.";

/** Asks; one dialog at a time, and closing it is a no. */
export function askTerms(root: ShadowRoot, terms: Terms, accept: () => void): void {
  root.getElementById("glance_terms")?.remove();
  const link = webUrl(terms.url);
  const dialog = element(
    "dialog",
    { id: "glance_terms", "aria-labelledby": "glance_terms_title", "aria-describedby": "glance_terms_text" },
    element("h2", { id: "glance_terms_title" }, "Share this page with an agent?"),
    element("p", { id: "glance_terms_text" }, terms.text || TEXT),
  );
  if (link) {
    const attributes = { id: "glance_terms_link", href: link, target: "_blank", rel: "noopener" };
    dialog.appendChild(element("p", {}, element("a", attributes, "Terms and conditions")));
  }
  const decline = button("glance_decline", "Decline", () => dialog.close());
  const agree = button("glance_accept", "Accept", () => {
    dialog.close();
    accept();
  });
  agree.className = "strong";
  dialog.appendChild(element("div", { class: "choices" }, decline, agree));
  dialog.addEventListener("close", () => dialog.remove());
  root.appendChild(dialog);
  dialog.showModal();
  agree.focus();
}

function webUrl(url: string | undefined): string | undefined {
  try {
    const { protocol, href } = new URL(url || "", location.href);
    return url && /^https?:$/.test(protocol) ? href : undefined;
  } catch {
    return undefined;
  }
}
