import { z } from "zod";
import { normalizeOperations, type PatchOperation } from "./patch-operations.rule.ts";
import { ScimFault } from "./scim-fault.ts";

const MAX_OPERATIONS = 1_000;
const MAX_PATH = 500;

const patch = z.object({
  Operations: z
    .array(
      z.object({
        op: z.string(),
        path: z.string().max(MAX_PATH).optional(),
        value: z.unknown().optional(),
      }),
    )
    .min(1)
    .max(MAX_OPERATIONS),
});

/** Reads the operations of a PATCH request in the forms of the RFC. Throws a 400. */
export function readOperations(
  body: object,
  of: { schemaId: string; attributes: readonly string[] },
): PatchOperation[] {
  const parsed = patch.safeParse(body);
  if (!parsed.success) throw invalid("Expected a PatchOp with at most 1,000 operations.");
  const operations = normalizeOperations(parsed.data.Operations, of);
  if (operations === null) throw invalid("An operation is neither add, remove nor replace.");
  return operations;
}

function invalid(detail: string): ScimFault {
  return new ScimFault(400, "invalidSyntax", detail);
}
