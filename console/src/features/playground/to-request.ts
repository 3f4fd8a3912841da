import type { Message, MessageRequest } from "../../kit/code-samples/message-request.ts";

/** What is chosen beside the messages. */
export interface Prompt {
  model: string;
  system: string;
  maxTokens: number;
  isStreamed: boolean;
}

/** What is sent for these turns. An answer that was stopped before its first word was no answer. */
export function toRequest(
  turns: readonly Message[],
  { model, system, maxTokens, isStreamed }: Prompt,
): MessageRequest {
  const said = turns.filter(({ content }) => content.trim() !== "");
  return {
    model: model.trim(),
    max_tokens: maxTokens,
    ...(system.trim() !== "" && { system: system.trim() }),
    messages: said.map(({ role, content }) => ({ role, content: content.trim() })),
    ...(isStreamed && { stream: true as const }),
  };
}
