import { makeObservable } from "./observable.ts";

// Availability of the server. A call without an answer starts polling /healthz, which ends with the first answer.

const RETRY_MS = 2_000;

/** True while the server does not answer. */
export const isServerAway = makeObservable(false);
/** Incremented when the server is available again. Components then reload their data. */
export const reconnectCount = makeObservable(0);
/** Incremented when a refusal shows that the session has ended, or that it needs a second factor first. */
export const sessionChangeCount = makeObservable(0);

export function reportSessionChange(): void {
  sessionChangeCount.set(sessionChangeCount.get() + 1);
}

export function reportAnswer(): void {
  if (isServerAway.get()) reconnect();
}

export function reportNoAnswer(): void {
  if (isServerAway.get()) return;
  isServerAway.set(true);
  setTimeout(() => void pollServer(), RETRY_MS);
}

/** Checks now whether the server answers. */
export function checkServer(): Promise<boolean> {
  return fetch("/healthz", { cache: "no-store" }).then(
    (response) => response.ok,
    () => false,
  );
}

/** Resolves when the server answers again. Resolves at once if it already does. */
export function waitForServer(): Promise<void> {
  return new Promise((resolve) => {
    if (!isServerAway.get()) return resolve();
    const stop = isServerAway.watch(() => {
      stop();
      resolve();
    });
  });
}

async function pollServer(): Promise<void> {
  if (!isServerAway.get()) return;
  if (await checkServer()) reconnect();
  else setTimeout(() => void pollServer(), RETRY_MS);
}

function reconnect(): void {
  if (!isServerAway.get()) return;
  isServerAway.set(false);
  reconnectCount.set(reconnectCount.get() + 1);
}
