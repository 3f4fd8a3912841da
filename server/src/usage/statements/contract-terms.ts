import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { lockOrganization } from "#src/access/limited-scope.sql.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { isUniqueViolation } from "#src/db/database-error.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import { formatPpm, parsePpm } from "./discount.rule.ts";
import { readMonth } from "./statement-month.rule.ts";
import {
  type ContractTermRow,
  countContractTerms,
  deleteContractTerm as deleteTerm,
  findCostCenterTag,
  insertContractTerm,
  listContractTerms as listTerms,
  saveCostCenterTag,
} from "./statement-settings.sql.ts";
import { findLastClosedMonth } from "./statements.sql.ts";

// Terms of the contract, and the tag of cost centres. A term never changes a month that is closed.

/** Each line of an open month is compared with all of them. */
const MAX_TERMS = 200;

export interface ListedTerm extends ContractTermRow {
  /** A closed month applied it. */
  isFixed: boolean;
}

export async function listContractTerms(deps: AuditDeps, { caller }: Call): Promise<ListedTerm[]> {
  const { organizationId } = caller;
  const lastClosed = await findLastClosedMonth(deps.database, organizationId);
  const rows = await listTerms(deps.database, organizationId);
  return rows.map((row) => ({
    ...row,
    isFixed: lastClosed !== null && row.fromMonth <= lastClosed,
  }));
}

export interface NewTerm {
  from_month: string;
  model_family: string | null;
  discount_percent: string;
}

/** Throws a 400 for a closed month, and a 409 for a second term of a family and month. */
export async function createContractTerm(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewTerm,
): Promise<ListedTerm> {
  const { organizationId } = caller;
  const nowMs = deps.nowMs();
  const row: ContractTermRow = {
    id: newId(idPrefixes.contractTerm, nowMs, deps.randomBytes),
    fromMonth: readMonth(input.from_month).month,
    modelFamily: input.model_family ?? "",
    discountPpm: parsePpm(input.discount_percent),
    createdAt: new Date(nowMs),
  };
  try {
    return await auditedTransaction(deps, caller, origin, async (tx) => {
      await lockOrganization(tx, organizationId);
      const lastClosed = await findLastClosedMonth(tx, organizationId);
      if (lastClosed !== null && row.fromMonth <= lastClosed) {
        throw refuseField(
          "from_month",
          `${lastClosed.slice(0, 7)} is closed, and closed months never change. Use a later month.`,
        );
      }
      if ((await countContractTerms(tx, organizationId)) >= MAX_TERMS) {
        throw refuseField("from_month", `an organization has at most ${MAX_TERMS} terms.`);
      }
      await insertContractTerm(tx, { ...row, organizationId });
      const audit = {
        event: "contract_term.created",
        subject: { type: "contract_term", id: row.id },
        workspaceId: null,
        before: null,
        after: toAudit(row),
      } as const;
      return { result: { ...row, isFixed: false }, audit };
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw refuseField(
      "from_month",
      `there is a term of this family from ${input.from_month} already. Delete it first.`,
      "already_exists",
    );
  }
}

/** Throws a 404 for an unknown term, and a 400 for one that a closed month applied. */
export async function deleteContractTerm(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  const { organizationId } = caller;
  await auditedTransaction(deps, caller, origin, async (tx) => {
    await lockOrganization(tx, organizationId);
    const row = await deleteTerm(tx, { organizationId, id });
    if (row === null) {
      throw new ApiError(
        "resource_not_found",
        "Contract term not found",
        {},
        { resource: "contract_term" },
      );
    }
    const lastClosed = await findLastClosedMonth(tx, organizationId);
    if (lastClosed !== null && row.fromMonth <= lastClosed) {
      throw refuseField(
        "contract_term_id",
        "a closed month applied this term. Create a term from a later month instead.",
      );
    }
    const audit = {
      event: "contract_term.deleted",
      subject: { type: "contract_term", id },
      workspaceId: null,
      before: toAudit(row),
      after: null,
    } as const;
    return { result: undefined, audit };
  });
}

function toAudit({ fromMonth, modelFamily, discountPpm }: ContractTermRow) {
  return {
    from_month: fromMonth.slice(0, 7),
    model_family: modelFamily === "" ? null : modelFamily,
    discount_percent: formatPpm(discountPpm),
  };
}

export function getCostCenterTag(deps: AuditDeps, { caller }: Call): Promise<string | null> {
  return findCostCenterTag(deps.database, caller.organizationId);
}

export async function setCostCenterTag(
  deps: AuditDeps,
  { caller, origin }: Call,
  costCenterTag: string | null,
): Promise<void> {
  const { organizationId } = caller;
  await auditedTransaction(deps, caller, origin, async (tx) => {
    await lockOrganization(tx, organizationId);
    const before = await findCostCenterTag(tx, organizationId);
    if (before === costCenterTag) return { result: undefined, audit: "unchanged" };
    await saveCostCenterTag(tx, { organizationId, costCenterTag });
    const audit = {
      event: "statement_settings.updated",
      subject: { type: "statement_settings", id: organizationId },
      workspaceId: null,
      before: { cost_center_tag: before },
      after: { cost_center_tag: costCenterTag },
    } as const;
    return { result: undefined, audit };
  });
}
