import { useEffect, useRef, useState } from "react";
import { Input } from "./input.tsx";

interface SearchBoxProps {
  label: string;
  placeholder: string;
  /** What is looked for, as it stands in the address. */
  value: string;
  onFind: (text: string) => void;
}

/** So long after the last key the list is narrowed: of ten thousand rows, not at each key. */
const PAUSE_MS = 150;

/** Narrows a list. It holds its own text, so that typing never waits for the list. */
export function SearchBox({ label, placeholder, value, onFind }: SearchBoxProps) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const find = useRef(onFind);
  useEffect(() => {
    find.current = onFind;
  });
  useEffect(() => {
    if (value === sent.current) return;
    // A link or the back button has changed it.
    sent.current = value;
    setText(value);
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text;
      find.current(text);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <Input
      type="search"
      data-search
      aria-label={label}
      placeholder={placeholder}
      value={text}
      onChange={(event) => setText(event.target.value)}
      className="max-w-64"
    />
  );
}
