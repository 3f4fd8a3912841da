import { makeObservable } from "./observable.ts";

// Whether the server answers. A call that gets no answer starts a watch on /healthz, whose first answer ends it.

const RETRY_MS = 2_000;

/** True while the server does not answer. */
export const isServerAway = makeObservable(false);
/** Rises by one each time the server is back: what shows data asks for it again. */
export const returns = makeObservable(0);
/** Rises by one each time a call is refused because nobody is signed in. */
export const signOuts = makeObservable(0);

/** The server refused a call because nobody is signed in any more. */
export function reportSignOut(): void {
  signOuts.set(signOuts.get() + 1);
}

export function reportAnswer(): void {
  if (isServerAway.get()) reconnect();
}

export function reportSilence(): void {
  if (isServerAway.get()) return;
  isServerAway.set(true);
  setTimeout(() => void look(), RETRY_MS);
}

/** Asks whether the server is there now. */
export function isServerThere(): Promise<boolean> {
  return fetch("/healthz", { cache: "no-store" }).then(
    (response) => response.ok,
    () => false,
  );
}

/** Resolves once the server answers again; at once where it does. */
export function whenServerReturns(): Promise<void> {
  return new Promise((resolve) => {
    if (!isServerAway.get()) return resolve();
    const stop = isServerAway.watch(() => {
      stop();
      resolve();
    });
  });
}

async function look(): Promise<void> {
  if (!isServerAway.get()) return;
  if (await isServerThere()) reconnect();
  else setTimeout(() => void look(), RETRY_MS);
}

function reconnect(): void {
  if (!isServerAway.get()) return;
  isServerAway.set(false);
  returns.set(returns.get() + 1);
}
