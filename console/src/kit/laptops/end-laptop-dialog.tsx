import { ConfirmDelayedChange } from "../delayed-change/confirm-delayed-change.tsx";
import { type Laptop, useEndLaptop } from "./queries.ts";

/** Asks before a laptop is ended. */
export function EndLaptopDialog({ laptop, onClose }: { laptop: Laptop; onClose: () => void }) {
  const change = useEndLaptop(laptop);
  return (
    <ConfirmDelayedChange
      change={change}
      input={{ params: { laptop_id: laptop.id } }}
      action="End laptop"
      urgentAction="End now"
      subject={laptop.id}
      name={laptop.name}
      done="ended"
      onClose={onClose}
    >
      Claude Code on {laptop.name} stops within a second. Running requests continue. A new sign-in
      on the laptop needs a new approval.
    </ConfirmDelayedChange>
  );
}
