/** Projects: trees of texts with their latents, kept in a folder each. */
export { Project } from "./project.js";
export { exportProject, importProject } from "./projectFile.js";
export * from "./types.js";
