// Claims make a repeated request run once: with an Idempotency-Key, or by an official SDK that retries by itself.
// `audit/claimed-changes.ts` creates and stores claims. Every change checks them.

/** Claim of one request. */
export interface Claim {
  /** HMAC of caller, operation and key. */
  id: Uint8Array;
  /** HMAC of the whole input. */
  fingerprint: Uint8Array;
  /** True for the first attempt of an SDK: an earlier claim belongs to another request with the same input. */
  isFirstAttempt: boolean;
  /** Number of transactions that this request has run. */
  steps: number;
  /** True if the stored outcome of an earlier request was returned. */
  isReplayed: boolean;
}

export interface ClaimedRequest {
  caller: { kind: string; id: string; organizationId: string };
  operationId: string;
  /** Key from the client. Null: only the input identifies the request. */
  key: string | null;
  isFirstAttempt: boolean;
  /** The whole input: path, query and body. */
  input: { target: string; body: Uint8Array | null };
}

export interface ClaimedChanges {
  claim(request: ClaimedRequest): Claim;
  /** Returns the stored response of the same request, or null. Throws a 409 for another input with the same key. */
  findResponse(claim: Claim): Promise<string | null>;
  /** Stores the response for retries. Never throws, because the change is already committed. */
  saveResponse(claim: Claim, answer: string): Promise<void>;
}
