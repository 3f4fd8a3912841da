import { ApiError } from "./api-error.ts";

/** Throws a 409 if the caller has seen another version of the thing. `name`: its noun in a sentence. */
export function checkVersion(
  name: string,
  { version }: { version: number },
  ifVersion: number | undefined,
): void {
  if (ifVersion === undefined || ifVersion === version) return;
  throw new ApiError(
    "version_conflict",
    `The ${name} has changed and is now at version ${version}. Review it, then set if_version to ${version}.`,
    {},
    { version },
  );
}
