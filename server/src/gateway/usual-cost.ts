// Usual amount of a stream: the 90th percentile of recent streams of the same key and model. The counts of a histogram are
// halved from time to time, so that recent streams have more weight. The amount of a stream is its largest hold after
// `message_start`, because a stream with hidden thinking holds up to twice its cost.

/** Highest number of keys with a model. Beyond it, the one that was used longest ago is forgotten. */
const MAX_ENTRIES = 4_096;
/** Each bucket ends at 1.25 times the end of the one before. The last one has everything above. */
const BUCKETS = 96;
const GROWTH = 1.25;
/** End of the first bucket, nano-USD: a hundredth of a cent. */
const FIRST_NANO_USD = 100_000;
const PERCENTILE = 0.9;
/** Fewer streams are not usual. */
const LEAST_COUNTED = 5;
/** Streams after which the counts are halved. */
const MAX_COUNTED = 128;

interface Histogram {
  counts: Uint8Array;
  total: number;
}

export class UsualCosts {
  /** In the order of use. */
  readonly #byKeyAndModel = new Map<string, Histogram>();

  /** Adds the amount of an ended stream, nano-USD. */
  add(apiKeyId: string, model: string, nanoUsd: bigint): void {
    const name = nameOf(apiKeyId, model);
    const found = this.#byKeyAndModel.get(name);
    const histogram = found ?? { counts: new Uint8Array(BUCKETS), total: 0 };
    if (found !== undefined) this.#byKeyAndModel.delete(name);
    else if (this.#byKeyAndModel.size >= MAX_ENTRIES) this.#forgetOldest();
    this.#byKeyAndModel.set(name, histogram);
    if (histogram.total >= MAX_COUNTED) halve(histogram);
    const bucket = findBucket(Number(nanoUsd));
    histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
    histogram.total += 1;
  }

  /** Finds the usual amount, nano-USD, rounded up to the end of its bucket. 0n: none is known. */
  find(apiKeyId: string, model: string): bigint {
    const histogram = this.#byKeyAndModel.get(nameOf(apiKeyId, model));
    if (histogram === undefined || histogram.total < LEAST_COUNTED) return 0n;
    let left = Math.ceil(histogram.total * PERCENTILE);
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= histogram.counts[bucket] ?? 0;
      if (left <= 0) return BigInt(Math.ceil(endOf(bucket)));
    }
    return 0n;
  }

  #forgetOldest(): void {
    const [oldest] = this.#byKeyAndModel.keys();
    if (oldest !== undefined) this.#byKeyAndModel.delete(oldest);
  }
}

function nameOf(apiKeyId: string, model: string): string {
  return `${apiKeyId}\n${model}`;
}

function halve(histogram: Histogram): void {
  histogram.total = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const half = (histogram.counts[bucket] ?? 0) >> 1;
    histogram.counts[bucket] = half;
    histogram.total += half;
  }
}

function findBucket(nanoUsd: number): number {
  if (nanoUsd <= FIRST_NANO_USD) return 0;
  const bucket = Math.ceil(Math.log(nanoUsd / FIRST_NANO_USD) / Math.log(GROWTH));
  return Math.min(bucket, BUCKETS - 1);
}

function endOf(bucket: number): number {
  return FIRST_NANO_USD * GROWTH ** bucket;
}
