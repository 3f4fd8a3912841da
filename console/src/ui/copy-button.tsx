import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, type ButtonKind, IconButton } from "./button.tsx";

const SHOWN_MS = 2_000;

/** Copies the text to the clipboard. The button and screen readers confirm it. */
export function useCopy(text: string): { isCopied: boolean; copy: () => Promise<boolean> } {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = async () => {
    const isDone = await writeToClipboard(text);
    setIsCopied(isDone);
    return isDone;
  };
  return { isCopied, copy };
}

interface CopyButtonProps {
  text: string;
  /** Label after the word "Copy": "key". */
  what: string;
  kind?: ButtonKind;
  autoFocus?: boolean;
  onCopied?: () => void;
}

export function CopyButton({ text, what, kind = "plain", autoFocus, onCopied }: CopyButtonProps) {
  const { isCopied, copy } = useCopy(text);
  return (
    <>
      <Button
        kind={kind}
        autoFocus={autoFocus}
        onClick={() => void copy().then((isDone) => isDone && onCopied?.())}
      >
        {isCopied ? <Check size={15} /> : <Copy size={15} />}
        {isCopied ? "Copied" : `Copy ${what}`}
      </Button>
      <span aria-live="polite" className="sr-only">
        {isCopied ? "Copied" : ""}
      </span>
    </>
  );
}

export function CopyIconButton({ text, what }: { text: string; what: string }) {
  const { isCopied, copy } = useCopy(text);
  return (
    <>
      <IconButton label={`Copy ${what}`} onClick={() => void copy()} className="size-7">
        {isCopied ? <Check size={14} /> : <Copy size={14} />}
      </IconButton>
      <span aria-live="polite" className="sr-only">
        {isCopied ? "Copied" : ""}
      </span>
    </>
  );
}

/** The clipboard API needs a secure origin. On plain HTTP, this uses `execCommand`. */
async function writeToClipboard(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  const { activeElement } = document;
  (activeElement?.closest("[role=dialog]") ?? document.body).append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  if (activeElement instanceof HTMLElement) activeElement.focus();
  return isDone;
}
