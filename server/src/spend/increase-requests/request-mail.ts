import {
  inheritedRole,
  type OrganizationRole,
  organizationRoles,
  reachOfRole,
  workspaceRoles,
} from "@bursar/contract/permissions.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { formatUsd } from "#src/domain/money.ts";
import { layoutMessage } from "#src/mail/layout.ts";
import { queueMail, withdrawMail } from "#src/mail/queue-mail.ts";
import type { IncreaseRequestRow } from "./increase-requests.sql.ts";
import { findApproverAddresses, findRequesterAddress } from "./request-recipients.sql.ts";

export interface RequestMailDeps extends AuditDeps {
  /** Where people reach this server, without a slash at the end. Of the configuration, never of a request. */
  publicUrl: () => string;
}

/** More people than that need no message: one of them will see to it. */
const MAX_APPROVERS = 50;

const approverRoles = organizationRoles.filter((role) => maySet(role));
const approverWorkspaceRoles = workspaceRoles.filter(
  (role) => reachOfRole(role, "spend_limits:write") !== null,
);

function maySet(role: OrganizationRole): boolean {
  const inherited = inheritedRole(role);
  return inherited !== null && reachOfRole(inherited, "spend_limits:write") !== null;
}

/** Writes to everybody who can set the limit, but not to who asks. */
export async function tellApprovers(
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
  const who = nameOf(requester);
  const subject = `${who} asks for a higher spend limit`;
  const limit = usd(request.limitWhenAskedNanoUsd);
  const body = layoutMessage({
    title: subject,
    paragraphs: [
      `The ${request.period} limit of ${scopeWords(request)} is ${limit}. ${who} asks for ${usd(request.amountNanoUsd)}:`,
      request.reason,
    ],
    action: { label: "Decide", url: linkTo(deps, request) },
    notes: ["You get this because you can set this limit."],
  });
  for (const { id, email } of approvers) {
    if (requester.type === "member" && requester.id === id) continue;
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

/** Writes to who asked, or to the person whose key did; what has not been sent to others about it is withdrawn. */
export async function tellRequester(
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
  const limit = `The ${request.period} limit of ${scopeWords(request)}`;
  const now = request.limit && usd(request.limit.amountNanoUsd);
  const body = layoutMessage({
    title: subject,
    paragraphs: [
      isApproved ? `${limit} is now ${now}.` : `${limit} stays as it is.`,
      ...(request.answer === null ? [] : [request.answer]),
    ],
    action: { label: "See the request", url: linkTo(deps, request) },
    notes: request.resolvedBy ? [`Decided by ${nameOf(request.resolvedBy)}.`] : [],
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

function linkTo(deps: RequestMailDeps, { id }: IncreaseRequestRow): string {
  return `${deps.publicUrl()}/increase-requests/${id}`;
}

function nameOf({ type, id, name }: IncreaseRequestRow["requester"]): string {
  switch (type) {
    case "member":
      return name ?? id;
    case "api_key":
      return `The API key ${name ?? id}`;
    case "admin_key":
      return `The admin key ${name ?? id}`;
    case "local_operator":
      return "The operator of the server";
  }
}

function scopeWords({ scopeType, scopeName }: IncreaseRequestRow): string {
  switch (scopeType) {
    case "organization":
      return scopeName;
    case "workspace":
      return `the workspace ${scopeName}`;
    case "api_key":
      return `the API key ${scopeName}`;
  }
}

function usd(nanoUsd: bigint): string {
  return `$${formatUsd(nanoUsd)}`;
}
