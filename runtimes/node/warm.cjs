/** Loaded by a runtime that waits for its function, so that the next CommonJS module is loaded faster. */
exports.handler = async (event) => JSON.stringify(event);
