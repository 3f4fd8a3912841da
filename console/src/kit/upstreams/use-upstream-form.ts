import type { Answer } from "../../api-client.ts";
import { useChangeForm } from "../use-change-form.ts";
import { type Upstream, useCreateUpstream, useUpdateUpstream } from "./queries.ts";
import { toNewUpstream, toUpstreamChange, toValues } from "./upstream-values.ts";

/** Form that stores an upstream, or changes one. */
export function useUpstreamForm(
  upstream: Upstream | null,
  onSaved: (answer: Answer<"createUpstream">) => void,
) {
  const create = useCreateUpstream();
  const update = useUpdateUpstream();
  return useChangeForm(upstream ? update : create, {
    defaultValues: toValues(upstream),
    toInput: (values) =>
      upstream
        ? { params: { upstream_id: upstream.id }, body: toUpstreamChange(upstream, values) }
        : { body: toNewUpstream(values) },
    fieldNames: {
      extra_headers: "headers",
      "provider_settings.region": "region",
      "provider_settings.project_id": "project_id",
      "provider_settings.resource": "resource",
      "provider_settings.authentication": "authentication",
      "provider_settings.api": "api",
      "provider_settings.inference_profile": "inference_profile",
      "provider_settings.model_names": "model_names",
      "provider_settings.betas": "betas",
    },
    toast: ({ name }) => `Upstream “${name}” ${upstream ? "changed" : "stored"}`,
    onSaved,
  });
}
