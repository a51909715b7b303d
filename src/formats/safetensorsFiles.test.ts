import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failing } from "../../test/failingDisk.js";
import { placeFileAtomic, removeStaleTemporaries, writeFileAtomic } from "./atomic.js";
import { openSafetensors, openSafetensorsFolder, writeSafetensors } from "./safetensorsFiles.js";
import type { StoredTensor } from "./tensors.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-formats-"));
});
afterEach(() => rm(folder, { recursive: true }));

const floats = (...values: number[]): StoredTensor => {
  return { dtype: "F32", shape: [values.length], data: Float32Array.from(values) };
};

describe("writeSafetensors", () => {
  const path = () => join(folder, "m.safetensors");
  const old = new Map([["a", floats(1, 2)]]);
  const next = new Map([
    ["a", floats(3, 4)],
    ["b", floats(5)],
  ]);

  it.each(["EIO", "ENOSPC", "EMFILE", "EROFS"])(
    "leaves the old file or the new one at every failure: %s",
    async (code) => {
      await writeSafetensors(path(), old);
      const count = failing(-1, code);
      await writeSafetensors(join(folder, "count"), next, undefined, count);
      await rm(join(folder, "count"));
      // Creation, header, two tensors, fsync, rename, fsync of the folder.
      expect(count.calls).toBe(7);
      for (let n = 0; n < count.calls; n++) {
        await writeSafetensors(path(), old);
        const before = await readFile(path());
        const written = writeSafetensors(path(), next, undefined, failing(n, code));
        await expect(written).rejects.toMatchObject({ kind: "disk", exitCode: 7 });
        const why = code === "ENOSPC" ? "\\d+ bytes of free space, got \\d+" : "[a-z -]+, got [a-z -]+";
        await expect(written).rejects.toThrow(new RegExp(`${path()}: expected ${why} \\(${code}\\); `));
        expect(await readdir(folder)).toEqual(["m.safetensors"]);
        // Only the last step comes after the new file has taken its place.
        if (n < count.calls - 1) expect(await readFile(path())).toEqual(before);
        else expect((await openAndRead(path(), "b"))[0]).toBe(5);
      }
    },
  );

  it("names a folder that is missing", async () => {
    await expect(writeSafetensors(join(folder, "no", "m"), old)).rejects.toThrow(
      /a folder to write in, got none \(ENOENT\); check that the folder exists/,
    );
  });
});

async function openAndRead(path: string, name: string): Promise<Float32Array> {
  const source = await openSafetensors(path);
  const values = await source.readFloat32(name);
  await source.close();
  return values;
}

describe("removeStaleTemporaries", () => {
  it("removes what dead writers left, and nothing else", async () => {
    await writeFileAtomic(join(folder, "kept.json"), "{}");
    await writeFile(join(folder, "m.safetensors.4194999-3.tmp"), "dead");
    await writeFile(join(folder, "m.safetensors.1-0.tmp"), "process 1 lives");
    await writeFile(join(folder, "notes.tmp"), "the user's");
    await writeFile(join(folder, "m.db.4194999-1f.tmp-wal"), "dead");
    await mkdir(join(folder, "m.db.4194999-1f.tmp.lock"));
    await writeFile(join(folder, `m.db.${process.pid}-7.tmp`), "a dead namesake's");
    await removeStaleTemporaries(folder);
    expect((await readdir(folder)).sort()).toEqual(["kept.json", "m.safetensors.1-0.tmp", "notes.tmp"]);
  });

  it("leaves what this process is writing", async () => {
    const path = join(folder, "m.db");
    await placeFileAtomic(path, async (temporary) => {
      await writeFile(temporary, "written");
      await removeStaleTemporaries(folder);
    });
    expect(await readFile(path, "utf8")).toBe("written");
  });
});

describe("openSafetensors", () => {
  it("reads ranges of tensors and notices a file that shrank", async () => {
    const path = join(folder, "m.safetensors");
    await writeSafetensors(path, new Map([["a", floats(1, 2, 3, 4)]]), { format: "pt" });
    const source = await openSafetensors(path);
    expect(source.metadata.get("format")).toBe("pt");
    expect(await source.readElements("a", 1, 3)).toEqual(Float32Array.of(2, 3));
    await expect(source.readElements("a", 3, 5)).rejects.toThrow(/a range of its elements, got \[3, 5\)/);
    await truncate(path, 100);
    await expect(source.readFloat32("a")).rejects.toThrow(/at least \d+ bytes, got 100;/);
    await source.close();
  });

  it("refuses what is missing, a folder or cut short", async () => {
    await expect(openSafetensors(join(folder, "none"))).rejects.toThrow(/got no such file/);
    await expect(openSafetensors(folder)).rejects.toThrow(/expected a file, got a folder or a device/);
    await writeFile(join(folder, "cut"), "1234");
    await expect(openSafetensors(join(folder, "cut"))).rejects.toThrow(/at least the 8 bytes of a header, got 4 bytes/);
  });
});

describe("openSafetensorsFolder", () => {
  const index = (weightMap: object) =>
    writeFile(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: weightMap }));
  const shard = (name: string, ...names: string[]) =>
    writeSafetensors(join(folder, name), new Map(names.map((tensor, i) => [tensor, floats(i)])));

  it("opens one file or the shards of an index", async () => {
    await shard("model.safetensors", "a");
    const single = await openSafetensorsFolder(folder);
    expect(single.names).toEqual(["a"]);
    await single.close();
    await shard("one.safetensors", "x", "y");
    await shard("two.safetensors", "z");
    await index({ x: "one.safetensors", y: "one.safetensors", z: "two.safetensors" });
    const sharded = await openSafetensorsFolder(folder);
    expect(sharded.names).toEqual(["x", "y", "z"]);
    expect(await sharded.readFloat32("y")).toEqual(Float32Array.of(1));
    expect(() => sharded.info("a")).toThrow(/a tensor "a", got none/);
    await sharded.close();
  });

  it.each<[string, object, RegExp]>([
    ["a path upwards", { a: "../model.safetensors" }, /the name of a file within it, got "/],
    ["an absolute path", { a: "/etc/passwd" }, /the name of a file within it, got "/],
    ["a folder below", { a: "sub/model.safetensors" }, /the name of a file within it, got "/],
    ["a backslash", { a: "..\\model.safetensors" }, /the name of a file within it, got "/],
    ["..", { a: ".." }, /the name of a file within it, got "/],
    ["a zero byte", { a: "m\0.safetensors" }, /the name of a file within it, got "/],
    ["a missing shard", { a: "gone.safetensors" }, /got no such file/],
    ["a link out of the folder", { a: "link.safetensors" }, /outside the folder/],
    [
      "a tensor that no shard holds",
      { a: "one.safetensors", q: "one.safetensors" },
      /one\.safetensors: expected tensor "q", which .* lists there, got none/,
    ],
    ["a tensor that the index leaves out", {}, /weight_map|listed in|tensor/],
    [
      "a tensor in two shards",
      { a: "one.safetensors", b: "two.safetensors" },
      /one file that holds it, got|tensor a listed in two\.safetensors, got one\.safetensors/,
    ],
    ["a number for a shard", { a: 1 }, /a weight_map of tensor names to file names, got something else/],
  ])("refuses %s", async (_, weightMap, message) => {
    await shard("one.safetensors", "a");
    await shard("two.safetensors", "b", "a");
    const outside = await mkdtemp(join(tmpdir(), "bigvae-outside-"));
    await writeSafetensors(join(outside, "m.safetensors"), new Map([["a", floats(1)]]));
    await symlink(join(outside, "m.safetensors"), join(folder, "link.safetensors"));
    await index(weightMap);
    if (Object.keys(weightMap).length > 0) await expect(openSafetensorsFolder(folder)).rejects.toThrow(message);
    else expect((await openSafetensorsFolder(folder)).names).toEqual([]);
    await rm(outside, { recursive: true });
  });

  describe("in a snapshot of the Hugging Face cache", () => {
    /** A file somewhere, and a link to it from a folder of a snapshot. */
    async function linked(part: string, target: string) {
      const snapshot = join(folder, "models--owner--name", "snapshots", "abc", part);
      await mkdir(snapshot, { recursive: true });
      await mkdir(dirname(join(folder, target)), { recursive: true });
      await shard("m", "a");
      await rename(join(folder, "m"), join(folder, target));
      await symlink(relative(snapshot, join(folder, target)), join(snapshot, "model.safetensors"));
      return snapshot;
    }

    it.each([
      ["its blobs", "", "models--owner--name/blobs/0123"],
      ["its blobs, from a folder within", "base", "models--owner--name/blobs/0123"],
      ["the blobs that repositories share", "encoder", "blobs/01/0123"],
    ])("follows links to %s", async (_, part, target) => {
      const source = await openSafetensorsFolder(await linked(part, target));
      expect(source.names).toEqual(["a"]);
      await source.close();
    });

    it.each(["models--owner--other/blobs/0123", "models--owner--name/snapshots/other/m", "other/0123"])(
      "follows no link to %s",
      async (target) => {
        await expect(openSafetensorsFolder(await linked("base", target))).rejects.toThrow(
          /a link to .*, outside the folder/,
        );
      },
    );
  });
});
