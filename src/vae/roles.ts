/** What an adapter does for the base: `encoder` reads a text to z, `decoder` writes from z before its context, `router` from z behind it. */
export const ADAPTER_ROLES = ["encoder", "decoder", "router"] as const;

/** One of the roles. */
export type AdapterRole = (typeof ADAPTER_ROLES)[number];

/** The roles that write from a latent. */
export type WriterRole = Exclude<AdapterRole, "encoder">;
