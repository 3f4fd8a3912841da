import type { Message, MessageRequest } from "../../kit/code-samples/message-request.ts";

/** Settings of a request besides its messages. */
export interface Prompt {
  model: string;
  system: string;
  maxTokens: number;
  isStreamed: boolean;
}

/** Request for these turns. Omits responses that were stopped before their first text. */
export function toRequest(
  turns: readonly Message[],
  { model, system, maxTokens, isStreamed }: Prompt,
): MessageRequest {
  const sentTurns = turns.filter(({ content }) => content.trim() !== "");
  return {
    model: model.trim(),
    max_tokens: maxTokens,
    ...(system.trim() !== "" && { system: system.trim() }),
    messages: sentTurns.map(({ role, content }) => ({ role, content: content.trim() })),
    ...(isStreamed && { stream: true as const }),
  };
}
