/** `npm run build`: the TypeScript sources as one bundle a program, split so that each command loads what it needs. */
import { execFile } from 'node:child_process';
import { chmod, cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';

/** Programs that are started by path: the command line, and the workers. */
const ENTRIES = [
  'src/cli/main.ts',
  'src/store/sqlite/writer.ts',
  'src/store/sqlite/checkpointer.ts',
  'src/store/sqlite/reader.ts',
  'src/store/sqlite/copier.ts',
  'src/compute/unpack-worker.ts',
  'src/services/cloudformation/expand-worker.ts',
];

/** `dist`, or where a test wants a build of its own. */
const outdir = process.argv[2] ?? 'dist';

/**
 * An ES import of these modules of Node.js reads all that they export, and with it loads fetch, WebSocket and WebCrypto into every start
 * (some 50 ms and 5 MB). Taken as the object that each is, it gives only what is asked of it.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:(http|crypto)$/ }, ({ path }) => ({ path, namespace: 'lazy-builtin' }));
    onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path }) => ({ contents: `module.exports = process.getBuiltinModule('${path}');` }));
  },
};

await rm(outdir, { recursive: true, force: true });
await build({
  entryPoints: ENTRIES,
  outdir,
  outbase: 'src',
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // A CommonJS package that is imported when it is needed would have no named exports; its ES modules do, and only what is used of them is kept.
  mainFields: ['module', 'main'],
  sourcemap: true,
  // Less to read and to keep at each start. Names stay and lines stay short, so that a stack trace can be read; `node --enable-source-maps` gives the sources' lines.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  logLevel: 'warning',
  legalComments: 'none',
  // CommonJS packages inside the bundle still ask for Node's own modules by require.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  // esbuild starts a program of its own package.
  external: ['pg-native', 'esbuild'],
  plugins: [lazyBuiltins],
});
await cp('src/models/generated', `${outdir}/models/generated`, { recursive: true, filter: (path) => !path.endsWith('.ts') });
await chmod(`${outdir}/cli/main.js`, 0o755);
// Says itself why where it builds nothing.
await promisify(execFile)('sh', [join(import.meta.dirname, 'native.sh')]).then(({ stderr }) => process.stderr.write(stderr));
