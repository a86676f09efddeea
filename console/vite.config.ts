import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/',
  plugins: [react()],
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    // Nothing becomes a `data:` address, so that the page works under `default-src 'self'`.
    assetsInlineLimit: 0,
    // The page fetches its modules with plain link elements; the polyfill serves browsers we do not.
    modulePreload: { polyfill: false },
  },
  // For work on the console itself: a Raybridge that runs with its defaults answers the calls.
  server: { proxy: { '/api': 'http://127.0.0.1:2080' } },
});
