import { join } from 'node:path';
import { z } from 'zod';
import { duration } from '../../config/schema.ts';
import type { Context, StoreComponent, StoreFactory } from '../../pipeline/component.ts';
import { createConnection, type OpenServer } from './connection.ts';
import { openEngine } from './engine.ts';
import { migrate } from './schema.ts';
import { createStore, type StoreParts, storeParts } from './store.ts';

const dayMs = 24 * 60 * 60 * 1000;

const configSchema = z
  .strictObject({
    /** The server that Raybridge runs itself; used when there is no `endpoint`. */
    embedded: z
      .strictObject({
        /** Memory of the engine process, in MiB; a query that needs more fails. */
        memory_max_mib: z.int().min(256).default(800),
      })
      .nullish(),
    /** URL of a ClickHouse server or cluster to use instead, such as `https://clickhouse:8443`. */
    endpoint: z.url({ protocol: /^https?$/ }).optional(),
    username: z.string().optional(),
    password: z.string().optional(),
    database: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/)
      .default('raybridge'),
    /** Spans are kept for this long after they were received, and for up to a day more. */
    retention: duration
      .refine((retentionMs) => retentionMs >= 1000, 'expected a retention of 1s or more')
      .default(7 * dayMs),
  })
  .refine((config) => config.endpoint === undefined || !config.embedded, {
    path: ['embedded'],
    error: 'cannot stand beside endpoint: either Raybridge runs the engine, or it uses the server at the endpoint',
  })
  .refine((config) => config.endpoint !== undefined || (config.username ?? config.password) === undefined, {
    path: ['username'],
    error: 'username and password belong to an endpoint; the embedded engine needs none',
  });

type Config = z.output<typeof configSchema>;

/** Spans in ClickHouse: an engine that Raybridge runs itself, or a server elsewhere. */
export const clickhouseStore: StoreFactory = {
  kind: 'store',
  type: 'clickhouse',
  configSchema,
  create: ({ config, context }) => createClickhouseStore(config, context),
};

/** `parts` are for tests. */
export function createClickhouseStore(
  config: Config,
  context: Context,
  parts: StoreParts = storeParts,
): StoreComponent {
  const connection = createConnection({
    open: config.endpoint === undefined ? openEmbedded(config, context) : openRemote(config, config.endpoint),
    database: config.database,
    prepare: (client) => migrate(client, Math.ceil(config.retention / 1000)),
    context,
  });
  return createStore(connection, context, parts);
}

function openEmbedded(config: Config, context: Context): OpenServer {
  return openEngine({
    // The id of a second store, `clickhouse/b`, must not become a folder inside the first one's.
    folder: join(context.dataDir, encodeURIComponent(context.id)),
    memoryMaxMib: config.embedded?.memory_max_mib ?? 800,
  });
}

/** A server elsewhere is there or not; each operation finds out for itself. */
function openRemote({ username = 'default', password = '' }: Config, endpoint: string): OpenServer {
  const { origin, pathname } = new URL(endpoint);
  return async () => ({
    access: { url: origin, pathname, username, password },
    ended: new Promise<never>(() => undefined),
    stop: async () => undefined,
  });
}
