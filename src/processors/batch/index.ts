import { z } from 'zod';
import { duration, noEffect, refused } from '../../config/schema.ts';
import type { Processor, ProcessorFactory } from '../../pipeline/component.ts';

const gathers = 'has no effect; exporters gather what waits in the queue by themselves';

const configSchema = z
  .strictObject({
    timeout: noEffect(duration.default(200), gathers),
    send_batch_size: noEffect(z.int().min(0).default(8192), gathers),
    send_batch_max_size: noEffect(z.int().min(0).default(0), gathers),
    metadata_keys: refused('cannot be done here: the queue keeps spans, and not the requests in which they came'),
    metadata_cardinality_limit: noEffect(z.int().min(0).optional()),
  })
  .refine(({ send_batch_max_size: max, send_batch_size: size }) => max === 0 || max >= size, {
    path: ['send_batch_max_size'],
    error: 'send_batch_max_size must be greater or equal to send_batch_size',
  });

/** Passes everything on: what waits in the queue is gathered by each exporter as it likes to take it. */
export const batchProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'batch',
  configSchema,
  create: (): Processor => ({ async start() {}, async shutdown() {}, process: (batch) => batch }),
};
