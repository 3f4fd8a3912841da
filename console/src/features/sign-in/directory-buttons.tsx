import { Building } from "lucide-react";
import { useState } from "react";
import { leaveForProvider } from "../../kit/sign-in/provider-response.ts";
import { useApi } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { FormError } from "../../ui/states.tsx";

/** One button for each directory. The browser leaves the console for the provider. */
export function DirectoryButtons({ next }: { next: string | null }) {
  const directories = useApi("listSignInDirectories", {});
  const [busyId, setBusyId] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  if (!directories.data || directories.data.data.length === 0) return null;
  const leave = async (id: string) => {
    setBusyId(id);
    setError(null);
    try {
      await leaveForProvider(id, { next: next ?? "/", isAgain: false });
    } catch (failure) {
      setError(failure as Error);
      setBusyId(null);
    }
  };
  return (
    <>
      {directories.data.data.map(({ id, name }) => (
        <Button
          key={id}
          onClick={() => void leave(id)}
          isBusy={busyId === id}
          disabled={busyId !== null}
        >
          <Building size={16} /> Sign in with {name}
        </Button>
      ))}
      <FormError error={error} />
    </>
  );
}
