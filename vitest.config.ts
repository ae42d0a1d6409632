import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'runtimes/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // Long counts take their time, and more of it beside other work.
    testTimeout: process.env['CROFT_SOAK'] ? 900_000 : 30_000,
    hookTimeout: 60_000,
    // Machines are busy: what is waited for may take its time.
    expect: { poll: { timeout: 15_000 } },
  },
});
