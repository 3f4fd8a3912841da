import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../../server/test/harness/seeded-random.ts";
import { monotonicMs } from "../monotonic.ts";
import type { LimitState } from "./bursar-target.ts";
import type { HeldSample, Run } from "./report-run.ts";
import { runSession, type SessionRequest } from "./session.ts";

/** Address and credential of a target, and its view of the limit, if it has one. */
export interface AgentsTarget {
  url: string;
  /** Credential of one session. */
  credentialOf: (session: number) => Record<string, string>;
  readLimit: (() => Promise<LimitState>) | null;
}

export interface AgentsOptions {
  sessions: number;
  seed: number;
  /** Maximum time of the run. */
  mostSeconds: number;
}

/** Claude Code sends a request at most this often, unless its response says otherwise. */
const MAX_ATTEMPTS = 11;
const SAMPLE_MS = 250;

/** Runs all sessions at once, until no request can start any more. */
export async function runAgents(
  target: AgentsTarget,
  { sessions, seed, mostSeconds }: AgentsOptions,
): Promise<Pick<Run, "seconds" | "requests" | "samples">> {
  const requests: SessionRequest[] = [];
  const samples: HeldSample[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 2 * sessions });
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), mostSeconds * 1_000);
  const startMs = monotonicMs();
  let isOver = false;
  const sampling = sampleHeld(target, samples, () => isOver);
  const running = Array.from({ length: sessions }, (_, session) =>
    runSession(
      {
        url: target.url,
        credential: target.credentialOf(session),
        sessionId: randomUUID(),
        random: seededRandom(seed * 1_000 + session),
        agent,
        maxAttempts: MAX_ATTEMPTS,
        signal: stop.signal,
      },
      requests,
    ),
  );
  await Promise.all(running);
  const seconds = (monotonicMs() - startMs) / 1_000;
  isOver = true;
  await sampling;
  clearTimeout(timer);
  agent.destroy();
  return { seconds, requests, samples };
}

async function sampleHeld(
  { readLimit }: AgentsTarget,
  samples: HeldSample[],
  isOver: () => boolean,
): Promise<void> {
  while (readLimit !== null && !isOver()) {
    const { heldNanoUsd } = await readLimit();
    samples.push({ atMs: monotonicMs(), heldNanoUsd });
    await sleep(SAMPLE_MS);
  }
}
