import { classNames } from "./class-names.ts";
import { CopyIconButton } from "./copy-button.tsx";

/** Text to copy into a terminal or a program. */
export function CodeBlock({
  text,
  what = "code",
  isWrapped = false,
}: {
  text: string;
  what?: string;
  /** Wraps long lines. Otherwise the block scrolls sideways. */
  isWrapped?: boolean;
}) {
  return (
    <div className="relative rounded-md border border-line bg-sunk">
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable element must be reachable by keyboard.
        tabIndex={0}
        className={classNames(
          "overflow-x-auto py-2.5 pr-11 pl-3 text-[0.8125rem] leading-relaxed print:break-words print:whitespace-pre-wrap",
          isWrapped && "break-words whitespace-pre-wrap",
        )}
      >
        <code>{text}</code>
      </pre>
      <div className="no-print absolute inset-y-0 right-0 rounded-r-md bg-sunk py-1.5 pr-1.5">
        <CopyIconButton text={text} what={what} />
      </div>
    </div>
  );
}
