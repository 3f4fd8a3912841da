import { useChange } from "../../queries.ts";

export const useCreateInvites = () => useChange("createInvites", ["listInvites", "listMail"]);
