import type { alert, alertFiring } from "@bursar/contract/admin/alerts.ts";
import type { z } from "zod";
import type { EvaluateKeysDeps } from "#src/alerts/firing/evaluate-keys.ts";
import { openDatabase } from "#src/db/pool.ts";
import type { Job } from "#src/jobs/run-jobs.ts";
import { type AdminHarness, type Listed, PUBLIC_URL, type TestOrganization } from "./admin.ts";

type Alert = z.output<typeof alert>;
export type Firing = z.output<typeof alertFiring>;

export interface AlertJobNodes {
  /** The jobs on both nodes at once, and then once more. */
  run(): Promise<void>;
  close(): Promise<void>;
}

/** Two nodes that share a database, each with its own connections to it. */
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

/** An alert of the organization that tells nobody, unless `fields` say otherwise. */
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

/** Oldest first. */
export async function listFirings({ operator }: TestOrganization): Promise<Firing[]> {
  const { body } = await operator.get<Listed<Firing>>("/v1/admin/alert_firings?limit=100");
  return body.data.reverse();
}

/** Of each firing the id of its scope (the word, for the organization) and the threshold. */
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
