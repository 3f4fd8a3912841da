import { makeSearchReader, oneOf } from "../../search-fields.ts";

const steps = ["upstream", "workspace", "key"] as const;
export type Step = (typeof steps)[number];

/** Reads the step of the set-up. */
export const readSetUpSearch = makeSearchReader({ step: oneOf(steps) });
