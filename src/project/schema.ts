/** The tables of a project. */

/** Counts the layouts of the tables. */
export const PROJECT_VERSION = 2;

const PLANS = `
-- A plan: waypoints as JSON, latents as base64.
CREATE TABLE plans (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL,
  waypoints TEXT NOT NULL,
  removed INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What was changed of a node or a plan, for undoing. Those behind the newest that is not undone can be redone.
CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  subject INTEGER NOT NULL,
  field TEXT NOT NULL,
  before ANY NOT NULL,
  after ANY NOT NULL,
  undone INTEGER NOT NULL DEFAULT 0
) STRICT;
`;

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

${PLANS}`;

/** What makes the tables of version 2 of those of version 1. */
const WITH_PLANS = `
ALTER TABLE changes RENAME TO changes_of_nodes;
${PLANS}
INSERT INTO changes SELECT id, 'node', node, field, before, after, undone FROM changes_of_nodes;
DROP TABLE changes_of_nodes;
`;

/** What makes the tables of the next version of those of each, from version 1 on. */
export const UPGRADES = [WITH_PLANS];
