import type { alert, alertFiring } from "@bursar/contract/admin/alerts.ts";
import type { z } from "zod";
import type { EvaluateKeysDeps } from "#src/alerts/firing/evaluate-keys.ts";
import { openDatabase } from "#src/db/pool.ts";
import type { Job } from "#src/jobs/run-jobs.ts";
import { type AdminHarness, type Listed, PUBLIC_URL, type TestOrganization } from "./admin.ts";

type Alert = z.output<typeof alert>;
export type Firing = z.output<typeof alertFiring>;

export interface AlertJobNodes {
  /** Runs the jobs on both nodes at once, and then again. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Starts two nodes on one database, each with its own connections. */
export function startAlertJobs(
  h: AdminHarness,
  makeJobs: (deps: EvaluateKeysDeps) => Readonly<Record<string, Job>>,
): AlertJobNodes {
  const { connectionString } = h;
  const other = openDatabase({ connectionString, maxConnections: 4, onIdleError: () => undefined });
  const jobs = [h.deps.database, other].flatMap((database) =>
    Object.values(makeJobs({ ...h.deps, database, publicUrl: () => PUBLIC_URL })),
  );
  const runOnce = () => Promise.all(jobs.map((job) => job({}, { isLast: true })));
  return {
    run: async () => {
      await runOnce();
      await runOnce();
    },
    close: () => other.destroy(),
  };
}

/** Creates an alert without recipients, unless `fields` names some. */
export async function createAlert(
  { operator }: TestOrganization,
  condition: object,
  fields: object = {},
): Promise<Alert> {
  const scope = { type: "organization" };
  const body = { name: "An alert", scope, condition, channel_ids: [], ...fields };
  const answer = await operator.post<Alert>("/v1/admin/alerts", body);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body;
}

/** Lists firings, oldest first. */
export async function listFirings({ operator }: TestOrganization): Promise<Firing[]> {
  const { body } = await operator.get<Listed<Firing>>("/v1/admin/alert_firings?limit=100");
  return body.data.reverse();
}

/** Scope and threshold of each firing. The scope is its id, or the word for the organization. */
export async function listFired(of: TestOrganization): Promise<string[][]> {
  return (await listFirings(of)).map(({ scope, threshold }) => [
    scope.type === "api_key"
      ? scope.api_key_id
      : scope.type === "workspace"
        ? scope.workspace_id
        : scope.type,
    threshold,
  ]);
}
