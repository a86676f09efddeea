import { z } from 'zod';
import { duration, noEffect } from '../../config/schema.ts';
import type { ExtensionFactory } from '../../pipeline/component.ts';

const here = 'has no effect; the durable queue lies in the data directory of this process';

/** Accepted because configurations name it under `sending_queue.storage`: every exporter here has a queue on disk. */
export const fileStorage: ExtensionFactory = {
  kind: 'extension',
  type: 'file_storage',
  configSchema: z.strictObject({
    directory: noEffect(z.string().optional(), here),
    timeout: noEffect(duration.optional(), here),
    max_size: noEffect(z.int().min(0).optional(), here),
    fsync: noEffect(z.boolean().optional(), 'has no effect; the queue always waits for the disk'),
    create_directory: noEffect(z.boolean().optional(), here),
    directory_permissions: noEffect(z.string().optional(), here),
    recreate: noEffect(z.boolean().optional(), here),
    compaction: noEffect(z.unknown().optional(), here),
  }),
  create: () => ({
    async start() {},
    async shutdown() {},
  }),
};
