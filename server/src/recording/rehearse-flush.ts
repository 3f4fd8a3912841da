import type { EndRecord } from "#src/domain/request-record.ts";
import { formatRecords } from "./usage.sql.ts";
import { UsageDictionary } from "./usage-dictionary.ts";
import { sumMinutes, toUsageTexts } from "./usage-rows.ts";

/** Several flushes, because a server appends small ones. */
const FLUSHES = 4;
const NODE_ID = "warm-up";

/** Builds the rows of several flushes, for a warm-up. Returns the number of rows. No database gets them. */
export async function rehearseFlush(records: readonly EndRecord[]): Promise<number> {
  const size = Math.ceil(records.length / FLUSHES);
  let rows = 0;
  for (let from = 0; from < records.length; from += size) {
    const batch = records.slice(from, from + size);
    const dictionary = new UsageDictionary();
    const refs = batch.map((record) => dictionary.findRefs(toUsageTexts(record, NODE_ID)));
    await formatRecords({ nodeId: NODE_ID, records: batch }, refs);
    const labels = refs.map((each) => each.labels);
    await sumMinutes(batch, labels);
    rows += batch.length;
  }
  return rows;
}
