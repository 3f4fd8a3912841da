import type { Operation } from "../../api-client.ts";
import { type ItemOf, useChange } from "../../queries.ts";
import { useSession } from "../../session.ts";

export type Laptop = ItemOf<"listLaptops">;

export const staleLaptops: readonly Operation[] = ["listLaptops", "listOwnLaptops"];

export const useRenameLaptop = () => useChange("renameOwnLaptop", staleLaptops);

/** Ends one laptop. Members have another route for their own laptops. */
export function useEndLaptop({ member }: Laptop) {
  const isOwn = useSession().member.id === member.id;
  const endOwn = useChange("endOwnLaptop", staleLaptops);
  const endOther = useChange("endLaptop", staleLaptops);
  return isOwn ? endOwn : endOther;
}
