import { z } from "zod";

export const fieldError = z
  .object({
    path: z.string().meta({
      description: "Name of the field, such as `scope.workspace_id`. Empty: the whole input.",
    }),
    message: z.string().meta({ description: "A sentence for people." }),
  })
  .meta({ id: "FieldError" });

/** One invalid field of a request. */
export type FieldError = z.output<typeof fieldError>;
