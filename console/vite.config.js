import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Everything is served from our own address, so the page needs nothing from outside.
export default defineConfig({
  plugins: [react()],
  base: '/console/',
  build: { target: 'es2022', chunkSizeWarningLimit: 6000, sourcemap: false },
});
