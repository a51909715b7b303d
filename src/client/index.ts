/** bigvae/client: calls of a server, in Node and in browsers. */
export * from "./client.js";
export * from "./types.js";
