import { type BaseSyntheticEvent, useState } from "react";
import {
  type DefaultValues,
  type FieldValues,
  type Path,
  type UseFormReturn,
  useForm,
} from "react-hook-form";
import { type Answer, ApiError, type Input, type Operation } from "../api-client.ts";
import { showToast } from "../ui/toast.ts";
import { showServerErrors } from "./server-errors.ts";

/** Part of `useChange` that a form needs. Declared as methods, so that a form can have one of two operations. */
export interface FormChange<O extends Operation> {
  operation: O;
  mutateAsync(input: Input<O>): Promise<Answer<O>>;
  reset(): void;
}

/** A newer state of the server than the form was filled with. */
export interface Conflict<Seen> {
  current: Seen;
  /** Author and time of the last change. Null where the caller may not read the audit log. */
  change: { actor: string; at: string } | null;
}

interface Submission<Values extends FieldValues, Seen> {
  form: UseFormReturn<Values>;
  /** True for each field that was changed here. */
  dirtyFields: UseFormReturn<Values>["formState"]["dirtyFields"];
  seen: Seen;
}

interface ChangeFormOptions<O extends Operation, Values extends FieldValues, Seen> {
  defaultValues?: Values;
  /** Like `defaultValues`, and the form follows when they change. */
  values?: Values;
  /** Input of the operation. Null: a field error was set, and nothing is sent. */
  toInput: (values: Values, submission: Submission<Values, Seen>) => Input<O> | null;
  /** Toast after the change. */
  toast?: string | ((answer: Answer<O>, values: Values) => string);
  onSaved?: (
    answer: Answer<O>,
    values: Values,
    form: UseFormReturn<Values>,
  ) => void | Promise<void>;
  /** Form fields by their name in the API, if the names differ. */
  fieldNames?: Partial<Record<string, Path<Values>>>;
  /** Called after these fields show the errors of a refusal. */
  onFieldsRefused?: (names: readonly Path<Values>[]) => void;
  /** State that the form was filled with, sent as `if_version` by `toInput`. */
  seen?: Seen;
  /** Loads the state after a 409. Null: there is no newer one. */
  findConflict?: (values: Values, seen: Seen) => Promise<Conflict<Seen> | null>;
  /** Fields of the newer state, for `loadCurrent`, over the entered ones. Null: the fields stay. */
  toValues?: (seen: Seen, entered: Values) => Values | null;
}

export interface ChangeFormState<Values extends FieldValues, Seen> {
  form: UseFormReturn<Values>;
  submit: (event?: BaseSyntheticEvent) => void;
  isBusy: boolean;
  /** Error that belongs to no field. */
  error: Error | null;
  seen: Seen;
  conflict: Conflict<Seen> | null;
  /** Fills the form with the newer state. */
  loadCurrent: () => void;
  /** Sends the form over the newer state. */
  replaceCurrent: () => void;
}

/**
 * Form that sends one operation. A refusal appears under its fields. A conflict offers the newer state. A success shows a
 * toast. The answer is not cached, because it can contain a secret.
 */
export function useChangeForm<O extends Operation, Values extends FieldValues, Seen = null>(
  change: FormChange<O>,
  options: ChangeFormOptions<O, Values, Seen>,
): ChangeFormState<Values, Seen> {
  const { defaultValues, values: followed, toast, onSaved } = options;
  const form = useForm<Values>({
    ...(defaultValues && { defaultValues: defaultValues as DefaultValues<Values> }),
    ...(followed && { values: followed }),
  });
  const { dirtyFields, isSubmitting } = form.formState;
  const [error, setError] = useState<Error | null>(null);
  const [seen, setSeen] = useState(options.seen as Seen);
  const [conflict, setConflict] = useState<Conflict<Seen> | null>(null);

  const refuse = async (failure: Error, values: Values, over: Seen) => {
    const isConflict = failure instanceof ApiError && failure.status === 409;
    const found = isConflict && (await options.findConflict?.(values, over).catch(() => null));
    if (found) {
      setConflict(found);
      return;
    }
    const { names, rest } = showServerErrors(form, failure, options.fieldNames);
    setError(rest);
    if (names.length > 0) options.onFieldsRefused?.(names);
  };
  const sendOver = (over: Seen, event?: BaseSyntheticEvent) => {
    // Errors of fields that are not registered would otherwise block the form until they are cleared.
    form.clearErrors();
    const send = form.handleSubmit(async (values) => {
      setError(null);
      setConflict(null);
      const input = options.toInput(values, { form, dirtyFields, seen: over });
      if (input === null) return;
      try {
        const answer = await change.mutateAsync(input);
        change.reset();
        if (toast) showToast(typeof toast === "string" ? toast : toast(answer, values));
        await onSaved?.(answer, values, form);
      } catch (failure) {
        await refuse(failure as Error, values, over);
      }
    });
    void send(event);
  };
  return {
    form,
    submit: (event) => sendOver(seen, event),
    isBusy: isSubmitting,
    error,
    seen,
    conflict,
    loadCurrent: () => {
      if (!conflict) return;
      setSeen(conflict.current);
      setConflict(null);
      const current = options.toValues?.(conflict.current, form.getValues());
      if (current) form.reset(current);
    },
    replaceCurrent: () => {
      if (!conflict) return;
      setSeen(conflict.current);
      sendOver(conflict.current);
    },
  };
}
