import { createHash } from "node:crypto";
import type { UsageLabels, UsageTexts } from "./usage-rows.ts";

// Texts that many requests share: combinations of labels, prices and node ids. A record has only their ids. An id is a
// hash of its text, so that nodes agree on it without a query. In memory, the dictionary knows which texts are stored.

/** Text that records refer to. */
export interface Entry<Value> {
  id: bigint;
  readonly value: Value;
  /** Earlier ids of this entry. Each belongs to another text. */
  collisions: number;
  /** True once a committed flush has found or stored it. */
  isStored: boolean;
}

/** Ids of one event's texts. */
export interface EventRefs {
  labels: Entry<UsageLabels>;
  prices: Entry<string>;
  node: Entry<string>;
}

interface MissingEntries {
  labels: Entry<UsageLabels>[];
  prices: Entry<string>[];
  nodes: Entry<string>[];
}

/** About 300 bytes for each combination of labels. */
const DEFAULT_LIMITS = { maxLabels: 100_000, maxTexts: 1_000 };

export class UsageDictionary {
  /** Combinations by API key. A key has few, and to compare them is faster than to build a text for a lookup. */
  readonly #labels = new Map<string, Entry<UsageLabels>[]>();
  readonly #prices = new Map<string, Entry<string>>();
  readonly #nodes = new Map<string, Entry<string>>();
  #labelCount = 0;
  readonly #limits: typeof DEFAULT_LIMITS;

  /** `maxTexts` limits prices, and node ids. */
  constructor(limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Finds the texts of an event. Texts that are not in memory are added. */
  findRefs(event: UsageTexts): EventRefs {
    return {
      labels: this.#findLabels(event),
      prices: this.#findText(this.#prices, event.prices),
      node: this.#findText(this.#nodes, event.node_id),
    };
  }

  /** Removes all entries, because the database may have lost some. */
  clear(): void {
    this.#labels.clear();
    this.#labelCount = 0;
    this.#prices.clear();
    this.#nodes.clear();
  }

  #findLabels(event: UsageLabels): Entry<UsageLabels> {
    let entries = this.#labels.get(event.api_key_id);
    const known = entries?.find(({ value }) => hasLabels(event, value));
    if (known !== undefined) return known;
    if (this.#labelCount >= this.#limits.maxLabels) this.#removeOldestKey();
    entries = this.#labels.get(event.api_key_id);
    if (entries === undefined) {
      entries = [];
      this.#labels.set(event.api_key_id, entries);
    }
    const value = pickLabels(event);
    const entry = { id: hashLabels(value, 0), value, collisions: 0, isStored: false };
    entries.push(entry);
    this.#labelCount += 1;
    return entry;
  }

  #findText(entries: Map<string, Entry<string>>, value: string): Entry<string> {
    const known = entries.get(value);
    if (known !== undefined) return known;
    if (entries.size >= this.#limits.maxTexts) entries.clear();
    const entry = { id: hashText(value), value, collisions: 0, isStored: false };
    entries.set(value, entry);
    return entry;
  }

  #removeOldestKey(): void {
    for (const [apiKeyId, entries] of this.#labels) {
      this.#labels.delete(apiKeyId);
      this.#labelCount -= entries.length;
      return;
    }
  }
}

/** Lists the distinct entries that may be missing in the database, by id. All nodes store them in this order. */
export function listMissing(refs: readonly EventRefs[]): MissingEntries {
  const missingLabels = new Set<Entry<UsageLabels>>();
  const missingPrices = new Set<Entry<string>>();
  const missingNodes = new Set<Entry<string>>();
  for (const { labels, prices, node } of refs) {
    if (!labels.isStored) missingLabels.add(labels);
    if (!prices.isStored) missingPrices.add(prices);
    if (!node.isStored) missingNodes.add(node);
  }
  return {
    labels: sortById(missingLabels),
    prices: sortById(missingPrices),
    nodes: sortById(missingNodes),
  };
}

function sortById<Value>(entries: ReadonlySet<Entry<Value>>): Entry<Value>[] {
  return [...entries].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Sets another id, because the id belongs to other labels. Nodes agree on this id too. */
export function changeId(entry: Entry<UsageLabels>): void {
  entry.collisions += 1;
  entry.id = hashLabels(entry.value, entry.collisions);
}

function hashLabels(labels: UsageLabels, collisions: number): bigint {
  return hashText(`${JSON.stringify(Object.values(labels))}${"+".repeat(collisions)}`);
}

/** Id of the groups and tags of labels. 0: none. */
export function hashAttribution({ organization_id, group_ids, tag_ids }: UsageLabels): bigint {
  if (group_ids === "" && tag_ids === "") return 0n;
  return hashText(JSON.stringify([organization_id, group_ids, tag_ids]));
}

/** First eight bytes of the SHA-256, as a `bigint` of PostgreSQL. */
function hashText(text: string): bigint {
  return createHash("sha256").update(text).digest().readBigInt64BE(0);
}

function pickLabels(event: UsageLabels): UsageLabels {
  return {
    organization_id: event.organization_id,
    workspace_id: event.workspace_id,
    api_key_id: event.api_key_id,
    member_id: event.member_id,
    model: event.model,
    service_tier: event.service_tier,
    context_window: event.context_window,
    inference_geo: event.inference_geo,
    speed: event.speed,
    client: event.client,
    group_ids: event.group_ids,
    tag_ids: event.tag_ids,
  };
}

function hasLabels(event: UsageLabels, labels: UsageLabels): boolean {
  return (
    event.model === labels.model &&
    event.client === labels.client &&
    event.context_window === labels.context_window &&
    event.service_tier === labels.service_tier &&
    event.speed === labels.speed &&
    event.inference_geo === labels.inference_geo &&
    event.member_id === labels.member_id &&
    event.group_ids === labels.group_ids &&
    event.tag_ids === labels.tag_ids &&
    event.workspace_id === labels.workspace_id &&
    event.organization_id === labels.organization_id
  );
}
