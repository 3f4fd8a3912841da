import type { MessageRequest } from "./message-request.ts";

export const USUAL_MODEL = "claude-sonnet-5";

/** A short request for the first call with a key. */
export function makeFirstRequest(model = USUAL_MODEL): MessageRequest {
  return { model, max_tokens: 200, messages: [{ role: "user", content: "Hello, Claude" }] };
}

type AllowedModels = readonly string[] | null;

/**
 * Returns a model that all lists allow, or null. A list has names and prefixes with `*`. Null: all models. Prefixes select a
 * model among the `known` ones.
 */
export function findUsableModel(
  lists: readonly AllowedModels[],
  known: readonly string[] = [],
): string | null {
  const limits = lists.filter((list) => list !== null);
  const isUsable = (model: string) =>
    limits.every((list) => list.some((name) => isMatch(name, model)));
  const named = limits.flat().filter((name) => !name.endsWith("*"));
  return [USUAL_MODEL, ...named, ...known].find(isUsable) ?? null;
}

function isMatch(name: string, model: string): boolean {
  return name.endsWith("*") ? model.startsWith(name.slice(0, -1)) : name === model;
}
