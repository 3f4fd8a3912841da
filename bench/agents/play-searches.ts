import { findModelSpeed } from "../../server/src/domain/model-speeds.ts";
import { makePriceBook } from "../../server/src/domain/price-book.ts";
import { findStreamNeed, firstHold } from "../../server/src/domain/stream-bound.ts";
import { findStreamTerms, type StreamTerms } from "../../server/src/domain/stream-terms.ts";
import { computeWorstCost } from "../../server/src/domain/worst-case.ts";
import { MeteredStream } from "../../server/src/gateway/metered-stream.ts";
import { parseMessage } from "../../server/src/gateway/parse-message.ts";
import { makeUsageReader } from "../../server/src/gateway/read-usage.ts";
import { makePromptCache } from "../../server/src/simulator/prompt-cache.ts";
import { seededRandom } from "../../server/test/harness/seeded-random.ts";
import { AGENT_MODEL } from "./agent-body.ts";
import { bill } from "./bill.ts";
import { billUntil } from "./billed-request.ts";
import { type PlannedAnswer, planAnswer, type SearchKind } from "./plan-answer.ts";
import { readMessage } from "./read-request.ts";
import { makeSearchBody } from "./run-searches.ts";

// The streams of `agents.ts search` without a server and without waiting: the meter of the gateway follows each of them under
// a limit with room.

const TICK_MS = 250;
const READ_MS = 25;
const SENT_AT_MS = Date.parse("2026-11-29");
const SPEED = { tokensPerSecond: [50, 90], firstTokenMs: [1_000, 3_000] } as const;
const book = makePriceBook([]);

/** Highest holds of a stream, divided by its cost. */
export interface PlayedHolds {
  whole: number;
  afterFirstEvent: number;
  /** True: the bound was below the bill at some time. */
  isUnderBilled: boolean;
}

export function playSearches(asked: {
  requests: number;
  seed: number;
  isCached: boolean;
  searches: SearchKind;
}): PlayedHolds[] {
  const { seed, isCached, searches } = asked;
  const random = seededRandom(seed);
  const cache = makePromptCache();
  return Array.from({ length: asked.requests }, (_, at) => {
    const body = Buffer.from(JSON.stringify(makeSearchBody({ seed, at, isCached }, random)));
    const context = { messageId: `msg_${at}`, cache, nowMs: SENT_AT_MS, fixedTokens: null };
    const { answer: request } = readMessage(body, context);
    const { cachesResults } = searches;
    return play(
      findTerms(body, cachesResults),
      planAnswer(request, { random, ...SPEED, searches }),
    );
  });
}

/** `cachesResults`: an earlier stream has shown it. */
function findTerms(body: Buffer, cachesResults: boolean): StreamTerms {
  const message = parseMessage(body);
  const worstCase = computeWorstCost(message, book, SENT_AT_MS);
  const limits = {
    findSpeed: findModelSpeed,
    isExcludedTool: () => false,
    cachesResults: () => cachesResults,
  };
  const terms = findStreamTerms(message, worstCase, limits);
  if (terms === null) throw new Error("the request is held whole");
  return terms;
}

function play(terms: StreamTerms, answer: PlannedAnswer): PlayedHolds {
  const { moments } = answer;
  const stream = new MeteredStream({ requestId: "", terms, book, pricedAtMs: SENT_AT_MS }, 0);
  const reader = makeUsageReader({ isStream: true, requestedModel: AGENT_MODEL });
  let nowMs = 0;
  stream.follow(reader.live, () => nowMs);
  let hold = firstHold(terms);
  let whole = hold;
  let isUnderBilled = false;
  let next = 0;
  for (const endMs = moments.at(-1)?.atMs ?? 0; nowMs < endMs + TICK_MS; nowMs += READ_MS) {
    const from = next;
    while ((moments[next]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) next += 1;
    const text = moments.slice(from, next).reduce((all, each) => all + each.text, "");
    if (text !== "") {
      stream.noteRead();
      reader.push(Buffer.from(text));
    }
    if (nowMs % TICK_MS !== 0) continue;
    stream.look(nowMs);
    const { seen } = stream;
    isUnderBilled ||=
      stream.boundAt(nowMs) < billUntil(AGENT_MODEL, answer, moments[next - 1] ?? null);
    hold = findStreamNeed(terms, seen, { atMs: nowMs, currentNanoUsd: hold }).wishNanoUsd ?? hold;
    if (hold > whole) whole = hold;
    stream.noteHold(hold);
  }
  const cost = Number(bill(AGENT_MODEL, answer.usage));
  const afterFirstEvent = Number(stream.peakNanoUsd) / cost;
  return { whole: Number(whole) / cost, afterFirstEvent, isUnderBilled };
}
