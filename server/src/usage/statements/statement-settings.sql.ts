import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** Returns the name of the tag of cost centres. Null: none is chosen. */
export async function findCostCenterTag(
  db: Database | Tx,
  organizationId: string,
): Promise<string | null> {
  const { rows } = await sql<{ cost_center_tag: string | null }>`
    SELECT cost_center_tag FROM organization WHERE id = ${organizationId}::uuid`.execute(db);
  return rows[0]?.cost_center_tag ?? null;
}

export async function saveCostCenterTag(
  tx: Tx,
  of: { organizationId: string; costCenterTag: string | null },
): Promise<void> {
  await sql`UPDATE organization SET cost_center_tag = ${of.costCenterTag}
    WHERE id = ${of.organizationId}::uuid`.execute(tx);
}

export interface ContractTermRow {
  id: string;
  fromMonth: string;
  /** "": every model. */
  modelFamily: string;
  discountPpm: bigint;
  createdAt: Date;
}

const termColumns = sql`id, from_month::text AS "fromMonth", model_family AS "modelFamily", discount_ppm AS "discountPpm",
  created_at AS "createdAt"`;

/** Lists terms, the newest month first. */
export async function listContractTerms(
  db: Database | Tx,
  organizationId: string,
): Promise<ContractTermRow[]> {
  const { rows } = await sql<ContractTermRow>`
    SELECT ${termColumns} FROM contract_term WHERE organization_id = ${organizationId}::uuid
    ORDER BY from_month DESC, model_family COLLATE "C"`.execute(db);
  return rows;
}

export async function insertContractTerm(
  tx: Tx,
  { organizationId, ...row }: ContractTermRow & { organizationId: string },
): Promise<void> {
  await sql`INSERT INTO contract_term (id, organization_id, from_month, model_family, discount_ppm, created_at)
    VALUES (${row.id}, ${organizationId}, ${row.fromMonth}, ${row.modelFamily}, ${row.discountPpm}, ${row.createdAt})`.execute(
    tx,
  );
}

/** Deletes a term, and returns it. Null: the organization has no such term. */
export async function deleteContractTerm(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<ContractTermRow | null> {
  const { rows } = await sql<ContractTermRow>`
    DELETE FROM contract_term WHERE organization_id = ${of.organizationId}::uuid AND id = ${of.id}
    RETURNING ${termColumns}`.execute(tx);
  return rows[0] ?? null;
}

export async function countContractTerms(tx: Tx, organizationId: string): Promise<number> {
  const { rows } = await sql<{ terms: number }>`
    SELECT count(*)::integer AS terms FROM contract_term WHERE organization_id = ${organizationId}::uuid`.execute(
    tx,
  );
  return rows[0]?.terms ?? 0;
}

export async function findOrganizationName(
  db: Database | Tx,
  organizationId: string,
): Promise<string | null> {
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM organization WHERE id = ${organizationId}::uuid`.execute(db);
  return rows[0]?.name ?? null;
}
