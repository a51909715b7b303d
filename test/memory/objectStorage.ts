/** Memories in object storage, for the tests of one file: a server of its own, which its environment leads to. */
import { atDatabase, atFolder, hasLance, type PlaceIn } from "./make.js";
import { S3Server } from "./s3Server.js";

export const storage = await S3Server.start();
storage.server.unref();
Object.assign(process.env, storage.environment);

const atStorage: PlaceIn = (folder) => S3Server.place(folder.slice(1).replaceAll("\\", "/"));

/** The forms that LanceDB keeps a memory in. */
export const DATABASES: [string, PlaceIn][] = hasLance
  ? [
      ["LanceDB", atDatabase],
      ["object storage", atStorage],
    ]
  : [];

/** The forms of a memory: one suite tests all. */
export const FORMS: [string, PlaceIn][] = [["a folder", atFolder], ...DATABASES];
