/** What pull and rm ask whoever sits at a terminal. Python's pty is the terminal; skipped where there is no Python. */
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HubMock, startHub } from "../hub/hubMock.js";
import { ADAPTERS_NAME, adaptersRepository, BASE_NAME, baseRepository, environment } from "../hub/models.js";
import { run } from "../process.js";
import { MAIN } from "./run.js";

const hasPython = spawnSync("python3", ["-c", "import pty"]).status === 0;

/** Runs a command in a terminal of 90 columns, and types an answer at the first question. */
const TERMINAL = `
import os, pty, sys
answer, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("sh", ["sh", "-c", 'stty cols 90; exec "$@"', "sh", *command])
shown, asked = b"", False
while True:
    try: piece = os.read(terminal, 4096)
    except OSError: break
    if not piece: break
    shown += piece
    if b"[y/N]" in shown and not asked:
        asked = True
        os.write(terminal, answer.encode())
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

let hub: HubMock;
let home: string;
beforeEach(async () => {
  hub = await startHub({ [BASE_NAME]: baseRepository(), [ADAPTERS_NAME]: adaptersRepository() });
  home = await mkdtemp(join(tmpdir(), "bigvae-terminal-"));
});
afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

const at = (answer: string, ...args: string[]) =>
  run("python3", ["-c", TERMINAL, answer, process.execPath, MAIN, ...args], { cwd: home, env: environment(hub, home) });
const cached = async () => (await readdir(join(home, "hub"))).filter((name) => name.startsWith("models--"));

describe.skipIf(!hasPython)("at a terminal", () => {
  it("pull shows a bar a file, and asks for the base with its size", async () => {
    const { code, stdout } = await at("y\n", "pull", ADAPTERS_NAME);
    expect(stdout).toMatch(/█+ vae\.safetensors \| 100\.0% of 25\.7 kB/);
    expect(stdout).toMatch(/belongs to the base owner\/tiny-mistral\. Download its 799 kB too\? \[y\/N\]/);
    expect(await cached()).toEqual(["models--owner--tiny-mistral", "models--owner--tiny-vae"]);
    expect(code).toBe(0);
  });

  it.each(["n\n", "\n", "\u0004"])("pull takes %j for a no", async (answer) => {
    const { code } = await at(answer, "pull", ADAPTERS_NAME);
    expect(await cached()).toEqual(["models--owner--tiny-vae"]);
    expect(code).toBe(0);
  });

  it("pull ends at Ctrl-C", async () => {
    const { code, stdout } = await at("\u0003", "pull", ADAPTERS_NAME);
    expect(await cached()).toEqual(["models--owner--tiny-vae"]);
    expect(stdout).toMatch(/bigvae: stopped before the end/);
    expect(code).toBe(130);
  });

  it("rm removes after a yes, and nothing after a no", async () => {
    await at("n\n", "pull", ADAPTERS_NAME);
    expect((await at("n\n", "rm", ADAPTERS_NAME)).stdout).toMatch(
      /Remove owner\/tiny-vae, 1 revision, \d+ kB\? \[y\/N\]/,
    );
    expect(await cached()).toEqual(["models--owner--tiny-vae"]);
    expect((await at("yes\n", "rm", ADAPTERS_NAME)).stdout).toMatch(/owner\/tiny-vae: removed, \d+ kB free/);
    expect(await cached()).toEqual([]);
  });
});
