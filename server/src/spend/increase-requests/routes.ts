import {
  type increaseRequestRoutes,
  listIncreaseRequests as listIncreaseRequestsRoute,
  listOfficialIncreaseRequests,
} from "@bursar/contract/admin/spend-limit-increase-requests.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import {
  findOfficialScope,
  fromOfficialAmount,
  toOfficialSpendLimit,
} from "#src/spend/ledger/official-limit.ts";
import { readLimit } from "#src/spend/limits/read-limit.ts";
import type { IncreaseRequestRow } from "./increase-requests.sql.ts";
import {
  createIncreaseRequest,
  getIncreaseRequest,
  listIncreaseRequests,
  requestNotFound,
  withdrawIncreaseRequest,
} from "./increase-requests.ts";
import type { RequestMailDeps } from "./request-mail.ts";
import { approveIncreaseRequest, denyIncreaseRequest } from "./resolve-request.ts";
import { toIncreaseRequest, toOfficialIncreaseRequest } from "./to-wire.ts";

export function makeIncreaseRequestHandlers(
  deps: RequestMailDeps,
): HandlersFor<(typeof increaseRequestRoutes)[number], Call> {
  return {
    createIncreaseRequest: async (call, { body }) =>
      toIncreaseRequest(await createIncreaseRequest(deps, call, body), call.caller),
    listIncreaseRequests: pagedList(
      listIncreaseRequestsRoute,
      (call, { query }, page) => listIncreaseRequests(deps, call, query, page),
      (row, { caller }) => toIncreaseRequest(row, caller),
    ),
    getIncreaseRequest: async (call, { params }) =>
      toIncreaseRequest(await getIncreaseRequest(deps, call, idOf(params)), call.caller),
    withdrawIncreaseRequest: async (call, { params }) =>
      toIncreaseRequest(await withdrawIncreaseRequest(deps, call, idOf(params)), call.caller),
    approveIncreaseRequest: async (call, { params, body: { amount_usd: amount, answer } }) => {
      const amountNanoUsd = amount === undefined ? null : readLimit("amount_usd", amount);
      const approval = { amountNanoUsd, answer, isSilent: false };
      const approved = await approveIncreaseRequest(deps, call, idOf(params), approval);
      return toIncreaseRequest(approved.request, call.caller);
    },
    denyIncreaseRequest: async (call, { params, body: { answer } }) => {
      const denial = { answer, isSilent: false };
      const denied = await denyIncreaseRequest(deps, call, idOf(params), denial);
      return toIncreaseRequest(denied, call.caller);
    },
    ...makeOfficialHandlers(deps),
  };
}

type OfficialName =
  | "listOfficialIncreaseRequests"
  | "getOfficialIncreaseRequest"
  | "approveOfficialIncreaseRequest"
  | "denyOfficialIncreaseRequest";

function makeOfficialHandlers(
  deps: RequestMailDeps,
): Pick<HandlersFor<(typeof increaseRequestRoutes)[number], Call>, OfficialName> {
  return {
    listOfficialIncreaseRequests: pagedList(
      listOfficialIncreaseRequests,
      (call, { query: { status, ...rest } }, page) => {
        const query = { ...rest, statuses: status ?? officialStatuses, hasPresentRequester: true };
        return listIncreaseRequests(deps, call, query, page);
      },
      toOfficialIncreaseRequest,
    ),
    getOfficialIncreaseRequest: async (call, { params }) =>
      toOfficialIncreaseRequest(await getIncreaseRequest(deps, call, idOf(params))),
    approveOfficialIncreaseRequest: async (call, { params, body }) => {
      const found = await getOfficialRequest(deps, call, idOf(params));
      checkPeriod(found, body.period);
      const { request, limit } = await approveIncreaseRequest(deps, call, found.id, {
        amountNanoUsd: fromOfficialAmount(body.amount),
        answer: "",
        isSilent: body.suppress_notification,
      });
      const spend_limit = findOfficialScope(limit) && toOfficialSpendLimit(limit);
      return { ...toOfficialIncreaseRequest(request), spend_limit };
    },
    denyOfficialIncreaseRequest: async (call, { params, body }) => {
      const { id } = await getOfficialRequest(deps, call, idOf(params));
      const denial = { answer: "", isSilent: body.suppress_notification };
      return toOfficialIncreaseRequest(await denyIncreaseRequest(deps, call, id, denial));
    },
  };
}

const officialStatuses = ["pending", "approved", "denied"] as const;

async function getOfficialRequest(
  deps: RequestMailDeps,
  call: Call,
  id: string,
): Promise<IncreaseRequestRow> {
  const found = await getIncreaseRequest(deps, call, id);
  if (found.status === "withdrawn") throw requestNotFound();
  return found;
}

/** Throws a 400 for another period. A limit of another period would not help the requester. */
function checkPeriod(request: IncreaseRequestRow, period: PeriodName | null | undefined): void {
  if (period === undefined || period === null || period === request.period) return;
  throw refuseField(
    "period",
    `the request is for the ${request.period} limit. Omit the period, or set the ${period} limit directly.`,
  );
}

function idOf(params: { spend_limit_increase_request_id: string }): string {
  return params.spend_limit_increase_request_id;
}
