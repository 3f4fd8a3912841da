const reasons: ReadonlyMap<unknown, string> = new Map([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["pause_turn", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["tool_use", "tool_calls"],
  ["refusal", "content_filter"],
]);

/** Converts a stop reason of the Claude API. A reason of a later version becomes `stop`. */
export function toFinishReason(stopReason: unknown, usesFunctions: boolean): string {
  const reason = reasons.get(stopReason) ?? "stop";
  return usesFunctions && reason === "tool_calls" ? "function_call" : reason;
}
