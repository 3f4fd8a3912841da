import { details } from "virtual:reference-details";
import { type Block, type Content, readCodeSpans } from "../../kit/documents/blocks.ts";
import { DocumentBlocks } from "../../kit/documents/document-blocks.tsx";

const code = (text: string): Content => [{ kind: "code", text }];

const table: Block = {
  kind: "table",
  head: [["code"], ["status"], ["meaning"], ["facts"]],
  rows: details.codes.map(({ code: name, status, meaning, facts }) => [
    code(name),
    [String(status)],
    readCodeSpans(meaning),
    facts.flatMap((fact, place) => [...(place > 0 ? [", "] : []), ...code(fact)]),
  ]),
};

/** Error codes with their meaning, and with the members of `error.details` that they always have. */
export function ErrorCodeTable() {
  return <DocumentBlocks blocks={[table]} />;
}
