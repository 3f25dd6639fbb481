import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const TEXT = /\.(js|css|html|svg|json)$/;

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

/** Compress what is on disk: before that the bundler's placeholders still stand. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    enforce: 'post',
    writeBundle(options) {
      for (const path of files(options.dir ?? '').filter((name) => TEXT.test(name))) {
        const bytes = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(bytes));
      }
    },
  };
}

const hub = process.env.HUB_URL ?? 'http://127.0.0.1:8470';

export default defineConfig({
  plugins: [react(), compressed()],
  server: { proxy: { '/api': { target: hub, ws: true } } },
  build: { target: 'es2022', outDir: '../ui_dist', emptyOutDir: true },
});
