/** A rule of react-hook-form: the field must hold something to see. */
export const needed = (message: string) => ({
  validate: (value: unknown) =>
    (typeof value === "string" ? value.trim() !== "" : Boolean(value)) || message,
});
