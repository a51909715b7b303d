import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hubSettings } from "./settings.js";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "bigvae-settings-"));
  await mkdir(join(home, "hf"));
  await writeFile(join(home, "hf", "token"), "hf_stored\n");
});
afterAll(() => rm(home, { recursive: true }));

/** A machine on which nobody has a token. */
const bare = { HF_TOKEN_PATH: "/nowhere/token" };

describe("the cache", () => {
  it.each<[NodeJS.ProcessEnv, string]>([
    [{}, join(homedir(), ".cache", "huggingface", "hub")],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ HF_HOME: "/home", XDG_CACHE_HOME: "/x" }, "/home/hub"],
    [{ HUGGINGFACE_HUB_CACHE: "/old", HF_HOME: "/home" }, "/old"],
    [{ HF_HUB_CACHE: "/new", HUGGINGFACE_HUB_CACHE: "/old" }, "/new"],
    [{ HF_HUB_CACHE: "", HF_HOME: "/home" }, "/home/hub"],
    [{ HF_HOME: "~/models" }, join(homedir(), "models", "hub")],
    [{ HF_HUB_CACHE: `$DISK/$\{USER_NAME}/hub`, DISK: "/disk", USER_NAME: "me" }, "/disk/me/hub"],
  ])("of %j is %s", async (env, cache) => {
    expect((await hubSettings({ ...bare, ...env })).cache).toBe(cache);
  });
});

describe("the token", () => {
  it.each<[NodeJS.ProcessEnv, string | undefined]>([
    [{ HF_TOKEN: " hf_given\n" }, "hf_given"],
    [{ HUGGING_FACE_HUB_TOKEN: "hf_old" }, "hf_old"],
    [{ HF_TOKEN: "" }, "hf_stored"],
    [{ HF_HUB_DISABLE_IMPLICIT_TOKEN: "1" }, undefined],
    [{ HF_TOKEN_PATH: "/nowhere/token" }, undefined],
  ])("of %j is %s", async (env, token) => {
    expect((await hubSettings({ HF_HOME: join(home, "hf"), ...env })).token).toBe(token);
  });

  it("that no header can hold is refused, and not shown", async () => {
    const error = await hubSettings({ HF_TOKEN: "hf_a\r\nX: y" }).catch((thrown: Error) => thrown);
    expect((error as Error).message).toMatch(/^HF_TOKEN: expected letters/);
    expect((error as Error).message).not.toContain("hf_a");
  });
});

it.each<[NodeJS.ProcessEnv, boolean]>([
  [{}, false],
  [{ HF_HUB_OFFLINE: "0" }, false],
  [{ HF_HUB_OFFLINE: "1" }, true],
  [{ TRANSFORMERS_OFFLINE: "yes" }, true],
])("%j: offline %s", async (env, offline) => {
  expect((await hubSettings({ ...bare, ...env })).offline).toBe(offline);
});

it("the endpoint is a URL of the web", async () => {
  expect((await hubSettings(bare)).endpoint).toBe("https://huggingface.co");
  expect((await hubSettings({ ...bare, HF_ENDPOINT: "http://mirror:8080/hf/" })).endpoint).toBe(
    "http://mirror:8080/hf",
  );
  for (const HF_ENDPOINT of ["mirror", "ftp://mirror", "http://me:secret@mirror", "http://mirror/?a=b"])
    await expect(hubSettings({ ...bare, HF_ENDPOINT })).rejects.toThrow(/^HF_ENDPOINT: expected a URL/);
});

it("the time-out and the links are as in huggingface_hub", async () => {
  expect(await hubSettings(bare)).toMatchObject({ timeoutMs: 10_000, symlinks: true });
  const env = { ...bare, HF_HUB_DOWNLOAD_TIMEOUT: "30", HF_HUB_DISABLE_SYMLINKS: "1" };
  expect(await hubSettings(env)).toMatchObject({ timeoutMs: 30_000, symlinks: false });
});
