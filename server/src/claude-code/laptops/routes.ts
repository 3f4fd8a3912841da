import {
  type laptopRoutes,
  listLaptops as listLaptopsRoute,
  listOwnLaptops as listOwnLaptopsRoute,
} from "@bursar/contract/admin/laptops.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import {
  approveDeviceAuthorization,
  denyDeviceAuthorization,
  getDeviceAuthorization,
} from "./decide-sign-in.ts";
import {
  endLaptop,
  endOwnLaptop,
  listLaptops,
  listOwnLaptops,
  renameOwnLaptop,
  toLaptop,
} from "./laptops.ts";

export function makeLaptopHandlers(
  deps: AuditDeps,
): HandlersFor<(typeof laptopRoutes)[number], Call> {
  return {
    listLaptops: pagedList(
      listLaptopsRoute,
      (call, { query }, page) => listLaptops(deps, call, query, page),
      (row) => toLaptop(row, deps.nowMs()),
    ),
    endLaptop: async (call, { params }) =>
      toLaptop(await endLaptop(deps, call, params.laptop_id), deps.nowMs()),
    listOwnLaptops: pagedList(
      listOwnLaptopsRoute,
      (call, { query }, page) => listOwnLaptops(deps, call, query, page),
      (row) => toLaptop(row, deps.nowMs()),
    ),
    renameOwnLaptop: async (call, { params, body }) =>
      toLaptop(await renameOwnLaptop(deps, call, params.laptop_id, body.name), deps.nowMs()),
    endOwnLaptop: async (call, { params }) =>
      toLaptop(await endOwnLaptop(deps, call, params.laptop_id), deps.nowMs()),
    getDeviceAuthorization: async (call, { params }) => {
      const row = await getDeviceAuthorization(deps, call, params.user_code);
      return {
        user_code: row.userCode,
        type: "device_authorization",
        client_version: row.client_version,
        ip_address: row.address,
        created_at: row.created_at.toISOString(),
        expires_at: row.expires_at.toISOString(),
      };
    },
    approveDeviceAuthorization: async (call, { params, body }) => {
      const row = await approveDeviceAuthorization(deps, call, params.user_code, body);
      return toLaptop(row, deps.nowMs());
    },
    denyDeviceAuthorization: async (call, { params }) => ({
      user_code: await denyDeviceAuthorization(deps, call, params.user_code),
      type: "device_authorization_denied",
    }),
  };
}
