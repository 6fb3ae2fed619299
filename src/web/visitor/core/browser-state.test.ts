import assert from "node:assert/strict";
import { test } from "node:test";

import { cookieDomainFor } from "./browser-state.ts";

test("a cookie's domain must hold the page's host", () => {
  for (const [domain, host, fitting] of [
    ["bank.example", "www.bank.example", "bank.example"],
    [".Bank.example", "www.bank.example", "bank.example"],
    ["bank.example", "bank.example", "bank.example"],
    ["bank.example", "notbank.example", undefined],
    ["other.example", "bank.example", undefined],
    ["", "bank.example", undefined],
    [".", "bank.example", undefined],
  ] as const) {
    assert.equal(cookieDomainFor(domain, host), fitting, `${domain} ${host}`);
  }
});
