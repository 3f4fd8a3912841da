import { useState } from "react";
import { saveFile } from "../ui/save-file.ts";

/**
 * Saves files that `load` gets from the server. `busy` is the choice that loads now. `save` returns the name of the saved file,
 * or null after a failure, which is `error` until the next call.
 */
export function useSaveFile<Choice extends string>() {
  const [busy, setBusy] = useState<Choice | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const save = async (
    choice: Choice,
    load: () => Promise<{ file: Blob; name: string }>,
  ): Promise<string | null> => {
    setBusy(choice);
    setError(null);
    try {
      const { file, name } = await load();
      saveFile(file, name);
      return name;
    } catch (failure) {
      setError(failure as Error);
      return null;
    } finally {
      setBusy(null);
    }
  };
  return { busy, error, save };
}
