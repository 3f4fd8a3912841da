// The requests that the benchmark sends, in the shape that official SDKs send.

export const BENCH_MODEL = "claude-sonnet-4-5-20250929";

/** How the mock upstream plays a stream. It travels in the request itself, so it is the same through any proxy. */
export interface StreamPacing {
  /** Text deltas between the first and the last event. */
  deltas: number;
  /** Between two deltas, in milliseconds; 0 sends the whole stream at once. */
  intervalMs: number;
}

export interface PromptOptions {
  /** Size of the JSON body, in bytes; what is asked for or up to a few bytes less. */
  bytes: number;
  /** Null asks for a JSON answer. */
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
      metadata: { user_id: encodePacing(stream) },
      system: "You help the finance team. Answer in plain words.",
      messages: Array.from({ length: TURNS }, (_, turn) => ({
        role: turn % 2 === 0 ? "user" : "assistant",
        content: SENTENCE.repeat(Math.ceil(textBytes / SENTENCE.length)).slice(0, textBytes),
      })),
      ...(stream && { stream: true }),
    });
  // Escaped characters make the text grow: shrink until it fits.
  let textBytes = Math.max(1, Math.floor((bytes - build(0).length) / TURNS));
  while (textBytes > 1 && build(textBytes).length > bytes) textBytes -= 1;
  return build(textBytes);
}

function encodePacing(stream: StreamPacing | null): string {
  return stream ? `bench deltas=${stream.deltas} interval=${stream.intervalMs}` : "bench";
}

/** Reads the pacing from a request's body; null when the body asks for a JSON answer. */
export function decodePacing(body: string): StreamPacing | null {
  if (!body.includes('"stream":true')) return null;
  const found = /"bench deltas=(\d+) interval=(\d+)"/.exec(body);
  return { deltas: Number(found?.[1] ?? 40), intervalMs: Number(found?.[2] ?? 0) };
}
