import { bill } from "./bill.ts";
import type { PlannedAnswer } from "./plan-answer.ts";
import type { Moment } from "./timeline.ts";

/** One request as the stand-in billed it. Times are those of `monotonicMs`. */
export interface BilledRequest {
  messageId: string;
  /** `request-id` of the response. */
  requestId: string;
  /** Session that the client names in `metadata`. */
  session: string | null;
  model: string;
  isStream: boolean;
  bodyBytes: number;
  receivedAtMs: number;
  firstByteAtMs: number | null;
  /** End of generation. Null: it still runs. */
  endedAtMs: number | null;
  /** Time at which the client left. Null: it received the whole response. */
  leftAtMs: number | null;
  /** Billed until the client left, nano-USD. */
  nanoUsdWhenLeft: bigint | null;
  nanoUsd: bigint;
  outputTokens: number;
  calls: number;
  searches: number;
}

/** A bill in a message between processes, which carries JSON. */
export type WireBill = Omit<BilledRequest, "nanoUsd" | "nanoUsdWhenLeft"> & {
  nanoUsd: string;
  nanoUsdWhenLeft: string | null;
};

export function toWireBill(billed: BilledRequest): WireBill {
  const { nanoUsd, nanoUsdWhenLeft } = billed;
  return {
    ...billed,
    nanoUsd: String(nanoUsd),
    nanoUsdWhenLeft: nanoUsdWhenLeft === null ? null : String(nanoUsdWhenLeft),
  };
}

export function fromWireBill(wire: WireBill): BilledRequest {
  const { nanoUsd, nanoUsdWhenLeft } = wire;
  return {
    ...wire,
    nanoUsd: BigInt(nanoUsd),
    nanoUsdWhenLeft: nanoUsdWhenLeft === null ? null : BigInt(nanoUsdWhenLeft),
  };
}

/** Cost of a response up to one of its moments. Before the first one, a response bills its prompt. */
export function billUntil(model: string, answer: PlannedAnswer, moment: Moment | null): bigint {
  return bill(model, {
    calls: answer.calls.slice(0, moment?.calls ?? 1),
    outputTokens: moment?.outputTokens ?? 0,
    searches: moment?.searches ?? 0,
  });
}
