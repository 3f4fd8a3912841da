import { getRequestLogSettings } from "@bursar/contract/admin/requests.ts";
import type { Finding } from "./finding.ts";
import { type CallApi, callRoute } from "./local-api.ts";

/** Notes that single requests are kept forever: nothing else grows without a limit. Never a fault. */
export async function checkRetention(callApi: CallApi): Promise<Finding> {
  const check = "retention";
  const { retention_days: days } = await callRoute(callApi, getRequestLogSettings);
  if (days !== null) return { check, ok: true, detail: `requests are deleted after ${days} days` };
  const detail =
    "requests are kept forever, about 300 bytes each; " +
    "`./bursar request-log-settings update --retention-days <n>` limits them";
  return { check, ok: true, is_note: true, detail };
}
