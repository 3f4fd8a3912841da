// A change that its client may ask for twice without wanting it twice: under an Idempotency-Key, or by an official SDK
// that sends a request again by itself. `audit/claimed-changes.ts` makes and keeps these; every change looks at them.

/** What stands for one such request. */
export interface Claim {
  /** HMAC of caller, operation and key. */
  id: Uint8Array;
  /** HMAC of the whole input. */
  fingerprint: Uint8Array;
  /** True for the first attempt of an SDK: what was there before was another request of the same words. */
  isFirstAttempt: boolean;
  /** Transactions this request has run so far. */
  steps: number;
  /** True once an earlier request's outcome was given instead of doing the work again. */
  isReplayed: boolean;
}

export interface ClaimedRequest {
  caller: { kind: string; id: string; organizationId: string };
  operationId: string;
  /** What the client named the request, or null where its input alone says which one it is. */
  key: string | null;
  isFirstAttempt: boolean;
  /** Everything that was asked: path, query and body. */
  input: { target: string; body: Uint8Array | null };
}

export interface ClaimedChanges {
  claim(request: ClaimedRequest): Claim;
  /** The answer that was sent to the same request before, or null. Throws a 409 for another input under the same key. */
  findAnswer(claim: Claim): Promise<string | null>;
  /** Keeps the answer for whoever sends the request again. Never throws: the change itself is kept already. */
  keepAnswer(claim: Claim, answer: string): Promise<void>;
}
