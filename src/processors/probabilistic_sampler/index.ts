import { z } from 'zod';
import { noEffect } from '../../config/schema.ts';
import type { AttributeValue, Span } from '../../model/index.ts';
import { mapSpans } from '../../pipeline/batches.ts';
import type { Processor, ProcessorFactory } from '../../pipeline/component.ts';
import {
  alwaysSample,
  isSampled,
  neverSample,
  probabilityMin,
  probabilityOf,
  randomnessOf,
  type Threshold,
  thresholdOf,
} from '../../transform/consistent-sampling.ts';
import { fnv32a } from '../../transform/fnv.ts';
import { parseTraceState, printTraceState } from '../../transform/trace-state.ts';

const configSchema = z.strictObject({
  sampling_percentage: z
    .number()
    .min(0, { error: ({ input }) => `sampling rate is negative: ${String(input)}%` })
    .refine((percentage) => percentage === 0 || percentage >= probabilityMin * 100, {
      error: ({ input }) => `sampling rate is too small: ${String(input)}%`,
    })
    .default(0),
  mode: z
    .enum(['hash_seed', 'equalizing', 'proportional'], {
      error: ({ input }) => `unsupported sampler mode ${JSON.stringify(input)}`,
    })
    .default('hash_seed'),
  hash_seed: z.int().min(0).max(0xffff_ffff).default(0),
  fail_closed: z.boolean().default(true),
  sampling_precision: z
    .int()
    .refine((digits) => digits >= 1 && digits <= 14, {
      error: ({ input }) => `invalid sampling precision: ${String(input)}`,
    })
    .default(4),
  attribute_source: noEffect(z.string().optional(), 'has no effect on traces'),
  from_attribute: noEffect(z.string().optional(), 'has no effect on traces'),
  sampling_priority: noEffect(z.string().optional(), 'has no effect on traces'),
});

type SamplerConfig = z.output<typeof configSchema>;

/** The span as it goes on, or undefined. */
type Sample = (span: Span) => Span | undefined;

/** Keeps a share of the traces, the same ones in every process with the same settings. */
export const probabilisticSamplerProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'probabilistic_sampler',
  configSchema,
  create({ config, context }): Processor {
    // The register has checked `config` with the schema above.
    const checked = config as SamplerConfig;
    const sample = checked.mode === 'hash_seed' ? byHash(checked) : byThreshold(checked);
    return {
      async start() {},
      async shutdown() {},
      process(batch) {
        const kept = mapSpans(batch, sample);
        const dropped = batch.items - (kept?.items ?? 0);
        const labels = { exporter: context.id, reason: 'sampled_out' };
        if (dropped > 0) context.telemetry.count('raybridge_dropped_spans_total', labels, dropped);
        return kept;
      },
    };
  },
};

/** Bits of the hash that decide, and hash values to a percent of them. */
const hashMask = 0x3fff;
const valuesPerPercent = 163.84;

function byHash({ sampling_percentage: percentage, hash_seed: hashSeed }: SamplerConfig): Sample {
  const seed = Buffer.alloc(4);
  seed.writeUInt32LE(hashSeed);
  const threshold = Math.trunc(Math.fround(Math.fround(Math.min(percentage, 100)) * Math.fround(valuesPerPercent)));
  return (span) => {
    const isKept =
      priorityOf(span.attributes.get('sampling.priority')) ??
      (fnv32a(seed, Buffer.from(span.traceId, 'hex')) & hashMask) < threshold;
    return isKept ? span : undefined;
  };
}

/** `equalizing` brings all traces down to one probability, `proportional` keeps a share of what comes. */
function byThreshold(config: SamplerConfig): Sample {
  const { mode, fail_closed: failClosed, sampling_precision: precision } = config;
  // A float32 in the Collector.
  const ratio = Math.fround(Math.min(config.sampling_percentage, 100)) / 100;
  const first = thresholdOf(ratio, precision);
  const after = (before: Threshold | undefined): Threshold =>
    mode === 'equalizing' || before === undefined ? first : thresholdOf(probabilityOf(before) * ratio, precision);

  return (span) => {
    const priority = priorityOf(span.attributes.get('sampling.priority'));
    if (ratio === 0) return priority ? span : undefined;
    const state = parseTraceState(span.traceState);
    const randomness = state?.randomness?.toLowerCase() ?? randomnessOf(span.traceId);
    // What the threshold of a sampler before would have dropped was not sampled by it: it says nothing.
    const isWrong = !state || (state.threshold !== undefined && !isSampled(randomness, state.threshold));
    const before = isWrong ? undefined : state.threshold;
    const forced = priority ?? (isWrong ? !failClosed : undefined);
    const wanted = forced === undefined ? after(before) : forced ? alwaysSample : neverSample;
    if (!isSampled(randomness, wanted)) return undefined;
    if (!state) return span;
    // Probabilities fall and never rise.
    const threshold = before !== undefined && before > wanted ? before : wanted;
    return { ...span, traceState: printTraceState({ ...state, threshold }) };
  };
}

/** What a span says of itself; undefined when it says nothing. */
function priorityOf(value: AttributeValue): boolean | undefined {
  const priority = typeof value === 'string' && value !== '' ? Number(value) : value;
  if (typeof priority !== 'bigint' && typeof priority !== 'number') return undefined;
  if (Number.isNaN(Number(priority)) || priority < 0) return undefined;
  return priority > 0;
}
