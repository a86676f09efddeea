import { z } from 'zod';
import { mapSpans } from '../../pipeline/batches.ts';
import type { Processor, ProcessorFactory } from '../../pipeline/component.ts';

const configSchema = z.strictObject({
  sampling_percentage: z.number().min(0).max(100).default(10),
});

const parts = 1_000_000n;
const partsPerPercent = 10_000;

/**
 * Keeps the traces that Fluent Bit's processor `sampling` of type `probabilistic` keeps, so that a
 * fleet of both keeps the same ones (Fluent Bit, plugins/processor_sampling).
 */
export const fluentBitSamplerProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'fluent_bit_sampler',
  configSchema,
  create({ config, context }): Processor {
    // The register has checked `config` with the schema above.
    const { sampling_percentage: percentage } = config as z.output<typeof configSchema>;
    const isKept = (traceId: string): boolean =>
      Number(BigInt(`0x${traceId.slice(0, 16)}`) % parts) / partsPerPercent < percentage;
    return {
      async start() {},
      async shutdown() {},
      process(batch) {
        const kept = mapSpans(batch, (span) => (isKept(span.traceId) ? span : undefined));
        const dropped = batch.items - (kept?.items ?? 0);
        const labels = { exporter: context.id, reason: 'sampled_out' };
        if (dropped > 0) context.telemetry.count('raybridge_dropped_spans_total', labels, dropped);
        return kept;
      },
    };
  },
};
