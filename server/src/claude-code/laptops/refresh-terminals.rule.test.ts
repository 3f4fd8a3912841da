import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decideRefresh,
  OTHER_CLIENTS_MS,
  REPLACE_AFTER_MS,
  type RefreshState,
} from "./refresh.rule.ts";

// Two terminals of one laptop, as Claude Code 2.1.332 behaves. Both share one file of tokens, and each presents the token of its
// own memory. A terminal refreshes when less than five minutes of an hour are left, before a request or at its hourly poll. So
// its refreshes are 55 to 110 minutes apart, and it retries within an hour after a lost response.

const MINUTE_MS = 60_000;
const LEAST_GAP = 55;
const LONGEST_GAP = 110;
const LONGEST_RETRY = 60;
const LONGEST_CLOCK_STEP_MS = 1_000;
const START_MS = Date.UTC(2026, 10, 29);

interface Terminal {
  generation: number;
  dueMs: number;
  hasLost: boolean;
}

interface World {
  state: RefreshState;
  nowMs: number;
  /** Difference of the server's clock. */
  clockMs: number;
  /** Token in the shared file. */
  stored: { generation: number; issuedMs: number };
  terminals: [Terminal, Terminal];
}

/** One refresh, and the events before it. */
interface Step {
  gap: number;
  retry: number;
  /** The terminal gets no response. */
  isLost: boolean;
  /** Minutes in which the laptop sleeps before the refresh. */
  sleep: number;
  /** The other terminal starts again before the refresh. */
  isRestarted: boolean;
  clockStepMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  gap: fc.integer({ min: LEAST_GAP, max: LONGEST_GAP }),
  retry: fc.integer({ min: 1, max: LONGEST_RETRY }),
  isLost: fc.boolean(),
  sleep: fc.oneof(
    { weight: 8, arbitrary: fc.constant(0) },
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 600, max: 10 * 1_440 }),
  ),
  isRestarted: fc.boolean(),
  clockStepMs: fc.integer({ min: -LONGEST_CLOCK_STEP_MS, max: LONGEST_CLOCK_STEP_MS }),
});
const history = fc.array(step, { minLength: 30, maxLength: 150 });

function makeWorld(): World {
  return {
    state: { generation: 1, isConfirmed: true, rotatedAtMs: START_MS },
    nowMs: START_MS,
    clockMs: 0,
    stored: { generation: 1, issuedMs: START_MS },
    terminals: [
      { generation: 1, dueMs: START_MS + LEAST_GAP * MINUTE_MS, hasLost: false },
      { generation: 1, dueMs: START_MS + LONGEST_GAP * MINUTE_MS, hasLost: false },
    ],
  };
}

const serverTimeOf = ({ nowMs, clockMs }: World) => nowMs + clockMs;

/** Runs one step. Throws if the server ends the laptop. */
function advance(
  world: World,
  { gap, retry, isLost, sleep, isRestarted, clockStepMs }: Step,
): void {
  const { terminals, stored } = world;
  const next = terminals[0].dueMs <= terminals[1].dueMs ? 0 : 1;
  const terminal = terminals[next];
  if (sleep > 0) sleepFor(world, sleep * MINUTE_MS);
  world.nowMs = Math.max(world.nowMs, terminal.dueMs);
  // Small steps that stay small together.
  world.clockMs = clockStepMs;
  if (isRestarted) restart(world, terminals[1 - next] as Terminal);
  const presented = terminal.generation;
  const after = decideRefresh(world.state, presented, serverTimeOf(world));
  if (after === null) throw new Error(`generation ${presented} ended ${JSON.stringify(world)}`);
  world.state = after;
  const isAnswerLost = isLost && !terminal.hasLost;
  terminal.hasLost = isAnswerLost;
  terminal.dueMs = world.nowMs + (isAnswerLost ? retry : gap) * MINUTE_MS;
  if (isAnswerLost) return;
  // A client adopts a newer token of the file.
  if (stored.generation === presented) {
    world.stored = { generation: after.generation, issuedMs: world.nowMs };
  }
  terminal.generation = world.stored.generation;
}

/** Timers stop while the laptop sleeps. Afterwards every token has expired, and the next poll refreshes it. */
function sleepFor(world: World, durationMs: number): void {
  const wakeMs = world.nowMs + durationMs;
  for (const terminal of world.terminals) {
    const leftMs = Math.max(0, terminal.dueMs - world.nowMs);
    terminal.dueMs = wakeMs + Math.min(leftMs, LONGEST_RETRY * MINUTE_MS);
  }
  world.nowMs = wakeMs;
}

/** A new process reads the file, and refreshes when its token ends. */
function restart({ stored, nowMs }: World, terminal: Terminal): void {
  terminal.generation = stored.generation;
  terminal.hasLost = false;
  const earliestMs = stored.issuedMs + LEAST_GAP * MINUTE_MS;
  terminal.dueMs = Math.max(
    nowMs,
    earliestMs,
    Math.min(terminal.dueMs, stored.issuedMs + LONGEST_GAP * MINUTE_MS),
  );
}

test("no order of refreshes, lost responses, sleeps and starts of two terminals ends their laptop", () => {
  fc.assert(
    fc.property(history, (steps) => {
      const world = makeWorld();
      for (const each of steps) advance(world, each);
    }),
    { numRuns: 1_000 },
  );
});

test("one chain of tokens lives, and any token older than the last two before the newest ends the laptop", () => {
  fc.assert(
    fc.property(history, (steps) => {
      const world = makeWorld();
      for (const each of steps) {
        const { state: before } = world;
        advance(world, each);
        const { state } = world;
        expect(state.generation - before.generation).toBeLessThanOrEqual(1);
        if (state.generation > before.generation) {
          expect(before.isConfirmed).toBe(true);
          expect(state.rotatedAtMs - before.rotatedAtMs).toBeGreaterThanOrEqual(REPLACE_AFTER_MS);
        }
        expectOneChain(state, serverTimeOf(world));
      }
    }),
    { numRuns: 200 },
  );
});

/** Checks the result of every token that was ever issued, in anyone's hands. */
function expectOneChain(state: RefreshState, nowMs: number): void {
  const { generation, isConfirmed, rotatedAtMs } = state;
  for (let stolen = 1; stolen < generation - 2; stolen++) {
    expect(decideRefresh(state, stolen, nowMs)).toBeNull();
  }
  // Tokens before lead to the newest one, and replace none.
  const afterwardsMs = rotatedAtMs + OTHER_CLIENTS_MS;
  if (generation > 1) expect(decideRefresh(state, generation - 1, afterwardsMs)).toEqual(state);
  if (generation > 2) {
    const result = decideRefresh(state, generation - 2, afterwardsMs);
    expect(result).toEqual(isConfirmed ? null : state);
  }
}

test("histories reach replacements, lost responses and long sleeps", () => {
  const reached = { generation: 0, unconfirmed: 0 };
  for (const steps of fc.sample(history, { numRuns: 50, seed: 1 })) {
    const world = makeWorld();
    for (const each of steps) {
      advance(world, each);
      if (!world.state.isConfirmed) reached.unconfirmed += 1;
    }
    reached.generation = Math.max(reached.generation, world.state.generation);
  }
  expect(reached.generation).toBeGreaterThan(5);
  expect(reached.unconfirmed).toBeGreaterThan(50);
});
