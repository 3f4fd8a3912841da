import type { statementGroups } from "@bursar/contract/statement-groups.ts";
import type { Answer } from "../../api-client.ts";
import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { type StatementSearch, toScope } from "./search.ts";

export type ListedStatement = ItemOf<"listStatements">;
export type Statement = Answer<"getStatement">;
export type StatementRow = ItemOf<"listStatementRows">;
export type ContractTerm = Answer<"listContractTerms">["data"][number];
export type StatementGroup = (typeof statementGroups)[number];

/** A null scope sends no request. */
export const useStatements = (scope: StatementSearch | null) =>
  useList(
    "listStatements",
    { query: toScope(scope ?? {}) },
    { isEnabled: scope !== null, isPreviousShown: true },
  );

/** A null scope sends no request. */
export const useStatement = (month: string, scope: StatementSearch | null) =>
  useApi(
    "getStatement",
    { params: { month }, query: toScope(scope ?? {}) },
    { isEnabled: scope !== null, isPreviousShown: true },
  );

export const useStatementRows = (
  month: string,
  search: StatementSearch,
  group_by: StatementGroup,
) => useList("listStatementRows", { params: { month }, query: { ...toScope(search), group_by } });

export const useStatementSettings = () =>
  useApi("getStatementSettings", {}, { isEnabled: useMay()("contract_terms:read") });
export const useUpdateSettings = () =>
  useChange("updateStatementSettings", ["getStatementSettings", "listStatementRows"]);

const changedByTerms = [
  "listContractTerms",
  "listStatements",
  "getStatement",
  "listStatementRows",
] as const;
export const useContractTerms = () =>
  useApi("listContractTerms", {}, { isEnabled: useMay()("contract_terms:read") });
export const useCreateTerm = () => useChange("createContractTerm", changedByTerms);
export const useDeleteTerm = () => useChange("deleteContractTerm", changedByTerms);
