import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  // The page itself is answered at /graphql, so every asset is named from the root.
  base: "/graphiql/",
  plugins: [react()],
  // Monaco's workers share code with the page through chunks, which only modules can.
  worker: { format: "es" },
  build: {
    outDir: "../../gateway/pages/graphiql",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // The licences of everything bundled travel with it.
    license: { fileName: "licenses.md" },
    // Monaco is one large chunk by nature; it is loaded once and cached by its hash.
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
    rolldownOptions: {
      // React's compiler marks functions for itself with directives that mean nothing once it has run.
      onLog(level, log, report) {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
});
