import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The script a browser must load before the first page works, in gzip bytes: entry, its static imports, and the words of
 * one language. */
const FIRST_LOAD_LIMIT = 200 * 1024;

function firstLoadBudget(): Plugin {
  return {
    name: 'first-load-budget',
    apply: 'build',
    writeBundle(_, bundle) {
      const seen = new Set<string>();
      let bytes = 0;
      const add = (file: string): void => {
        const chunk = bundle[file];
        if (seen.has(file) || chunk?.type !== 'chunk') return;
        seen.add(file);
        bytes += gzipSync(chunk.code).length;
        chunk.imports.forEach(add);
      };
      Object.values(bundle).forEach((chunk) => chunk.type === 'chunk' && chunk.isEntry && add(chunk.fileName));
      const words = Object.values(bundle).flatMap((chunk) =>
        chunk.type === 'chunk' && chunk.moduleIds.some((id) => /\/i18n\/(?:en|ms)\.ts$/u.test(id))
          ? gzipSync(chunk.code).length
          : [],
      );
      bytes += Math.max(...words);
      const text = `first load: ${(bytes / 1024).toFixed(1)} KiB of gzipped script (limit ${FIRST_LOAD_LIMIT / 1024} KiB)`;
      if (bytes > FIRST_LOAD_LIMIT) this.error(text);
      console.log(text);
    },
  };
}

/** The page at /docs is served by the API; its one script comes from this build, under a name without a hash. */
function docsAssets(): Plugin {
  return {
    name: 'docs-assets',
    apply: 'build',
    generateBundle() {
      const source = readFileSync(resolve(import.meta.dirname, 'node_modules/rapidoc/dist/rapidoc-min.js'), 'utf8');
      this.emitFile({
        type: 'asset',
        fileName: 'docs-assets/rapidoc-min.js',
        source: source.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'),
      });
    },
  };
}

/** The licences of everything that ends up in the build, as most of them ask for. */
function licences(): Plugin {
  return {
    name: 'licences',
    apply: 'build',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
      const found = modules.flatMap(
        (id) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//u.exec(id.replaceAll('\\', '/'))?.[1] ?? [],
      );
      const packages = [...new Set([...found, '@fontsource-variable/figtree', 'rapidoc'])].sort();
      const texts = packages.map((name) => {
        const folder = resolve(import.meta.dirname, 'node_modules', name);
        const file = readdirSync(folder).find((entry) => /^licen[cs]e/iu.test(entry));
        const { version, license } = JSON.parse(readFileSync(resolve(folder, 'package.json'), 'utf8')) as Record<
          string,
          string
        >;
        const text = file === undefined ? '' : readFileSync(resolve(folder, file), 'utf8').trim();
        return `${name} ${version} (${license})\n\n${text}\n`;
      });
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source: texts.join(`\n${'-'.repeat(80)}\n\n`) });
    },
  };
}

const api = process.env['WAFAST_URL'] ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [svelte(), docsAssets(), licences(), firstLoadBudget()],
  build: {
    outDir: process.env['WAFAST_WEB_OUT'] ?? '../python/wafast/web',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // light-dark() and text-wrap: balance; older browsers than these are two years without security fixes
    target: ['chrome123', 'edge123', 'firefox121', 'safari17.5'],
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/api': api, '/media': api, '/docs': api, '/ws': { target: api, ws: true } },
  },
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  test: {
    // A file's own globals and modules without a process of its own, which is two thirds of the processor's time.
    pool: 'vmThreads',
    environment: 'happy-dom',
    include: ['src/**/*.test.ts'],
    setupFiles: ['src/testing/setup.ts'],
    restoreMocks: true,
  },
});
