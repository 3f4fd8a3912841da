import { CopyIconButton } from "./copy-button.tsx";

/** Text to be copied into a terminal or a program. */
export function CodeBlock({ text, what = "code" }: { text: string; what?: string }) {
  return (
    <div className="relative rounded-md border border-line bg-sunk">
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what can scroll must be reached by keyboard.
        tabIndex={0}
        className="overflow-x-auto py-2.5 pr-11 pl-3 text-[0.8125rem] leading-relaxed"
      >
        <code>{text}</code>
      </pre>
      <div className="absolute top-1.5 right-1.5">
        <CopyIconButton text={text} what={what} />
      </div>
    </div>
  );
}
