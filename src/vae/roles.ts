/** Roles of adapters: an encoder maps a text to z, a decoder writes from z before its context, a router from z behind it. */

/** The roles that write from a latent. */
export const WRITER_ROLES = ["decoder", "router"] as const;

/** One of them. */
export type WriterRole = (typeof WRITER_ROLES)[number];

/** All roles. */
export const ADAPTER_ROLES = ["encoder", ...WRITER_ROLES] as const;

/** One of them. */
export type AdapterRole = (typeof ADAPTER_ROLES)[number];
