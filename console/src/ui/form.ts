/** A rule of react-hook-form: the field must not be blank. */
export const needed = (message: string) => ({
  validate: (value: unknown) =>
    (typeof value === "string" ? value.trim() !== "" : Boolean(value)) || message,
});
