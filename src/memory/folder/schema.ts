/** The tables of a memory. */
import type { DatabaseKind } from "../../formats/database.js";

const SCHEMA = `
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER) STRICT;

-- A span without its latents. The checksum is over all other columns.
CREATE TABLE records (
  id INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  score REAL,
  text TEXT NOT NULL,
  tokens BLOB NOT NULL,
  tags TEXT NOT NULL,
  checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX times ON records (time);

-- Latents, float32, apart from the texts: whoever looks for one does not read the other.
CREATE TABLE latents (
  record INTEGER PRIMARY KEY,
  z BLOB NOT NULL,
  context BLOB,
  checksum INTEGER NOT NULL
) STRICT;

CREATE TABLE tags (tag TEXT NOT NULL, record INTEGER NOT NULL, PRIMARY KEY (tag, record)) STRICT, WITHOUT ROWID;

-- Ids of deleted records: one that is neither here nor among the records was lost.
CREATE TABLE deleted (id INTEGER PRIMARY KEY) STRICT;

CREATE VIRTUAL TABLE texts USING fts5 (text, content = 'records', content_rowid = 'id');
CREATE TRIGGER records_added AFTER INSERT ON records BEGIN
  INSERT INTO texts (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER records_deleted AFTER DELETE ON records BEGIN
  INSERT INTO texts (texts, rowid, text) VALUES ('delete', old.id, old.text);
END;
`;

export const KIND: DatabaseKind = {
  file: "memory.db",
  what: "a memory",
  version: 1,
  schema: SCHEMA,
  remedy: "name another folder, or repair the memory",
  checksLog: true,
};
