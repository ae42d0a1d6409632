/**
 * The Node.js runtime of Croft.
 * Started as `node bootstrap.mjs LIFELINE_FD VENDOR_DIR LAYERS_DIR`. Works on Node.js 18 and later. Follows "Define Lambda function handler in
 * Node.js" and "Using the Lambda runtime API for custom runtimes".
 */
import { run } from './runtime.mjs';

const [lifelineFd = '-1', vendor = '', layers = ''] = process.argv.slice(2);
process.argv.splice(2);
run(Number(lifelineFd), vendor, layers);
