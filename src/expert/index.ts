/** Experts: adapters of a model for some kinds of text, in a folder each, found by the latents of what they were trained on. */
export { ExpertChoice, type ExpertOptions } from "./expertChoice.js";
export {
  begunExperts,
  checkExpertName,
  type ExpertFacts,
  expertBytes,
  expertFolder,
  expertNames,
  findExpert,
  isExpert,
  readExpert,
  readExpertAdapter,
  readExperts,
  removeExpert,
  type StoredExpert,
  writeExpert,
} from "./expertFile.js";
