// What bundle.mjs puts in: the engine, and the worker's own script.
declare module "inlined:engine" {
  const base64: string;
  export default base64;
}
declare module "inlined:worker" {
  const script: string;
  export default script;
}
