import { listFirstQuestions } from "./routes/first-questions.ts";

// Asks for the session before the console's own files have arrived, and then for the data of the page. The build puts this
// program first into each document of a member. api-client.ts takes the answers.

declare global {
  /** Responses by address. Undefined: in a document without this program. */
  var bursarEarly: Map<string, Promise<Response>> | undefined;
}

const responses = new Map<string, Promise<Response>>();
globalThis.bursarEarly = responses;

function ask(address: string): Promise<Response> {
  const response = fetch(address, {
    headers: { accept: "application/json", "x-bursar-console": "1" },
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
  });
  // A page that is left early reads no answer, and the request would stay open. api-client.ts handles a failure.
  response.then((answer) => answer.clone().arrayBuffer()).catch(() => undefined);
  responses.set(address, response);
  return response;
}

async function askAll(): Promise<void> {
  const response = await ask("/v1/admin/session");
  if (!response.ok) return;
  const session = await response.clone().json();
  if (session.is_second_factor_required) return;
  for (const address of listFirstQuestions(location, session, Date.now())) void ask(address);
}

// A failure is that of the session, which api-client.ts handles.
askAll().catch(() => undefined);
