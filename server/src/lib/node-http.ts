// HTTP of Node, without WebSocket. An import of node:http reads all its exports, and the one of WebSocket loads
// undici, which takes 42 ms of processor time.

export const { createServer, request, ServerResponse, STATUS_CODES } =
  process.getBuiltinModule("node:http");
