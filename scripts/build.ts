/** `npm run build`: the TypeScript sources as one bundle a program, split so that each command loads what it needs. */
import { chmod, cp, rm } from 'node:fs/promises';
import { build } from 'esbuild';

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
  logLevel: 'warning',
  legalComments: 'none',
  // CommonJS packages inside the bundle still ask for Node's own modules by require.
  banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" },
  external: ['pg-native'],
});
await cp('src/models/generated', `${outdir}/models/generated`, { recursive: true, filter: (path) => !path.endsWith('.ts') });
await chmod(`${outdir}/cli/main.js`, 0o755);
