import type { Call } from "#src/access/call.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import { type HttpRequest, requestWhole } from "#src/lib/http-client.ts";
import { explainAnswer } from "./explain-answer.ts";
import type { Upstream } from "./upstream.ts";
import { findUpstreamForUpdate } from "./upstreams.sql.ts";
import { type UpstreamDeps, upstreamNotFound } from "./upstreams.ts";

/** Result of a request that shows whether an upstream works. */
export interface TestedUpstream {
  isWorking: boolean;
  /** Null: no answer. */
  httpStatus: number | null;
  latencyMs: number;
  /** Null: it works. */
  problem: string | null;
}

const WITHIN_MS = 10_000;
const MAX_ANSWER_BYTES = 256 * 1024;
const MAX_PROBLEM_CHARACTERS = 300;

/** Sends a request that costs nothing to the upstream. The event is recorded before. Throws a 404. */
export async function testUpstream(
  deps: UpstreamDeps,
  { caller, origin }: Call,
  id: string,
): Promise<TestedUpstream> {
  const { organizationId } = caller;
  await auditedTransaction(deps, caller, origin, async (tx) => {
    const row = await findUpstreamForUpdate(tx, { organizationId, id });
    if (row === null) throw upstreamNotFound();
    const audit = {
      event: "upstream.tested" as const,
      subject: { type: "upstream" as const, id },
      workspaceId: null,
      before: null,
      after: { name: row.name, base_url: row.base_url },
    };
    return { result: undefined, audit };
  });
  const upstream = deps.upstreams.find(organizationId, id);
  if (upstream === null) {
    const problem =
      "The upstream cannot be used: it has no credential, its credential cannot be decrypted, or its address is not allowed. The environment of the server can also replace it.";
    return { isWorking: false, httpStatus: null, latencyMs: 0, problem };
  }
  return sendTest(upstream, deps.nowMs);
}

async function sendTest(upstream: Upstream, nowMs: () => number): Promise<TestedUpstream> {
  const startedMs = nowMs();
  const latencyMs = () => Math.max(0, Math.round(nowMs() - startedMs));
  try {
    const bounds = { maxBytes: MAX_ANSWER_BYTES, signal: AbortSignal.timeout(WITHIN_MS) };
    const { status, body } = await requestWhole(upstream.client, toTestRequest(upstream), bounds);
    upstream.health.noteAnswer(status, nowMs());
    const isWorking = status === 200;
    const problem = isWorking ? null : explainAnswer(upstream, status, body);
    return { isWorking, httpStatus: status, latencyMs: latencyMs(), problem };
  } catch (error) {
    return { isWorking: false, httpStatus: null, latencyMs: latencyMs(), problem: explain(error) };
  }
}

/** Cloud platforms have no list of models, so they count the tokens of a short message. Both cost nothing. */
function toTestRequest({ basePath, credential, testModel }: Upstream): HttpRequest {
  const headers = FieldLines.fromList(["anthropic-version", "2023-06-01"]);
  headers.add("accept-encoding", "identity");
  if (credential !== null) headers.add("x-api-key", credential);
  const request = { headers, headersTimeoutMs: null };
  if (testModel === null) {
    return { ...request, method: "GET", path: `${basePath}/v1/models?limit=1`, body: null };
  }
  headers.add("content-type", "application/json");
  const messages = [{ role: "user", content: "test" }];
  return {
    ...request,
    method: "POST",
    path: `${basePath}/v1/messages/count_tokens`,
    body: Buffer.from(JSON.stringify({ model: testModel, messages })),
  };
}

/** The message of a failed connection can have addresses, which the caller has set. */
function explain(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  const reason = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  return `The upstream was not reached${code}: ${reason}`.slice(0, MAX_PROBLEM_CHARACTERS);
}
