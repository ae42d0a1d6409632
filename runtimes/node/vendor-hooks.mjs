/** The resolve fallback of bootstrap.mjs for Node.js versions without `module.registerHooks`. */
let parentURL;

export function initialize(data) {
  parentURL = data.parentURL;
}

export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    if (/^(\.|\/|node:|file:|data:|#)/.test(specifier) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    try {
      return await nextResolve(specifier, { ...context, parentURL });
    } catch {
      throw error;
    }
  }
}
