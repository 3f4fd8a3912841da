import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { WorkspaceName } from "../workspaces/workspace-link.tsx";
import { EndLaptopDialog } from "./end-laptop-dialog.tsx";
import type { Laptop } from "./queries.ts";
import { RenameLaptopDialog } from "./rename-laptop-dialog.tsx";

interface LaptopListProps {
  laptops: readonly Laptop[];
  /** True: the laptops belong to the reader. */
  isOwn: boolean;
}

/** Active laptops of one member. */
export function LaptopList({ laptops, isOwn }: LaptopListProps) {
  const [opened, setOpened] = useState<{ laptop: Laptop; change: "rename" | "end" } | null>(null);
  const close = () => setOpened(null);
  if (laptops.length === 0) return <p className="text-sm text-quiet">No laptops.</p>;
  return (
    <>
      <ul className="divide-y divide-line border-y border-line text-sm">
        {laptops.map((laptop) => (
          <li key={laptop.id} className="flex flex-wrap items-center gap-x-6 gap-y-2 py-3">
            <span className="min-w-0 flex-1 basis-52">
              <span className="font-medium break-words">{laptop.name}</span>
              <span className="block text-quiet">
                {formatClient(laptop)}, <LastUse laptop={laptop} />
              </span>
              <span className="block text-quiet">
                <WorkspaceName id={laptop.workspace_id} />
              </span>
            </span>
            <span className="flex gap-2">
              {isOwn && (
                <Button onClick={() => setOpened({ laptop, change: "rename" })}>Rename…</Button>
              )}
              <Button onClick={() => setOpened({ laptop, change: "end" })}>End laptop…</Button>
            </span>
          </li>
        ))}
      </ul>
      {opened?.change === "rename" && <RenameLaptopDialog laptop={opened.laptop} onClose={close} />}
      {opened?.change === "end" && <EndLaptopDialog laptop={opened.laptop} onClose={close} />}
    </>
  );
}

/** Client and address of the sign-in. */
export function formatClient({ client_version, ip_address }: Laptop): string {
  const client = client_version === null ? "Claude Code" : `Claude Code ${client_version}`;
  return `${client} at ${ip_address ?? "an unknown address"}`;
}

/** Time of the last request, or of the sign-in. */
export function LastUse({
  laptop: { last_used, created_at },
}: {
  laptop: Pick<Laptop, "last_used" | "created_at">;
}) {
  return last_used === null ? (
    <>
      not used since the sign-in <RelativeTime at={created_at} />
    </>
  ) : (
    <>
      last used <RelativeTime at={last_used.at} />
    </>
  );
}
