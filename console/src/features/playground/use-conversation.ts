import { useEffect, useRef, useState } from "react";
import { ApiError } from "../../api-client.ts";
import type { Message, MessageRequest } from "../../kit/code-samples/message-request.ts";
import { callClaude } from "./claude.ts";
import { usePlaygroundKeys } from "./session.ts";
import { type Prompt, toRequest } from "./to-request.ts";

export interface Turn extends Message {
  id: number;
  /** Request id of a response. */
  requestId: string | null;
  /** End of a response. */
  end: "running" | "whole" | "cut" | "stopped" | "broken";
}

export interface Settings extends Prompt {
  workspaceId: string;
}

export interface Conversation {
  turns: readonly Turn[];
  isRunning: boolean;
  error: Error | null;
  /** Resolves to false if the call was refused. The user then edits the message again. */
  send: (text: string, settings: Settings) => Promise<boolean>;
  stop: () => void;
  clear: () => void;
}

/** End of a call. Null: refused before the first text, so the turn is removed. */
interface CallResult {
  end: Turn["end"] | null;
  failure: Error | null;
}

/** Conversation in memory, lost when the page closes. */
export function useConversation(): Conversation {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [error, setError] = useState<Error | null>(null);
  const running = useRef<AbortController | null>(null);
  const nextId = useRef(1);
  const keys = usePlaygroundKeys();
  useEffect(() => () => running.current?.abort(), []);

  const change = (id: number, to: (turn: Turn) => Partial<Turn>) =>
    setTurns((now) => now.map((turn) => (turn.id === id ? { ...turn, ...to(turn) } : turn)));

  async function callModel(
    id: number,
    request: MessageRequest,
    workspaceId: string,
  ): Promise<CallResult> {
    const controller = new AbortController();
    running.current = controller;
    let hasText = false;
    const options = {
      request,
      signal: controller.signal,
      onRequest: (requestId: string) => change(id, () => ({ requestId })),
      onText: (text: string) => {
        hasText = true;
        change(id, (turn) => ({ content: turn.content + text }));
      },
    };
    try {
      const stopReason = await callWithKey(keys, workspaceId, options);
      return { end: stopReason === "max_tokens" ? "cut" : "whole", failure: null };
    } catch (failure) {
      if (controller.signal.aborted) return { end: "stopped", failure: null };
      return { end: hasText ? "broken" : null, failure: failure as Error };
    } finally {
      running.current = null;
    }
  }

  async function send(text: string, settings: Settings): Promise<boolean> {
    const question = makeTurn(nextId.current++, "user", text);
    const answer = makeTurn(nextId.current++, "assistant", "");
    const request = toRequest([...turns, question], settings);
    setError(null);
    setTurns([...turns, question, answer]);
    const { end, failure } = await callModel(answer.id, request, settings.workspaceId);
    setError(failure);
    if (end !== null) change(answer.id, () => ({ end }));
    else setTurns((now) => now.filter(({ id }) => id !== question.id && id !== answer.id));
    return end !== null;
  }

  return {
    turns,
    isRunning: turns.some(({ end }) => end === "running"),
    error,
    send,
    stop: () => running.current?.abort(),
    clear: () => {
      running.current?.abort();
      setTurns([]);
      setError(null);
    },
  };
}

/** Calls Claude, and retries once with a new key, since the key can expire early. */
async function callWithKey(
  keys: ReturnType<typeof usePlaygroundKeys>,
  workspaceId: string,
  options: Omit<Parameters<typeof callClaude>[0], "key">,
): Promise<string | null> {
  try {
    return await callClaude({ ...options, key: await keys.getSecret(workspaceId) });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    keys.discard();
    return callClaude({ ...options, key: await keys.getSecret(workspaceId) });
  }
}

function makeTurn(id: number, role: Turn["role"], content: string): Turn {
  return { id, role, content, requestId: null, end: role === "user" ? "whole" : "running" };
}
