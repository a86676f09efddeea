import { z } from 'zod';
import { duration, noEffect } from '../../config/schema.ts';
import type { TraceProcessor, TraceProcessorFactory } from '../../pipeline/component.ts';

const never = (key: string) => z.literal(false, { error: `option '${key}' not supported in this release` }).optional();

const configSchema = z.strictObject({
  wait_duration: duration.default(1_000),
  num_traces: z.int().min(1).default(1_000_000),
  num_workers: noEffect(z.int().min(1).optional()),
  discard_orphans: never('discard orphans'),
  store_on_disk: never('disk storage'),
});

/** Holds the spans of a trace together for a while, so that they go on as one. */
export const groupbytraceProcessor: TraceProcessorFactory = {
  kind: 'processor',
  type: 'groupbytrace',
  gathersTraces: true,
  configSchema,
  create({ config }): TraceProcessor {
    // The register has checked `config` with the schema above.
    const { wait_duration: waitMs, num_traces: tracesMax } = config as z.output<typeof configSchema>;
    return {
      gathering: { waitMs, waitAfterRootMs: 0, tracesMax, waitsForRoom: false },
      async start() {},
      async shutdown() {},
      remembered: () => undefined,
      decide: () => 'keep',
    };
  },
};
