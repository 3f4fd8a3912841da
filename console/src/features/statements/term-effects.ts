import { listNames } from "../../kit/consequences/sentences.ts";
import { formatPlural } from "../../ui/format.ts";
import type { ContractTerm, ListedStatement } from "./queries.ts";
import { nameMonth } from "./words.ts";

// Effects of contract terms on statements, as sentences.

type Term = Pick<ContractTerm, "from_month" | "model_family" | "discount_percent">;
type Month = Pick<ListedStatement, "month" | "state">;

interface TermChange {
  term: Term;
  /** Stored terms. */
  terms: readonly Term[];
  statements: readonly Month[];
}

/** Effects of a new term. */
export function describeNewTerm({ term, terms, statements }: TermChange): string[] {
  const before = findEarlier(term, terms);
  const next = findLater(term, terms);
  const months = listOpenMonths(statements, term.from_month, next?.from_month ?? null);
  return [
    describeMonths(months),
    ...(before
      ? [`The term replaces ${nameDiscount(before)} from ${nameMonth(before.from_month)}.`]
      : []),
    next
      ? `The term ends with ${nameDiscount(next)} from ${nameMonth(next.from_month)}.`
      : "The term applies to each later month too.",
    "Closed months stay as they are.",
  ];
}

/** Effects of a deleted term. */
export function describeDeletedTerm({ term, terms, statements }: TermChange): string[] {
  const before = findEarlier(term, terms);
  const next = findLater(term, terms);
  const months = listOpenMonths(statements, term.from_month, next?.from_month ?? null);
  return [
    describeMonths(months),
    before
      ? `They then have ${nameDiscount(before)} from ${nameMonth(before.from_month)}.`
      : `They then have no term for ${nameModels(term)}.`,
    "Closed months stay as they are. To undo it, create the term again.",
  ];
}

/** Term of the same models that applies before. */
function findEarlier(term: Term, terms: readonly Term[]): Term | undefined {
  return terms
    .filter((each) => isSameFamily(each, term) && each.from_month < term.from_month)
    .toSorted((a, b) => b.from_month.localeCompare(a.from_month))[0];
}

/** Term of the same models that applies after. */
function findLater(term: Term, terms: readonly Term[]): Term | undefined {
  return terms
    .filter((each) => isSameFamily(each, term) && each.from_month > term.from_month)
    .toSorted((a, b) => a.from_month.localeCompare(b.from_month))[0];
}

function isSameFamily(a: Term, b: Term): boolean {
  return a.model_family === b.model_family;
}

function listOpenMonths(statements: readonly Month[], from: string, end: string | null): string[] {
  return statements
    .filter(
      ({ month, state }) => state !== "closed" && month >= from && (end === null || month < end),
    )
    .map(({ month }) => month);
}

function describeMonths(months: readonly string[]): string {
  if (months.length === 0) return "No open statement changes now.";
  const changed = formatPlural(months.length, "open statement changes", "open statements change");
  return `${changed} at once: ${listNames(months.map(nameMonth))}.`;
}

function nameDiscount({ discount_percent: percent }: Term): string {
  return percent.startsWith("-")
    ? `the surcharge of ${percent.slice(1)}%`
    : `the discount of ${percent}%`;
}

function nameModels({ model_family: family }: Term): string {
  return family === null ? "every model" : `models that begin with ${family}`;
}
