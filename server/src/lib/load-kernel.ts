/** Part of the WebAssembly interface that Node has and its types lack. */
declare const WebAssembly: {
  Module: new (code: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

/** Compiles a module of WebAssembly in base64, and returns its exports. Throws on a processor without SSE 4.1 or NEON. */
export function loadKernel<Exports>(code: string): Exports {
  const module = new WebAssembly.Module(Buffer.from(code, "base64"));
  return new WebAssembly.Instance(module).exports as Exports;
}
