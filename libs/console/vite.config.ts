import { defineConfig } from 'vite';

/** The pages of the console, from `web/` into `dist/web`. */
export default defineConfig({
  root: 'web',
  build: { outDir: '../dist/web', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
});
