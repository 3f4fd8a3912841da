// Requests of the benchmark, in the shape of official SDKs.

export const BENCH_MODEL = "claude-sonnet-4-5-20250929";

/** Pacing of a stream of the mock upstream. The request itself carries it, so that it passes through any proxy. */
export interface StreamPacing {
  /** Text deltas between the first and the last event. */
  deltas: number;
  /** Milliseconds between two deltas. 0 sends the whole stream at once. */
  intervalMs: number;
}

export interface PromptOptions {
  /** Size of the JSON body, bytes. The result may be a few bytes smaller. */
  bytes: number;
  /** Null requests a JSON response. */
  stream: StreamPacing | null;
}

const SENTENCE =
  'The report lists each invoice with its date, "amount" and team.\nCompare it with the ledger, line by line. ';
const TURNS = 5; // user, assistant, user, assistant, user

/** Body of `POST /v1/messages`: a system prompt and a conversation of five turns, ASCII only. */
export function messagesBody({ bytes, stream }: PromptOptions): string {
  const build = (textBytes: number) =>
    JSON.stringify({
      model: BENCH_MODEL,
      max_tokens: 1024,
      metadata: { user_id: "bench" },
      system: "You help the finance team. Answer in plain words.",
      messages: Array.from({ length: TURNS }, (_, turn) => ({
        role: turn % 2 === 0 ? "user" : "assistant",
        content: (turn === 0 ? encodePacing(stream) : "") + repeatSentence(textBytes),
      })),
      ...(stream && { stream: true }),
    });
  // Escaped characters make the text longer, so shrink it until it fits.
  let textBytes = Math.max(1, Math.floor((bytes - build(0).length) / TURNS));
  while (textBytes > 1 && build(textBytes).length > bytes) textBytes -= 1;
  return build(textBytes);
}

function repeatSentence(bytes: number): string {
  return SENTENCE.repeat(Math.ceil(bytes / SENTENCE.length)).slice(0, bytes);
}

/** Instruction in the text of the first message, which every gateway passes on. */
function encodePacing(stream: StreamPacing | null): string {
  return stream ? `Send deltas=${stream.deltas} interval=${stream.intervalMs}. ` : "";
}

/** Parses the pacing of a request body. Null when the body requests a JSON response. */
export function decodePacing(body: string): StreamPacing | null {
  if (!/"stream": ?true/.test(body)) return null;
  const found = /Send deltas=(\d+) interval=(\d+)/.exec(body);
  return { deltas: Number(found?.[1] ?? 40), intervalMs: Number(found?.[2] ?? 0) };
}
