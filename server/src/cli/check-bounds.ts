import { listExceededBounds } from "@bursar/contract/admin/exceeded-bounds.ts";
import type { Finding } from "./finding.ts";
import { type CallApi, callRoute } from "./local-api.ts";

/** Notes models and tools that exceeded a bound, so that their streams are held whole. Never a fault. */
export async function checkBounds(callApi: CallApi): Promise<Finding> {
  const check = "holds";
  const { data } = await callRoute(callApi, listExceededBounds);
  if (data.length === 0) return { check, ok: true, detail: "no model or tool exceeded its bound" };
  const names = data.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  const detail =
    `held whole, because they exceeded their bound: ${names}; ` +
    "`./bursar exceeded-bounds list` has the figures, and `delete` holds one in steps again";
  return { check, ok: true, is_note: true, detail };
}
