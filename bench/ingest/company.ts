// An artificial company: keys in workspaces, with models and clients.

export const WORKSPACES = 100;
export const MEMBERS = 500;
/** All have one price, so that the number of settled requests follows from their cost. */
const MODELS = ["claude-opus-5", "claude-opus-4-8", "claude-opus-4-6"];
const CLIENTS = ["anthropic-python", "claude-code", "anthropic-typescript", "litellm"];
/** Part of the requests of a key that use another model than its main one. */
const OTHER_MODEL_SHARE = 0.15;

export interface CompanyKey {
  apiKeyId: string;
  workspaceId: string;
  memberId: string | null;
  client: string;
}

/** Key number `index`, as `makeScopes` of history.ts inserts it. */
export function getKey(index: number): CompanyKey {
  return {
    apiKeyId: `apikey_${pad(index)}`,
    workspaceId: `wksp_${pad(index % WORKSPACES)}`,
    memberId: index % 2 === 0 ? `user_${pad(index % MEMBERS)}` : null,
    client: CLIENTS[index % CLIENTS.length] ?? "other",
  };
}

/** `random` is from 0 to below 1. */
export function chooseModel(index: number, random: number): string {
  const other = random < OTHER_MODEL_SHARE ? 1 : 0;
  return MODELS[(index + other) % MODELS.length] ?? "claude-opus-5";
}

function pad(number: number): string {
  return String(number).padStart(24, "0");
}
