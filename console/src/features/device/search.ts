import { makeSearchReader, type SearchOf, text } from "../../search-fields.ts";

const MAX_CODE_LENGTH = 20;
const fields = { code: text(MAX_CODE_LENGTH) };

export const readDeviceSearch = makeSearchReader(fields);
export type DeviceSearch = SearchOf<typeof fields>;
