// SPDX-License-Identifier: Apache-2.0
// Builds the web UI into dist/: one script, one style sheet, no request to another host. The names are fixed; the server
// gives each an ETag from its content.
import { defineConfig } from "vite";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  css: { preprocessorOptions: { scss: { loadPaths: ["node_modules"] } } },
  build: {
    outDir: "dist",
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: "src/main.tsx",
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "[name].js",
        assetFileNames: "app.[ext]",
      },
    },
  },
});
