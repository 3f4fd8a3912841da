import { useEffect, useRef, useState } from "react";
import { Input } from "./input.tsx";

interface SearchBoxProps {
  label: string;
  placeholder: string;
  /** Search text of the address. */
  value: string;
  onFind: (text: string) => void;
}

/** Pause after the last key before the list is filtered. A list can have ten thousand rows. */
const PAUSE_MS = 150;

/** Filters a list. The box has its own text state, so that typing never waits for the list. */
export function SearchBox({ label, placeholder, value, onFind }: SearchBoxProps) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const find = useRef(onFind);
  useEffect(() => {
    find.current = onFind;
  });
  useEffect(() => {
    if (value === sent.current) return;
    // A link or the back button has changed the address.
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
      className="sm:max-w-64"
    />
  );
}
