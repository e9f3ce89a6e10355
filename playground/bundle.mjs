// One HTML file of everything: node bundle.mjs ENGINE.wasm LICENCES.txt OUT.html DIGEST (build.py compiles the engine and calls this).
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [engine, notices, out, digest] = process.argv.slice(2);

const inlined = (texts) => ({
  name: "inlined",
  setup(build) {
    build.onResolve({ filter: /^inlined:/ }, ({ path }) => ({ path, namespace: "inlined" }));
    build.onLoad({ filter: /.*/, namespace: "inlined" }, ({ path }) => ({ contents: texts[path], loader: "text" }));
  },
});

async function bundle(entry, texts) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [here(entry)], bundle: true, minify: true, write: false, format: "iife", target: "es2022",
    legalComments: "none", charset: "utf8", plugins: [inlined(texts)],
  });
  return outputFiles[0].text;
}

const style = (await esbuild.build({ entryPoints: [here("src/page.css")], bundle: true, minify: true, write: false })).outputFiles[0].text;
const plots = readFileSync(here("node_modules/uplot/dist/uPlot.min.css"), "utf8");
const worker = await bundle("src/worker.ts", { "inlined:engine": readFileSync(engine).toString("base64") });
// "</script" would end the script, "<!--" change how it is read
const page = (await bundle("src/page.ts", { "inlined:worker": worker })).replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");

const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const policy = [
  "default-src 'none'", `script-src ${hash(page)} 'wasm-unsafe-eval' blob:`, "worker-src blob:",
  "style-src 'unsafe-inline'", "img-src data:", "base-uri 'none'", "form-action 'none'",
].join("; ");
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const parts = { digest, policy, style: plots + style, licences: escaped(readFileSync(notices, "utf8")), script: page };
const html = readFileSync(here("src/index.html"), "utf8").replace(/\{\{(\w+)\}\}/g, (_, name) => parts[name]);
writeFileSync(out, html);
