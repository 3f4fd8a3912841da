import { findModelGroup, type ModelGroup, modelGroups } from "#src/domain/model-groups.ts";
import { refuseField, refuseFields } from "#src/domain/refuse-field.ts";
import { rateKinds } from "#src/rates/buckets/bucket.ts";
import type { PerMinute } from "#src/rates/buckets/limits.sql.ts";

/** Returns the model group. Throws a 400 that lists the groups. */
export function readModelGroup(id: string): ModelGroup {
  const group = findModelGroup(id);
  if (group !== null) return group;
  const ids = modelGroups.map((each) => each.id).join(", ");
  throw refuseField("model_group", `unknown model group ${id}. Expected one of ${ids}.`);
}

/** Throws a 400 if all numbers are null, or for token numbers of a group that counts only requests. */
export function checkPerMinute(group: ModelGroup, perMinute: PerMinute): void {
  if (rateKinds.every((kind) => perMinute[kind] === null)) {
    throw refuseFields(
      "Set at least one of requests_per_minute, input_tokens_per_minute and output_tokens_per_minute. To remove a limit, delete it.",
      rateKinds.map((kind) => `${kind}_per_minute`),
    );
  }
  const { input_tokens: input, output_tokens: output } = perMinute;
  if (!group.hasTokenLimits && (input !== null || output !== null)) {
    throw refuseFields(`The group ${group.id} limits requests only. Omit the token limits.`, [
      "input_tokens_per_minute",
      "output_tokens_per_minute",
    ]);
  }
}
