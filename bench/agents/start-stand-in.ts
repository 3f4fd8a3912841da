import { ScriptProcess } from "../children.ts";
import { type BilledRequest, fromWireBill, type WireBill } from "./billed-request.ts";
import type { StandInOptions } from "./stand-in.ts";

export interface StandIn {
  port: number;
  listBills(): Promise<BilledRequest[]>;
  stop(): Promise<void>;
}

/** Speeds that the real models have, as far as published. */
const REAL_SPEED: Omit<StandInOptions, "seed"> = {
  port: 0,
  tokensPerSecond: [50, 90],
  firstTokenMs: [1_000, 3_000],
  searches: { isRecorded: false, cachesResults: false },
  afterLeavingMs: [200, 1_500],
  fixedTokens: null,
  recordFolder: null,
};

/** Starts the stand-in as a separate process. */
export async function startStandIn(
  options: Partial<StandInOptions> & Pick<StandInOptions, "seed">,
): Promise<StandIn> {
  const all: StandInOptions = { ...REAL_SPEED, ...options };
  const child = new ScriptProcess("./agents/stand-in.ts", [JSON.stringify(all)]);
  const { port } = await child.answer<{ port: number }>();
  return {
    port,
    listBills: async () => (await child.ask<WireBill[]>({ bills: true })).map(fromWireBill),
    stop: () => child.stop(),
  };
}
