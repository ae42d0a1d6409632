#!/usr/bin/env node
/** Nothing but the version check stands here, so that an old Node.js can still read this file and say what is wrong. */
const NODE_MAJOR_MIN = 24;

if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
  process.stderr.write(
    `Croft needs Node.js ${NODE_MAJOR_MIN} or newer and this is ${process.versions.node}: install a current Node.js, or start Croft through npm (npx croft), which brings its own.\n`,
  );
  process.exitCode = 2;
} else {
  const { main } = await import('./program.ts');
  process.exitCode = await main(process.argv.slice(2));
}
