import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Measure time or memory, or break servers and downloads off: one file at a time, with the machine to themselves. */
const MEASURING = [
  "test/badInput/mutations.test.ts",
  "test/cli/tokenizerMemory.test.ts",
  "test/host/{memory,worker}.test.ts",
  "test/hub/{download,mutations}.test.ts",
  "test/package/**/*.test.ts",
  "test/server/{faults,load}.test.ts",
  "test/train/neededMemory.test.ts",
];

/** Share a browser, one file after another in one process. */
const STUDIO = ["test/studio/**/*.test.ts"];

export default defineConfig({
  test: {
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
    globalSetup: "test/freshBuild.ts",
    // Files and the commands that they start run side by side, where a second thread only waits for the first.
    env: { BIGVAE_THREADS: "1" },
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...MEASURING, ...STUDIO],
          maxWorkers: Math.max(2, Math.floor(availableParallelism() / 2)),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: MEASURING, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: "studio", include: STUDIO, maxWorkers: 1, isolate: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
