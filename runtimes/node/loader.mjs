/** Finds and loads the handler: CommonJS and ES modules, with the SDK that the runtime provides behind the function's own packages. */
import { existsSync, readFileSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { RuntimeFault } from './logs.mjs';

const require = createRequire(import.meta.url);

/** How handlers that stream are marked. */
export const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');

/** `NODE_PATH` names AWS's places; where it means the provided SDK, this project's is. */
function takeNodePath(vendor) {
  const home = process.env.LAMBDA_RUNTIME_DIR ?? '';
  const shown = process.env.NODE_PATH;
  if (shown === undefined) return;
  const places = shown.split(path.delimiter).filter((entry) => entry !== home);
  process.env.NODE_PATH = places.map((entry) => (vendor && entry === `${home}/node_modules` ? path.join(vendor, 'node_modules') : entry)).join(path.delimiter);
  module._initPaths();
  process.env.NODE_PATH = shown;
}

/** What the function's own node_modules lack is looked up in its layers, then in the SDK that the runtime provides. */
export function providePackages(layers, vendor) {
  takeNodePath(vendor);
  const major = /nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1] ?? '';
  const folders = [...(layers ? [path.join(layers, 'nodejs', `node${major}`), path.join(layers, 'nodejs')] : []), ...(vendor ? [vendor] : [])];
  const parentURLs = folders
    .filter((folder) => existsSync(path.join(folder, 'node_modules')))
    .map((folder) => pathToFileURL(path.join(folder, 'index.mjs')).href);
  if (parentURLs.length === 0) return;
  if (typeof module.registerHooks === 'function') {
    module.registerHooks({
      resolve(specifier, context, nextResolve) {
        try {
          return nextResolve(specifier, context);
        } catch (error) {
          const bare = !/^(\.|\/|node:|file:|data:|#)/.test(specifier);
          if (!bare || (error.code !== 'ERR_MODULE_NOT_FOUND' && error.code !== 'MODULE_NOT_FOUND')) throw error;
          for (const parentURL of parentURLs) {
            try {
              return nextResolve(specifier, { ...context, parentURL });
            } catch {
              // The next place may have it; if none does, what is thrown is the function's own failure.
            }
          }
          throw error;
        }
      },
    });
    return;
  }
  // Before module.registerHooks, a loader thread: it costs start-up time, so only where ES modules can meet it.
  if (usesEsModules()) module.register('./vendor-hooks.mjs', import.meta.url, { data: { parentURLs } });
}

function packageType(folder) {
  for (let at = folder; !at.endsWith('/node_modules'); at = path.dirname(at)) {
    const file = path.join(at, 'package.json');
    if (existsSync(file)) {
      try {
        return JSON.parse(readFileSync(file, 'utf8')).type;
      } catch (error) {
        console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
        return undefined;
      }
    }
    if (at === path.dirname(at)) return undefined;
  }
  return undefined;
}

function handlerFile() {
  const name = process.env._HANDLER ?? '';
  const base = path.basename(name);
  const root = name.slice(0, name.indexOf(base));
  const [, moduleName = '', exported = ''] = /^([^.]*)\.(.*)$/.exec(base) ?? [];
  return { name, root, base, moduleName, exported, file: path.resolve(process.env.LAMBDA_TASK_ROOT ?? '.', root, moduleName) };
}

function usesEsModules() {
  const { file } = handlerFile();
  return existsSync(`${file}.mjs`) || (existsSync(`${file}.js`) && packageType(path.dirname(file)) === 'module');
}

async function loadModule({ root, moduleName, file }) {
  if (existsSync(file)) return require(file);
  const esm = existsSync(`${file}.js`) && packageType(path.dirname(file)) === 'module';
  if (!esm && existsSync(`${file}.js`)) return require(`${file}.js`);
  if (esm) return import(pathToFileURL(`${file}.js`).href);
  if (existsSync(`${file}.mjs`)) return import(pathToFileURL(`${file}.mjs`).href);
  if (existsSync(`${file}.cjs`)) return require(`${file}.cjs`);
  const taskRoot = process.env.LAMBDA_TASK_ROOT ?? '.';
  return require(require.resolve(moduleName, { paths: [taskRoot, path.join(taskRoot, root)] }));
}

export async function loadHandler() {
  const handler = handlerFile();
  const { name, base, exported } = handler;
  if (name.includes('..')) {
    throw new RuntimeFault(
      'MalformedHandlerName',
      `'${name}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  if (!base.includes('.')) throw new RuntimeFault('MalformedHandlerName', 'Bad handler');
  let loaded;
  try {
    loaded = await loadModule(handler);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeFault('UserCodeSyntaxError', String(error));
    if (error?.code === 'MODULE_NOT_FOUND')
      throw new RuntimeFault('ImportModuleError', String(error).replaceAll(import.meta.filename ?? '', '/var/runtime/index.mjs'));
    throw error;
  }
  const found = exported.split('.').reduce((at, key) => at?.[key], loaded);
  if (!found) throw new RuntimeFault('HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof found !== 'function') throw new RuntimeFault('HandlerNotFound', `${name} is not a function`);
  refuseCallbacks(found);
  return found;
}

/** From Node.js 24 on, AWS's runtime takes no handlers with a callback. */
function refuseCallbacks(handler) {
  const version = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1] ?? 0);
  if (version < 24 || handler[STREAMING] || handler.length < 3) return;
  throw new RuntimeFault(
    'CallbackHandlerDeprecated',
    'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
  );
}

/** The global that streaming handlers are made with. */
export function installAwsLambda() {
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response';
      if (typeof options?.highWaterMark === 'number') handler[Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark')] = options.highWaterMark;
      return handler;
    },
    HttpResponseStream: {
      from(stream, metadata) {
        stream.setContentType('application/vnd.awslambda.http-integration-response');
        stream._onBeforeFirstWrite = (write) => {
          write(JSON.stringify(metadata));
          write(new Uint8Array(8));
        };
        return stream;
      },
    },
  };
}

/** Has Node.js load what it needs to load a module at all: most of the time to a first handler is that. */
export function warmUp() {
  const hooks = module.registerHooks?.({ resolve: (specifier, context, nextResolve) => nextResolve(specifier, context) });
  require('./warm.cjs');
  delete require.cache[require.resolve('./warm.cjs')];
  hooks?.deregister?.();
}
