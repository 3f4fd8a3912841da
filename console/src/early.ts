import type { Answer } from "./api-client.ts";
import type { EarlyAnswer } from "./early-answers.ts";
import { badgesAddress, listFirstQuestions, listNextQuestions } from "./routes/first-questions.ts";
import { requestSecondFiles } from "./second-files.ts";

// Asks for the session before the console's own files have arrived, and then for the data of the page. The build puts this
// program first into each document of a member. api-client.ts takes the answers.

const answers = new Map<string, EarlyAnswer>();
globalThis.bursarEarly = answers;

function ask(address: string): Promise<EarlyAnswer> {
  const response = fetch(address, {
    headers: { accept: "application/json", "x-bursar-console": "1" },
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
  });
  const answer: EarlyAnswer = { response, received: null };
  answers.set(address, answer);
  return receive(answer);
}

/** Reads each answer, because a request without a reader stays open when the page is left early. */
async function receive(answer: EarlyAnswer): Promise<EarlyAnswer> {
  const response = await answer.response;
  const { headers } = response;
  const body: unknown = await response.clone().json();
  if (response.ok) answer.received = { headers, body };
  return answer;
}

async function askAll(): Promise<void> {
  const { received } = await ask("/v1/admin/session");
  if (received === null) return;
  const session = received.body as Answer<"getSession">;
  if (session.is_second_factor_required) return;
  await Promise.allSettled(listFirstQuestions(location, session, Date.now()).map(askWithNext));
}

async function askWithNext(address: string): Promise<void> {
  const { received } = await ask(address);
  if (received === null || address !== badgesAddress) return;
  const next = listNextQuestions(location, received.body as Answer<"getBadges">);
  await Promise.allSettled(next.map(ask));
}

requestSecondFiles();
// api-client.ts handles failures.
askAll().catch(() => undefined);
