import { z } from 'zod';
import type { ExporterFactory } from '../../pipeline/component.ts';

/** Takes everything and keeps nothing. */
export const nopExporter: ExporterFactory = {
  kind: 'exporter',
  type: 'nop',
  configSchema: z.strictObject({}),
  create: () => ({
    gather: { bytesMax: 4 * 1024 * 1024, lingerMs: 0 },
    async start() {},
    async export() {},
    async shutdown() {},
  }),
};
