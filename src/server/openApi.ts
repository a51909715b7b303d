/** The OpenAPI 3.1 document, made of the routes. */
import { z } from "zod";
import type { Route } from "./route.js";
import { failure } from "./schemas/common.js";

export function openApiOf(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const each of routes) (paths[each.path] ??= {})[each.method.toLowerCase()] = operationOf(each);
  return {
    openapi: "3.1.0",
    info: {
      title: "bigvae",
      version,
      description: "Work in the latent space of a language model, over HTTP.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{}, { key: [] }],
    paths,
    components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
  };
}

function operationOf({ method, path, summary, tag, body, answer, example, isOpen }: Route): object {
  const schema = answer instanceof z.ZodString ? undefined : schemaOf(answer, "output");
  const content = schema ? { "application/json": { schema } } : { "text/plain": { schema: { type: "string" } } };
  const streams = body instanceof z.ZodObject && "stream" in body.shape;
  const events = { "text/event-stream": { schema: { type: "string" } } };
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^a-z\d]+(.)?/gi, (_, c: string = "") => c.toUpperCase())}`,
    summary,
    tags: [tag],
    ...(isOpen ? { security: [] } : {}),
    ...(body
      ? {
          requestBody: {
            required: true,
            content: { "application/json": { schema: schemaOf(body, "input"), ...(example ? { example } : {}) } },
          },
        }
      : {}),
    responses: {
      200: { description: "The answer.", content: { ...content, ...(streams ? events : {}) } },
      default: { description: "An error.", content: { "application/json": { schema: schemaOf(failure, "output") } } },
    },
  };
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}
