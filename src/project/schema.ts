/** The tables of a project. */

/** Counts the layouts of the tables. */
export const PROJECT_VERSION = 1;

export const SCHEMA = `
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

-- A node of the tree: a stretch of text behind its parent's. Its text and spans never change once it is finished.
CREATE TABLE nodes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  parent INTEGER REFERENCES nodes (id),
  origin TEXT NOT NULL,
  settings TEXT NOT NULL,
  created INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  title TEXT NOT NULL DEFAULT '',
  rating INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX children ON nodes (parent);

-- A span of a node: its text as it was written, and its latent where there is one.
CREATE TABLE spans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  node INTEGER NOT NULL REFERENCES nodes (id),
  place INTEGER NOT NULL,
  text TEXT NOT NULL,
  z BLOB,
  origins TEXT NOT NULL,
  UNIQUE (node, place)
) STRICT;

CREATE VIRTUAL TABLE texts USING fts5 (text, content = 'spans', content_rowid = 'id');
CREATE TRIGGER spans_added AFTER INSERT ON spans BEGIN
  INSERT INTO texts (rowid, text) VALUES (new.id, new.text);
END;

-- What was changed of a node, for undoing. Those behind the newest that is not undone can be redone.
CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  node INTEGER NOT NULL REFERENCES nodes (id),
  field TEXT NOT NULL,
  before ANY NOT NULL,
  after ANY NOT NULL,
  undone INTEGER NOT NULL DEFAULT 0
) STRICT;
`;
