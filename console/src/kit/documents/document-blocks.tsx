import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { classNames } from "../../ui/class-names.ts";
import { CodeBlock } from "../../ui/code-block.tsx";
import { type Block, type Content, type Inline, toPlainText } from "./blocks.ts";

/** Columns above which a table can be wider than its text. */
const MOST_NARROW_COLUMNS = 3;
/** Columns above which cells are short, such as "yes". They share lines on narrow screens. */
const MOST_LONG_CELLS = 4;

/** The blocks of a document, one below the other. */
export function DocumentBlocks({ blocks }: { blocks: readonly Block[] }) {
  return (
    <div className="grid content-start gap-4">
      {blocks.map((block, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a document never changes.
        <BlockView key={place} block={block} />
      ))}
    </div>
  );
}

function BlockView({ block }: { block: Block }): ReactNode {
  switch (block.kind) {
    case "heading":
      return <AnchoredHeading block={block} />;
    case "paragraph":
      return (
        <p className="max-w-[44rem] text-pretty break-words">
          <Inlines content={block.content} />
        </p>
      );
    case "quote":
      return (
        <blockquote className="border-l-2 border-line pl-4 text-quiet">
          <DocumentBlocks blocks={block.blocks} />
        </blockquote>
      );
    case "list":
      return <List block={block} />;
    case "table":
      return <DocumentTable block={block} />;
    case "code":
      return <CodeBlock text={block.text} what="code" />;
  }
}

type BlockOf<Kind> = Extract<Block, { kind: Kind }>;

/** Heading with a link to itself, which appears with the pointer or the focus. */
function AnchoredHeading({ block: { level, id, content } }: { block: BlockOf<"heading"> }) {
  const Heading = level <= 2 ? "h2" : level === 3 ? "h3" : "h4";
  return (
    <div
      className={classNames(
        "group flex items-baseline gap-1",
        level <= 2 ? "mt-6 border-t border-line pt-5" : "mt-3",
      )}
    >
      <Heading
        id={id}
        className={classNames("min-w-0 scroll-mt-20 break-words", level <= 2 && "text-xl")}
      >
        <Inlines content={content} />
      </Heading>
      <a
        href={`#${id}`}
        aria-label={`Link to ${toPlainText(content)}`}
        className="no-print target rounded-sm px-1 text-faint opacity-0 group-hover:opacity-100 hover:text-accent focus-visible:opacity-100 pointer-coarse:opacity-100"
      >
        #
      </a>
    </div>
  );
}

function List({ block: { start, items } }: { block: BlockOf<"list"> }) {
  const rows = items.map((blocks, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a document never changes.
    <li key={place} className="pl-1">
      <DocumentBlocks blocks={blocks} />
    </li>
  ));
  const look = "grid max-w-[44rem] gap-2 pl-6 marker:text-faint";
  return start === null ? (
    <ul className={`list-disc ${look}`}>{rows}</ul>
  ) : (
    <ol start={start} className={`list-decimal ${look}`}>
      {rows}
    </ol>
  );
}

/** A table. On narrow screens each row is a block, in which every cell has the name of its column. */
function DocumentTable({ block: { head, rows } }: { block: BlockOf<"table"> }) {
  const isWide = head.length > MOST_NARROW_COLUMNS;
  return (
    <div
      {...(isWide && { tabIndex: 0, role: "group", "aria-label": "Table" })}
      className="overflow-x-auto print:overflow-visible"
    >
      <table className="w-full border-collapse text-sm max-sm:block print:table">
        <thead className="max-sm:sr-only print:table-header-group">
          <tr className="border-b border-edge/60">
            {head.map((cell, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a document never changes.
              <HeadCell key={column} content={cell} />
            ))}
          </tr>
        </thead>
        <tbody className="max-sm:block print:table-row-group">
          {rows.map((row, place) => (
            <tr
              // biome-ignore lint/suspicious/noArrayIndexKey: a document never changes.
              key={place}
              className="border-b border-line max-sm:block max-sm:py-2.5 print:table-row"
            >
              {row.map((cell, column) => (
                <Cell
                  // biome-ignore lint/suspicious/noArrayIndexKey: a document never changes.
                  key={column}
                  name={column === 0 ? "" : toPlainText(head[column] ?? [])}
                  isNamed={head.length > 2}
                  isShort={head.length > MOST_LONG_CELLS}
                  content={cell}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Name of a column. Tables with row names have a first column without one. */
function HeadCell({ content }: { content: Content }) {
  if (content.length === 0) return <td />;
  return (
    <th scope="col" className="py-2 pr-5 text-left align-bottom font-medium text-quiet">
      <Inlines content={content} />
    </th>
  );
}

interface CellProps {
  /** Name of the column. Empty for the first one. */
  name: string;
  /** Shows the name on narrow screens. */
  isNamed: boolean;
  /** Shares a line with others on narrow screens. */
  isShort: boolean;
  content: Content;
}

function Cell({ name, isNamed, isShort, content }: CellProps) {
  if (content.length === 0) return <td className="max-sm:hidden print:table-cell" />;
  return (
    <td
      className={classNames(
        "py-2 pr-5 align-top break-words max-sm:py-0.5 max-sm:pr-0 print:table-cell",
        name === "" && "max-sm:font-medium",
        isShort && name !== "" ? "max-sm:mr-4 max-sm:inline-block" : "max-sm:block",
      )}
    >
      {isNamed && name !== "" && (
        <span aria-hidden="true" className="mr-1.5 text-xs text-faint sm:hidden print:hidden">
          {name}
        </span>
      )}
      <Inlines content={content} />
    </td>
  );
}

/** Text with code, emphasis and links. */
export function Inlines({ content }: { content: Content }) {
  return content.map((inline, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a document never changes.
    <InlineView key={place} inline={inline} />
  ));
}

function InlineView({ inline }: { inline: Inline }): ReactNode {
  if (typeof inline === "string") return inline;
  switch (inline.kind) {
    case "code":
      return <Code>{inline.text}</Code>;
    case "strong":
      return (
        <strong className="font-semibold">
          <Inlines content={inline.content} />
        </strong>
      );
    case "emphasis":
      return (
        <em>
          <Inlines content={inline.content} />
        </em>
      );
    case "link":
      return <DocumentLink to={inline.to} content={inline.content} />;
  }
}

/** Code in a line of text. Long names break instead of widening the page. */
export function Code({ children }: { children: string }) {
  return (
    <code className="rounded-sm bg-sunk px-1 py-px break-words [box-decoration-break:clone]">
      {children}
    </code>
  );
}

/** Link inside the console, or to another site in a new tab. */
function DocumentLink({ to, content }: { to: string; content: Content }) {
  if (/^https?:/.test(to)) {
    return (
      <a href={to} target="_blank" rel="noreferrer" className="link">
        <Inlines content={content} />
      </a>
    );
  }
  const [path = "", hash] = to.split("#");
  return (
    <Link to={path === "" ? "." : path} {...(hash !== undefined && { hash })} className="link">
      <Inlines content={content} />
    </Link>
  );
}
