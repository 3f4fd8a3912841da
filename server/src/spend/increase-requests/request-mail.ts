import {
  findInheritedRole,
  findReach,
  type OrganizationRole,
  organizationRoles,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { formatDollars } from "#src/domain/money.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { queueMail, withdrawMail } from "#src/mail/queue-mail.ts";
import type { IncreaseRequestRow } from "./increase-requests.sql.ts";
import { findApproverAddresses, findRequesterAddress } from "./request-recipients.sql.ts";

export interface RequestMailDeps extends AuditDeps {
  /** Public address of the server without a trailing slash, from the configuration and never from a request. */
  publicUrl: () => string;
}

/** Maximum number of recipients. A larger group needs no more mail. */
const MAX_APPROVERS = 50;

const approverRoles = organizationRoles.filter((role) => canSetLimits(role));
const approverWorkspaceRoles = workspaceRoles.filter(
  (role) => findReach(role, "spend_limits:write") !== null,
);

function canSetLimits(role: OrganizationRole): boolean {
  const inherited = findInheritedRole(role);
  return inherited !== null && findReach(inherited, "spend_limits:write") !== null;
}

/** Sends mail to all members who can set the limit, except the requester and the owner of a requesting key. */
export async function notifyApprovers(
  tx: Tx,
  deps: RequestMailDeps,
  request: IncreaseRequestRow,
): Promise<void> {
  const { organizationId, workspaceId, requester } = request;
  const approvers = await findApproverAddresses(tx, {
    organizationId,
    organizationRoles: approverRoles,
    workspaceId,
    workspaceRoles: approverWorkspaceRoles,
    limit: MAX_APPROVERS,
  });
  const name = formatActor(requester);
  const subject = `${name} requests a higher spend limit`;
  const limit = formatDollars(request.limitWhenAskedNanoUsd);
  const body = layoutMessage({
    title: subject,
    paragraphs: [
      `The ${request.period} limit of ${formatScope(request)} is ${limit}. ${name} requests ${formatDollars(request.amountNanoUsd)}:`,
      request.reason,
    ],
    action: { label: "Decide", url: formatRequestUrl(deps, request) },
    notes: ["You receive this message because you can set this limit."],
  });
  for (const { email } of approvers) {
    if (requester.email === email) continue;
    await queueMail(tx, deps, {
      ...body,
      organizationId,
      to: email,
      kind: "notice",
      subject,
      aboutId: request.id,
    });
  }
}

/** Sends the decision to the requester, or to the owner of the requesting key. Withdraws unsent mail to others. */
export async function notifyRequester(
  tx: Tx,
  deps: RequestMailDeps,
  request: IncreaseRequestRow,
): Promise<void> {
  await withdrawMail(tx, request.id);
  const to = await findRequesterAddress(tx, request.requester);
  if (to === null) return;
  const isApproved = request.status === "approved";
  const subject = isApproved
    ? "Your increase request was approved"
    : "Your increase request was denied";
  const limit = `The ${request.period} limit of ${formatScope(request)}`;
  const now = request.limit && formatDollars(request.limit.amountNanoUsd);
  const body = layoutMessage({
    title: subject,
    paragraphs: [
      isApproved ? `${limit} is now ${now}.` : `${limit} is unchanged.`,
      ...(request.answer === null ? [] : [request.answer]),
    ],
    action: { label: "See the request", url: formatRequestUrl(deps, request) },
    notes: request.resolvedBy ? [`Decided by ${formatActor(request.resolvedBy)}.`] : [],
  });
  await queueMail(tx, deps, {
    ...body,
    organizationId: request.organizationId,
    to: to.email,
    kind: "notice",
    subject,
    aboutId: request.id,
  });
}

function formatRequestUrl(deps: RequestMailDeps, { id }: IncreaseRequestRow): string {
  return `${deps.publicUrl()}/increase-requests/${id}`;
}

function formatActor({ type, id, name, email }: IncreaseRequestRow["requester"]): string {
  switch (type) {
    case "member":
      return name ?? id;
    case "api_key":
      return `The API key ${name ?? id}${email === null ? "" : ` of ${email}`}`;
    case "admin_key":
      return `The admin key ${name ?? id}`;
    case "local_operator":
      return "The operator of the server";
  }
}

function formatScope({ scopeType, scopeName }: IncreaseRequestRow): string {
  switch (scopeType) {
    case "organization":
      return scopeName;
    case "workspace":
      return `the workspace ${scopeName}`;
    case "api_key":
      return `the API key ${scopeName}`;
    case "member":
      return `the member ${scopeName}`;
    case "group":
      return `the group ${scopeName}`;
    case "tag":
      return `the tag ${scopeName}`;
    case "group_member":
      return `each member of the group ${scopeName}`;
  }
}
