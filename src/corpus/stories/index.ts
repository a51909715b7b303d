/** Synthetic training text: stories of a small simulated world, with their factors and their own code length. */
export { FACTOR_FORMS, type Factors, factorSentence, factorValues } from "./factors.js";
export { storyStatistics } from "./statistics.js";
export { stories, story } from "./story.js";
