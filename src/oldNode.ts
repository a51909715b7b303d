/** Imported first by the library's door: an old Node is refused by one sentence before it stumbles over what it does not have. */
import { checkNode } from "./nodeVersion.js";

checkNode(process.versions.node);
