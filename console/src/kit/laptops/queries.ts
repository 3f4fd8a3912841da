import type { Operation } from "../../api-client.ts";
import { type ItemOf, useChange, useList } from "../../queries.ts";
import { useMay, useSession } from "../../session.ts";

export type Laptop = ItemOf<"listLaptops">;

export const staleLaptops: readonly Operation[] = ["listLaptops", "listOwnLaptops"];

/** Laptops that still work, of one member, one workspace or both. Members without the right do not see them. */
export function useActiveLaptops(
  filter: { member_id?: string; workspace_id?: string },
  { isEnabled = true } = {},
) {
  const may = useMay();
  return useList(
    "listLaptops",
    { query: { ...filter, status: "active" } },
    { isEnabled: isEnabled && may("members:write") },
  );
}

export const useRenameLaptop = () => useChange("renameOwnLaptop", staleLaptops);

/** Ends one laptop. Members have another route for their own laptops. */
export function useEndLaptop({ member }: Laptop) {
  const isOwn = useSession().member.id === member.id;
  const endOwn = useChange("endOwnLaptop", staleLaptops);
  const endOther = useChange("endLaptop", staleLaptops);
  return isOwn ? endOwn : endOther;
}
