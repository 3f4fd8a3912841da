import type { ServerProcess } from "#test/harness/server-process.ts";

/** Facts of a recorded database that its rows do not contain. */
export interface Recording {
  /** BURSAR_SECRET of the installation. */
  secret: string;
  recordedAt: string;
  adminKey: string;
  people: { id: string; email: string; password: string; cookie: string }[];
  keys: { working: string[]; revoked: string; archived: string };
  /** A workspace that has spent its strict monthly limit. */
  strict: RecordedKey & { limitUsd: number };
  /** Number of its requests that ran when their nodes were killed. One begin is in a file, the other in a row. */
  interrupted: RecordedKey & { requests: number };
  /** Reports and balances before those requests. */
  figures: Figures;
}

export interface RecordedKey {
  workspaceId: string;
  apiKeyId: string;
  key: string;
}

/** Rows of reports by path, and of balances. Excludes the workspace whose requests were interrupted. */
export interface Figures {
  reports: Record<string, unknown[]>;
  balances: unknown[];
}

const MONTH_REPORTS = [
  "/v1/admin/usage?bucket=none&group_by=workspace,model,status",
  "/v1/admin/usage?bucket=1d&group_by=api_key,client",
  "/v1/admin/cost?bucket=none&group_by=workspace",
  "/v1/organizations/usage_report/messages?bucket_width=1d&limit=31&group_by[]=workspace_id&group_by[]=model",
  "/v1/organizations/cost_report?limit=31&group_by[]=workspace_id",
];

/** Reads the figures of the recorded month. They stay the same in any later month. */
export async function readFigures(
  { mustAdmin, sql }: Pick<ServerProcess, "mustAdmin" | "sql">,
  { recordedAt, interrupted }: { recordedAt: string; interrupted: RecordedKey },
): Promise<Figures> {
  const at = new Date(recordedAt);
  const monthStart = (month: number) =>
    new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + month)).toISOString();
  const range = `starting_at=${monthStart(0)}&ending_at=${monthStart(1)}`;
  const isCounted = (row: unknown) => {
    const text = JSON.stringify(row);
    return !text.includes(interrupted.workspaceId) && !text.includes(interrupted.apiKeyId);
  };
  const reports: Figures["reports"] = {};
  for (const path of MONTH_REPORTS) {
    const { data } = await mustAdmin("GET", `${path}&${range}`);
    reports[path] = (data as { results?: unknown[] }[])
      .flatMap((row) => row.results ?? [row])
      .filter(isCounted);
  }
  const balances = await sql<object>(
    `SELECT scope_type, scope_id, period, period_start::text, settled_nano_usd::text, overrun_nano_usd::text
      FROM balance WHERE period_start <= $1 AND scope_type <> 'organization' ORDER BY 1, 2, 3, 4`,
    [recordedAt],
  );
  return { reports, balances: balances.filter(isCounted) };
}
