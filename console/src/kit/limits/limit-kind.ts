import type { Rank } from "@bursar/contract/permissions.ts";
import type { ReactNode } from "react";
import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import type { Input } from "../../api-client.ts";
import type { WholeList } from "../../queries.ts";
import type { StoppingChange } from "../delayed-change/confirm-delayed-change.tsx";
import type { Scope } from "../scopes/scope.ts";
import type { FormChange } from "../use-change-form.ts";

/** Limit of either kind, as far as shared parts read it. */
export interface Limited {
  id: string;
  scope: Scope;
  version: number;
  /** Highest rank first. */
  values: readonly LimitValue[];
}

/** Value of one rank, as far as shared parts read it. */
export interface LimitValue {
  rank: Rank;
  /** Null: unknown. */
  set_by: { type: string; id: string } | null;
  set_at: string;
}

/** A limit with the name of its scope. */
export interface NamedLimit<Limit> {
  limit: Limit;
  name: string;
}

export interface ScopeValues {
  scopeType: Scope["type"];
  scopeId: string | null;
}

type SetLimitOperation = "setSpendLimit" | "setRateLimit";
type RemoveLimitOperation = "deleteSpendLimit" | "deleteRateLimit";

/** Form values of either kind. */
export type LimitValues = ScopeValues & RankedValues & FieldValues;

export interface RankedValues {
  /** Rank whose value the form sets. */
  rank: Rank;
}

/** Starting point of a form: the page's workspace, and the rank whose value it shows. */
export interface FormStart extends RankedValues {
  workspaceId: string | undefined;
  /** Scope of a new limit. Default: the widest of the page. */
  scope?: Scope | undefined;
}

/** Differences between spend limits and rate limits on screen. */
export interface LimitKind<Limit extends Limited, Values extends LimitValues> {
  /** Name in messages: "Limit". Titles and buttons have it in lower case. */
  name: string;
  writeAction: "spend_limits:write" | "rate_limits:write";
  values: LimitValueParts<Limit, Values>;
  list: LimitListParts<Limit>;
  effects: LimitEffects<Limit, Values>;
  form: LimitFormParts<Limit, Values>;
}

interface LimitValueParts<Limit extends Limited, Values extends LimitValues> {
  /** Numbers of a value or of the limit in force: "$100.00, strict" */
  describe: (of: Limit["values"][number] | Limit) => string;
  /** True if the limit in force has a number of this value. */
  isInForce: (value: Limit["values"][number], limit: Limit) => boolean;
  /** True if the value keeps the limit stricter than the form says. */
  isStricter: (value: Limit["values"][number], given: Values) => boolean;
}

export interface LimitState<Limit> {
  id: string;
  label: string;
  includes: (limit: Limit) => boolean;
}

interface LimitListParts<Limit extends Limited> {
  useLimits: (workspaceId: string | undefined) => {
    data: WholeList<Limit> | undefined;
    error: Error | null;
    isPending: boolean;
    refetch: () => unknown;
  };
  compare: (a: NamedLimit<Limit>, b: NamedLimit<Limit>) => number;
  /** States that a long list is filtered by. */
  states?: readonly LimitState<Limit>[];
  Rows: (props: LimitRowsProps<Limit>) => ReactNode;
  /** Purpose of the limits, for a list without any. */
  purpose: ReactNode;
  /** Example for the command line. */
  example: (workspaceId: string | undefined) => { what: "call" | "command"; text: string };
  /** Shown below the list. */
  note: string;
  useRemove: () => StoppingChange<RemoveLimitOperation>;
  toRemoval: (limit: Limit, rank: Rank) => Input<RemoveLimitOperation>;
  /** Effect of the removal of one value. */
  describeRemoval: (removed: NamedLimit<Limit> & { value: Limit["values"][number] }) => ReactNode;
}

export interface LimitRowsProps<Limit> {
  rows: readonly NamedLimit<Limit>[];
  /** Null where the person may not change limits. */
  actions: LimitActions<Limit> | null;
}

export interface LimitActions<Limit> {
  onEdit: (limit: Limit) => void;
  onRemove: (limit: Limit) => void;
  /** True if the person can remove one of the values. */
  canRemove: (limit: Limit) => boolean;
}

/** Blocks that state the effects of a change before it is confirmed. */
interface LimitEffects<Limit extends Limited, Values extends LimitValues> {
  /** `limit`: the changed limit. Null: a new one. */
  Change: (props: { limit: Limit | null; given: Values }) => ReactNode;
  Removal: (props: { limit: Limit; value: Limit["values"][number] }) => ReactNode;
}

interface LimitFormParts<Limit extends Limited, Values extends LimitValues> {
  /** Values of the rank in `start`, or of the limit in force if that rank has none. */
  toValues: (limit: Limit | null, start: FormStart) => Values;
  /** Description of the dialog. Null: a new limit. */
  describe: (about: NamedLimit<Limit> | null) => ReactNode;
  /** Error where no workspace or key is chosen. */
  unscoped: string;
  Fields: (props: LimitFieldsProps<Values>) => ReactNode;
  /** Returns a problem that no single field has. */
  findProblem?: (given: Values) => { field: Path<Values>; message: string } | null;
  useSet: () => FormChange<SetLimitOperation>;
  /** Null: the kind has no limits of this scope. */
  toInput: (given: Values, place: LimitPlace<Limit>) => Input<SetLimitOperation> | null;
  /** Returns the current limit of the same place, or null. */
  find: (given: Values, scope: Scope) => Promise<Limit | null>;
  /** Each field with its current and its entered value. */
  compare: (
    now: Limit | null,
    own: Values,
  ) => readonly (readonly [label: string, now: string, own: string])[];
  /** Form fields by their names on the wire, where they differ. */
  serverNames?: Partial<Record<string, Path<Values>>>;
}

export interface LimitPlace<Limit> {
  scope: Scope;
  /** The limit that the person has seen. Null: none. */
  over: Limit | null;
  /** Version of `over`: a change by another person is not overwritten unseen. */
  if_version: number | null;
}

export interface LimitFieldsProps<Values extends LimitValues> {
  form: UseFormReturn<Values>;
  /** True where the scope is still to be chosen. */
  isNew: boolean;
  /** Field for the rank. */
  rank: ReactNode;
  workspaceId: string | undefined;
}
