import { ApiError } from "#src/domain/api-error.ts";
import type { ObjectName } from "#src/domain/object-name.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { UpstreamChoice, UpstreamOrder } from "#src/upstreams/upstream.ts";
import type { ObjectReferences } from "./object-references.ts";

export interface ChooseDeps {
  upstreams: UpstreamChoice;
  objects: ObjectReferences;
}

/**
 * Returns the upstreams of a request: the order of its workspace, or the one upstream that has the named objects. Throws or
 * rejects with a 404 for an object of another workspace, and with a 503 if there is no usable upstream.
 */
export function chooseUpstreams(
  { upstreams, objects }: ChooseDeps,
  key: FoundKey,
  names: readonly ObjectName[],
): UpstreamOrder | Promise<UpstreamOrder> {
  const { organizationId, workspaceId } = key;
  if (names.length === 0) return upstreams.forWorkspace(organizationId, workspaceId);
  const pin = (id: string): UpstreamOrder => {
    const upstream = upstreams.find(organizationId, id);
    if (upstream !== null) return [upstream];
    throw new ApiError(
      "upstream_unusable",
      "The upstream that stores the objects of this request is no longer set up, or cannot be used.",
    );
  };
  const found = objects.findUpstreamId(key, names);
  return found instanceof Promise ? found.then(pin) : pin(found);
}
