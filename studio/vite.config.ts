import { readFileSync } from "node:fs";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const FONTS = ["source-sans-3", "source-serif-4"];

/** The licences of the fonts beside them; `build.license` writes those of the scripts alone. */
const fontLicences: Plugin = {
  name: "font-licences",
  generateBundle() {
    for (const font of FONTS) {
      const path = new URL(`../node_modules/@fontsource-variable/${font}/LICENSE`, import.meta.url);
      this.emitFile({ type: "asset", fileName: `licences/${font}.txt`, source: readFileSync(path) });
    }
  },
};

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [svelte({ configFile: false }), fontLicences],
  build: {
    outDir: "../dist/studio-page",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    license: { fileName: "licences/scripts.md" },
  },
  server: { proxy: { "/studio": "http://127.0.0.1:8017", "/latent": "http://127.0.0.1:8017" } },
});
