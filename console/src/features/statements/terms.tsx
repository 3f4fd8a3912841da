import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import type { UseFormReturn } from "react-hook-form";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input, Select } from "../../ui/input.tsx";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import {
  type ContractTerm,
  useContractTerms,
  useCreateTerm,
  useDeleteTerm,
  useStatements,
} from "./queries.ts";
import { describeDeletedTerm, describeNewTerm } from "./term-effects.ts";
import { nameMonth } from "./words.ts";

/** Terms of the contract, which statements apply. */
export function TermsSection({ mayChange }: { mayChange: boolean }) {
  const terms = useContractTerms();
  const [isCreating, setIsCreating] = useState(false);
  const [deleted, setDeleted] = useState<ContractTerm | null>(null);
  const columns = useMemo(() => makeColumns(mayChange ? setDeleted : null), [mayChange]);
  if (terms.error) return <LoadError error={terms.error} onRetry={() => void terms.refetch()} />;
  return (
    <Section
      title="Contract"
      lead="Discounts from the list price. Statements alone apply them: limits, alerts and reports stay at list price."
      actions={
        mayChange && (
          <Button onClick={() => setIsCreating(true)}>
            <Plus size={16} /> Create term…
          </Button>
        )
      }
    >
      {terms.isPending ? (
        <SkeletonRows rows={2} />
      ) : terms.data.data.length === 0 ? (
        <p className="text-sm text-quiet">No term. Statements show the list price.</p>
      ) : (
        <Table
          label="Contract terms"
          columns={columns}
          rows={terms.data.data}
          rowKey={({ id }) => id}
        />
      )}
      <CreateTermDialog isOpen={isCreating} onClose={() => setIsCreating(false)} />
      {deleted && <DeleteDialog term={deleted} onClose={() => setDeleted(null)} />}
    </Section>
  );
}

function makeColumns(onDelete: ((term: ContractTerm) => void) | null): Column<ContractTerm>[] {
  return [
    {
      id: "from",
      header: "From",
      cell: ({ from_month }) => <span className="font-medium">{nameMonth(from_month)}</span>,
    },
    {
      id: "family",
      header: "Models",
      cell: ({ model_family: family }) =>
        family === null ? "Every model" : <code>{`${family}…`}</code>,
    },
    {
      id: "discount",
      header: "Discount",
      isNumeric: true,
      cell: ({ discount_percent }) => `${discount_percent}%`,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (term) =>
        term.is_fixed ? (
          <span className="text-sm text-quiet">Applied</span>
        ) : (
          onDelete && (
            <Button
              kind="quiet"
              onClick={() => onDelete(term)}
              aria-label={`Delete the term from ${nameMonth(term.from_month)}…`}
            >
              Delete…
            </Button>
          )
        ),
    },
  ];
}

function CreateTermDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog
      title="Create term"
      description="The discount applies from this month on, until a later term of the same models."
      isOpen={isOpen}
      onClose={onClose}
    >
      <TermForm onCreated={onClose} />
    </Dialog>
  );
}

interface TermValues {
  from_month: string;
  /** Empty: every model. */
  model_family: string;
  discount_percent: string;
}

function TermForm({ onCreated }: { onCreated: () => void }) {
  const open = (useStatements({}).data?.items ?? []).filter(({ state }) => state !== "closed");
  const changeForm = useChangeForm(useCreateTerm(), {
    defaultValues: {
      from_month: open[0]?.month ?? "",
      model_family: "",
      discount_percent: "",
    } as TermValues,
    toInput: ({ model_family: family, ...rest }) => ({
      body: { ...rest, model_family: family.trim() === "" ? null : family.trim() },
    }),
    toast: "Term created",
    onSaved: onCreated,
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  return (
    <DialogForm form={changeForm} action="Create term">
      <Field label="From" error={errors.from_month?.message}>
        {(control) => (
          <Select {...control} {...form.register("from_month", needed("Select a month."))}>
            {open.map(({ month }) => (
              <option key={month} value={month}>
                {nameMonth(month)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field
        label="Discount, percent"
        hint="Such as 12.5. A negative number is a surcharge."
        error={errors.discount_percent?.message}
      >
        {(control) => (
          <Input
            {...control}
            {...form.register("discount_percent", needed("Enter a percentage."))}
            inputMode="decimal"
            placeholder="12.5"
          />
        )}
      </Field>
      <Field
        label="Models"
        isOptional
        hint="Beginning of the names of models, such as claude-opus. Empty: every model."
        error={errors.model_family?.message}
      >
        {(control) => (
          <Input {...control} {...form.register("model_family")} placeholder="claude-opus" />
        )}
      </Field>
      <NewTerm form={form} />
    </DialogForm>
  );
}

const percentage = /^-?\d{1,3}(\.\d{1,4})?$/;

/** Effects of the entered term. */
function NewTerm({ form }: { form: UseFormReturn<TermValues> }) {
  const terms = useContractTerms();
  const statements = useStatements({});
  const { from_month, model_family: family, discount_percent } = form.watch();
  const isEntered = from_month !== "" && percentage.test(discount_percent.trim());
  if (!isEntered || !terms.data || !statements.data) return null;
  return (
    <Consequences
      sentences={describeNewTerm({
        term: { from_month, model_family: family.trim() || null, discount_percent },
        terms: terms.data.data,
        statements: statements.data.items,
      })}
    />
  );
}

function DeleteDialog({ term, onClose }: { term: ContractTerm; onClose: () => void }) {
  const terms = useContractTerms();
  const statements = useStatements({});
  return (
    <ConfirmDelayedChange
      change={useDeleteTerm()}
      input={{ params: { contract_term_id: term.id } }}
      action="Delete term"
      urgentAction="Delete now"
      subject={term.id}
      name="Term"
      done="deleted"
      onClose={onClose}
    >
      <p>
        The term from {nameMonth(term.from_month)} with a discount of {term.discount_percent}% is
        deleted.
      </p>
      <Consequences
        sentences={
          terms.data && statements.data
            ? describeDeletedTerm({
                term,
                terms: terms.data.data,
                statements: statements.data.items,
              })
            : []
        }
        counts={[terms, statements]}
      />
    </ConfirmDelayedChange>
  );
}
