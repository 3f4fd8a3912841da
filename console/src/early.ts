// Asks for the session before the console's own files have arrived, which saves a round trip. The build puts this file
// first into each document of a member, and api-client.ts takes the answer. So this file imports nothing.

declare global {
  /** Response to the first question for the session. Undefined: not asked, or taken. */
  var bursarSession: Promise<Response> | undefined;
}

globalThis.bursarSession = fetch("/v1/admin/session", {
  headers: { accept: "application/json", "x-bursar-console": "1" },
  credentials: "same-origin",
  cache: "no-store",
  redirect: "error",
});
// Without a listener, the browser would report a failure that api-client.ts handles later.
globalThis.bursarSession.catch(() => undefined);

export {};
