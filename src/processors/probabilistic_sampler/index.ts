import { z } from 'zod';
import { noEffect } from '../../config/schema.ts';
import type { AttributeValue, Span } from '../../model/index.ts';
import { mapSpans } from '../../pipeline/batches.ts';
import type { Processor, ProcessorFactory } from '../../pipeline/component.ts';
import { fnv32a } from '../../transform/fnv.ts';

const configSchema = z.strictObject({
  sampling_percentage: z
    .number()
    .min(0, { error: ({ input }) => `sampling rate is negative: ${String(input)}%` })
    .default(0),
  mode: z
    .literal('hash_seed', {
      error: ({ input }) =>
        input === 'equalizing' || input === 'proportional'
          ? `mode ${JSON.stringify(input)} is not implemented in this version; refused because other traces would be kept`
          : `unsupported sampler mode ${JSON.stringify(input)}`,
    })
    .default('hash_seed'),
  hash_seed: z.int().min(0).max(0xffff_ffff).default(0),
  fail_closed: noEffect(z.boolean().optional(), 'has no effect; every span here has a trace id'),
  sampling_precision: noEffect(z.int().min(1).max(14).optional()),
  attribute_source: noEffect(z.string().optional(), 'has no effect on traces'),
  from_attribute: noEffect(z.string().optional(), 'has no effect on traces'),
  sampling_priority: noEffect(z.string().optional(), 'has no effect on traces'),
});

/** Bits of the hash that decide, and hash values to a percent of them. */
const hashMask = 0x3fff;
const valuesPerPercent = 163.84;

/** Keeps a share of the traces, the same ones in every process with the same seed. */
export const probabilisticSamplerProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'probabilistic_sampler',
  configSchema,
  create({ config, context }): Processor {
    // The register has checked `config` with the schema above.
    const { sampling_percentage: percentage, hash_seed: hashSeed } = config as z.output<typeof configSchema>;
    const seed = Buffer.alloc(4);
    seed.writeUInt32LE(hashSeed);
    const threshold = Math.trunc(Math.fround(Math.fround(Math.min(percentage, 100)) * Math.fround(valuesPerPercent)));
    const isKept = ({ traceId, attributes }: Span): boolean =>
      priorityOf(attributes.get('sampling.priority')) ??
      (fnv32a(seed, Buffer.from(traceId, 'hex')) & hashMask) < threshold;
    return {
      async start() {},
      async shutdown() {},
      process(batch) {
        const kept = mapSpans(batch, (span) => (isKept(span) ? span : undefined));
        const dropped = batch.items - (kept?.items ?? 0);
        const labels = { exporter: context.id, reason: 'sampled_out' };
        if (dropped > 0) context.telemetry.count('raybridge_dropped_spans_total', labels, dropped);
        return kept;
      },
    };
  },
};

/** What a span says of itself; undefined when it says nothing. */
function priorityOf(value: AttributeValue): boolean | undefined {
  const priority = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof priority !== 'bigint' && typeof priority !== 'number') return undefined;
  if (Number.isNaN(Number(priority)) || priority < 0) return undefined;
  return priority > 0;
}
