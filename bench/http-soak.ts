import {
  type Comparison,
  type ConnectionCase,
  compareRequestReaders,
  compareResponseReaders,
} from "../server/test/harness/http-reading/differential.ts";
import {
  makeConnection,
  makeNoise,
  requestKind,
  responseKind,
  splitAtRandom,
} from "../server/test/harness/http-reading/message-cases.ts";
import { seededRandom } from "../server/test/harness/seeded-random.ts";

const DEFAULT_CASES = 1_000_000;
const DEFAULT_BYTES = 10_000_000;
/** Cases between two lines of progress. */
const STEP_CASES = 10_000;

interface Totals {
  cases: number;
  bytes: number;
  messages: number;
}

/**
 * Compares the readers of `http1/` with node:http and undici on random connections, half requests and half responses.
 * `bytes`: reads noise until that many bytes are compared. Returns the exit code.
 */
export async function soakHttp(args: readonly string[]): Promise<number> {
  const isNoise = args[0] === "bytes";
  const [countText, seedText] = isNoise ? args.slice(1) : args;
  const count = Number(countText ?? (isNoise ? DEFAULT_BYTES : DEFAULT_CASES));
  const firstSeed = seedText === undefined ? Date.now() % 1_000_000 : Number(seedText);
  if (!Number.isInteger(count) || count < 1 || !Number.isInteger(firstSeed)) {
    console.error("usage: npm run soak -- http [cases] [seed], or http bytes [bytes] [seed]");
    return 2;
  }
  const totals: Totals = { cases: 0, bytes: 0, messages: 0 };
  const startedMs = performance.now();
  for (let seed = firstSeed; (isNoise ? totals.bytes : totals.cases) < count; seed++) {
    const cases = isNoise ? STEP_CASES : Math.min(STEP_CASES, count - totals.cases);
    if (!(await compareStep(totals, { cases, seed, isNoise }))) {
      console.error(`repeat with: npm run soak -- http ${isNoise ? "bytes 1" : cases} ${seed}`);
      return 1;
    }
  }
  const { cases, bytes, messages } = totals;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    `${cases} connections, ${messages} messages and ${bytes} bytes in ${seconds} s, seed ${firstSeed}: no disagreement`,
  );
  return 0;
}

/** Compares one step of cases. Prints disagreements, and returns whether there is none. */
async function compareStep(
  totals: Totals,
  { cases, seed, isNoise }: { cases: number; seed: number; isNoise: boolean },
): Promise<boolean> {
  const random = seededRandom(seed);
  const make = isNoise ? makeNoise : makeConnection;
  const half = Math.ceil(cases / 2);
  const requests = makeCases(half, random, () => make(requestKind, random));
  const responses = makeCases(cases - half, random, () => make(responseKind, random));
  const results = [await compareRequestReaders(requests), await compareResponseReaders(responses)];
  for (const result of results) add(totals, result);
  totals.cases += cases;
  const disagreements = results.flatMap((result) => result.disagreements);
  for (const disagreement of disagreements) console.error(JSON.stringify(disagreement, null, 2));
  if (totals.cases % (STEP_CASES * 10) === 0) console.log(`${totals.cases} connections`);
  return disagreements.length === 0;
}

function makeCases(count: number, random: () => number, make: () => string): ConnectionCase[] {
  return Array.from({ length: count }, () => ({
    pieces: splitAtRandom(make(), random),
    methods: random() < 0.1 ? ["HEAD"] : ["GET", "GET", "GET"],
  }));
}

function add(totals: Totals, { messages, bytes }: Comparison): void {
  totals.messages += messages;
  totals.bytes += bytes;
}
