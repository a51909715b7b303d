import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [svelte({ configFile: false })],
  build: { outDir: "../dist/studio-page", emptyOutDir: true, target: "es2023", assetsInlineLimit: 0 },
  server: { proxy: { "/studio": "http://127.0.0.1:8017", "/latent": "http://127.0.0.1:8017" } },
});
