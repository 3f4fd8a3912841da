import type { serverAddressRoutes } from "@bursar/contract/admin/server-address.ts";
import type { systemRoutes } from "@bursar/contract/admin/system.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import { forgetNode, sumOf, toWireBudget } from "./forget-node.ts";
import { makeServerAddress, type ServerAddressDeps } from "./server-address.ts";
import { getSystem, listSystemNodes, type SystemDeps } from "./system.ts";

export function makeSystemHandlers(
  deps: SystemDeps & AuditDeps,
): HandlersFor<(typeof systemRoutes)[number], Call> {
  return {
    getSystem: (call) => getSystem(deps, call),
    listNodes: async ({ caller }) => ({ data: await listSystemNodes(deps, caller.organizationId) }),
    forgetNode: async (call, { params: { node_id: nodeId }, body: { reason } }) => {
      const { leaseTtlMs } = deps.node;
      const released = await forgetNode({ ...deps, leaseTtlMs }, call, { nodeId, reason });
      return {
        type: "node_forgotten",
        id: nodeId,
        released_usd: formatUsd(sumOf(released)),
        released: released.map(toWireBudget),
      };
    },
  };
}

export function makeServerAddressHandlers(
  deps: ServerAddressDeps,
): HandlersFor<(typeof serverAddressRoutes)[number], Call> {
  return { getServerAddress: makeServerAddress(deps) };
}
