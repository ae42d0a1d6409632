/**
 * Started ahead of any function: loads what does not depend on one, connects to the Runtime API, and becomes the function that the
 * platform names on that connection, as `bootstrap.mjs` does at once.
 */
import 'node:stream';
import 'node:util';
import Module from 'node:module';
import { connect, useConnection } from './api.mjs';
import { warmUp } from './loader.mjs';
import { run } from './runtime.mjs';

const connection = connect(process.env.AWS_LAMBDA_RUNTIME_API);
const gone = () => process.exit(0);
connection.on('error', gone);
connection.on('close', gone);

let received = Buffer.alloc(0);
const gather = (chunk) => {
  received = Buffer.concat([received, chunk]);
  if (received.at(-1) !== 10) return;
  connection.off('data', gather);
  const { variables, directory, args } = JSON.parse(received.toString('utf8'));
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, variables);
  process.chdir(directory);
  process.argv.splice(2);
  // NODE_PATH is read once, when Node.js starts.
  Module._initPaths();
  useConnection(connection);
  const [lifelineFd = '-1', vendor = '', layers = ''] = args;
  run(Number(lifelineFd), vendor, layers);
};
connection.on('data', gather);
warmUp();
