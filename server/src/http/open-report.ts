import { reportHeaders } from "@bursar/contract/report-headers.ts";
import type { FastifyReply } from "fastify";
import type { ReportCall } from "#src/access/call.ts";

// The database of one report, the headers that describe its data, and the cursors of its pages.

export interface ReportsSource {
  hasReplica: boolean;
  /** Selects the database of one response, whose data must not be older. */
  openReader(notBeforeMs: number | null): Promise<ReportCall["reader"]>;
}

interface OpenReport<Input> {
  reader: ReportCall["reader"];
  /** Input with the cursor as the report made it. */
  input: Input;
  setHeaders(reply: FastifyReply): void;
  /** Adds the time of the data to the cursor of the next page. */
  stampNextPage(answer: unknown): unknown;
}

/**
 * Opens the database of a report. A cursor has the time of its page's data, so the next page is not read from a replica
 * that has less. Otherwise a client that copies the request log page by page would miss requests.
 */
export async function openReport<Input extends { query: unknown }>(
  source: ReportsSource,
  input: Input,
): Promise<OpenReport<Input>> {
  const query = input.query as { page?: string } | undefined;
  const { cursor, notBeforeMs } = splitCursor(query?.page);
  const reader = await source.openReader(notBeforeMs);
  return {
    reader,
    input: cursor === undefined ? input : { ...input, query: { ...query, page: cursor } },
    setHeaders(reply) {
      reply.header(reportHeaders.dataAsOf, new Date(reader.dataAsOfMs()).toISOString());
      const lagMs = reader.replicaLagMs();
      if (lagMs !== null) reply.header(reportHeaders.replicaLagSeconds, lagMs / 1_000);
    },
    stampNextPage(answer) {
      const { next_page } = answer as { next_page?: string | null };
      if (!source.hasReplica || typeof next_page !== "string") return answer;
      return {
        ...(answer as object),
        next_page: `${next_page}.${reader.dataAsOfMs().toString(36)}`,
      };
    },
  };
}

/** A cursor is base64url, which has no dot. */
const STAMPED = /^([A-Za-z0-9_-]+)\.([0-9a-z]{1,9})$/;

function splitCursor(page: string | undefined): {
  cursor: string | undefined;
  notBeforeMs: number | null;
} {
  const [, cursor, stamp] = STAMPED.exec(page ?? "") ?? [];
  if (cursor === undefined || stamp === undefined) return { cursor: page, notBeforeMs: null };
  return { cursor, notBeforeMs: Number.parseInt(stamp, 36) };
}
