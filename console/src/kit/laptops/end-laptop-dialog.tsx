import { ConfirmChange } from "../confirm-change.tsx";
import { type Laptop, useEndLaptop } from "./queries.ts";

/** Asks before a laptop is ended. */
export function EndLaptopDialog({ laptop, onClose }: { laptop: Laptop; onClose: () => void }) {
  const change = useEndLaptop(laptop);
  return (
    <ConfirmChange
      change={change}
      input={{ params: { laptop_id: laptop.id } }}
      action="End laptop"
      toast={`${laptop.name} ended`}
      onClose={onClose}
    >
      Claude Code on {laptop.name} stops within a second. Running requests continue. A new sign-in
      on the laptop needs a new approval.
    </ConfirmChange>
  );
}
