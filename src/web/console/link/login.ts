import { AGENTS_PATHS, type Account, type Credentials, type Refused } from "../../shared/agents.ts";

/** An account, or why there is none. Without a connection: the words for that. */
export async function logIn(credentials: Credentials): Promise<Account | Refused> {
  return ask(AGENTS_PATHS.login, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(credentials),
  });
}

/** The account of the login that the browser has. */
export function account(): Promise<Account | Refused> {
  return ask(AGENTS_PATHS.account, {});
}

export async function logOut(): Promise<void> {
  await fetch(AGENTS_PATHS.logout, { method: "POST" }).catch(() => undefined);
}

export function isRefused(answer: Account | Refused): answer is Refused {
  return "code" in answer;
}

async function ask(path: string, init: RequestInit): Promise<Account | Refused> {
  try {
    const answer = await fetch(path, { ...init, credentials: "same-origin", cache: "no-store", redirect: "error" });
    return (await answer.json()) as Account | Refused;
  } catch {
    return { code: "busy", text: "The server cannot be reached. Try again in a moment." };
  }
}
