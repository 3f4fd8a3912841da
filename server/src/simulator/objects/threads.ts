import { rm, stat, writeFile } from "node:fs/promises";
import { newId } from "#src/lib/ids.ts";
import type { Exchange, SimulatorDeps } from "../exchange.ts";
import { SimulatedError } from "../simulated-error.ts";
import { toMessage, type WireAnswer } from "../wire-answer.ts";
import { asFields, refuse, type WireRequest } from "../wire-request.ts";
import type { ThreadRecord, ThreadStore } from "./object-stores.ts";

// Threads: conversations that the server stores. Each response of a thread has an id of its own, by which one later
// request continues it.

const BETA = "message-threads-2026-08-12";
/** Fields that a thread has from its first request. */
const CREATE_ONLY = ["system", "tools"] as const;
/** Fields that cannot be combined with a thread. */
const UNSUPPORTED = ["context_management", "fallbacks"] as const;
/** Age of a lock whose process must have ended. */
const STALE_LOCK_MS = 10 * 60_000;

/** One request of a thread. */
export interface ThreadTurn {
  /** The request with the whole conversation. */
  request: WireRequest;
  /** Id of the response. */
  messageId: string;
  /** Stores the response, before the client receives it. */
  store(wire: WireAnswer): Promise<void>;
  /** Ends the turn, also after a failure. */
  release(): Promise<void>;
}

/**
 * Begins a turn. Null: the request has no thread. Throws SimulatedError with the official codes: for a missing thread,
 * one that another request continues or has continued, and a request that does not fit.
 */
export async function beginThreadTurn(
  deps: SimulatorDeps,
  exchange: Exchange,
  request: WireRequest,
): Promise<ThreadTurn | null> {
  const thread = asFields(request.thread);
  if (thread === null) return null;
  if (!(exchange.request.headers["anthropic-beta"] ?? "").includes(BETA)) {
    throw refuse("thread: Extra inputs are not permitted");
  }
  const unsupported = UNSUPPORTED.filter((field) => request[field] != null);
  if (unsupported.length > 0) {
    throw new SimulatedError(400, `Threads do not support ${unsupported.join(", ")}.`, {
      error_code: "thread_unsupported_request",
      unsupported,
    });
  }
  switch (thread.type) {
    case "create":
      return makeTurn(deps, request, () => Promise.resolve());
    case "continue":
      return await continueThread(deps, request, thread.previous_message_id);
    default:
      throw refuse("thread.type: Input should be 'create' or 'continue'");
  }
}

async function continueThread(
  deps: SimulatorDeps,
  request: WireRequest,
  previousId: unknown,
): Promise<ThreadTurn> {
  if (typeof previousId !== "string") throw refuse("thread.previous_message_id: Field required");
  const { threads } = deps;
  const found = await getThread(threads, previousId);
  const repeated = CREATE_ONLY.filter((field) => request[field] !== undefined);
  if (repeated.length > 0)
    throw refuse(`${repeated.join(", ")}: not allowed on a continued thread`);
  if (request.model !== found.model) {
    throw new SimulatedError(400, "model: differs from the model of the thread", {
      error_code: "thread_fingerprint_mismatch",
    });
  }
  const unlock = await lockThread(threads, previousId, deps.clock.nowMs());
  const current = await getThread(threads, previousId);
  if (current.isContinued) {
    await unlock();
    throw new SimulatedError(400, "This response was already continued.", {
      error_code: "thread_already_continued",
    });
  }
  const whole: WireRequest = {
    ...request,
    system: current.system,
    tools: current.tools,
    messages: [...current.messages, ...request.messages],
  };
  const turn = makeTurn(deps, whole, unlock);
  return {
    ...turn,
    async store(wire) {
      await turn.store(wire);
      if (wire.answer.stopReason !== "refusal")
        await threads.put({ ...current, isContinued: true });
    },
  };
}

async function getThread(threads: ThreadStore, id: string): Promise<ThreadRecord> {
  const thread = await threads.find(id);
  if (thread !== null) return thread;
  throw new SimulatedError(404, `No thread was found for ${id}.`, {
    error_code: "thread_not_found",
  });
}

function makeTurn(
  { threads, clock }: SimulatorDeps,
  request: WireRequest,
  release: () => Promise<void>,
): ThreadTurn {
  const messageId = newId("msg_", clock.nowMs());
  return {
    request,
    messageId,
    release,
    async store(wire) {
      // A refused turn is no part of the conversation.
      if (wire.answer.stopReason === "refusal") return;
      const { content } = toMessage(wire);
      await threads.put({
        id: messageId,
        model: request.model,
        system: request.system,
        tools: request.tools,
        messages: [...request.messages, { role: "assistant", content }],
        isContinued: false,
      });
    },
  };
}

/** Locks a response for one request of all processes. Throws SimulatedError while another request has the lock. */
async function lockThread(
  threads: ThreadStore,
  id: string,
  nowMs: number,
): Promise<() => Promise<void>> {
  const path = await threads.pathFor(id, "lock");
  const isStale = await stat(path).then(
    ({ mtimeMs }) => nowMs - mtimeMs > STALE_LOCK_MS,
    () => false,
  );
  if (isStale) await rm(path, { force: true });
  try {
    await writeFile(path, "", { flag: "wx" });
  } catch {
    throw new SimulatedError(400, "Another request continues this response.", {
      error_code: "thread_continue_in_flight",
    });
  }
  return () => rm(path, { force: true });
}
