/** The resolve fallback of bootstrap.mjs for Node.js versions without `module.registerHooks`. */
let parentURLs = [];

export function initialize(data) {
  parentURLs = data.parentURLs;
}

export async function resolve(specifier, context, nextResolve) {
  try {
    return await nextResolve(specifier, context);
  } catch (error) {
    if (/^(\.|\/|node:|file:|data:|#)/.test(specifier) || error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    for (const parentURL of parentURLs) {
      try {
        return await nextResolve(specifier, { ...context, parentURL });
      } catch {
        // The next place may have it; if none does, what is thrown is the function's own failure.
      }
    }
    throw error;
  }
}
