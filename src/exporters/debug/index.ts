import { z } from 'zod';
import { encodeTracesJson } from '../../codec/index.ts';
import { noEffect, warned } from '../../config/schema.ts';
import type { Span } from '../../model/index.ts';
import type { Batch } from '../../pipeline/batch.ts';
import type { Exporter, ExporterFactory, Logger } from '../../pipeline/component.ts';

const verbosity = z.enum(['basic', 'normal', 'detailed'], {
  error: ({ input }) => `verbosity level ${JSON.stringify(input)} is not supported`,
});

const configSchema = z
  .strictObject({
    verbosity: verbosity.optional(),
    /** Of the former `logging` exporter: `debug` means detailed, all else normal. */
    loglevel: warned(z.enum(['debug', 'info', 'warn', 'error']).optional(), 'is the former name of verbosity'),
    sampling_initial: noEffect(z.int().min(0).optional()),
    sampling_thereafter: noEffect(z.int().min(0).optional()),
    /** False prints bare JSON lines to stdout instead of log entries. */
    use_internal_logger: z.boolean().default(true),
    output_paths: z
      .array(z.literal('stdout', { error: ({ input }) => `expected stdout, got ${JSON.stringify(input)}` }))
      .optional(),
    sending_queue: noEffect(z.unknown().optional()),
  })
  .refine((config) => config.output_paths === undefined || !config.use_internal_logger, {
    path: ['output_paths'],
    error: 'output_paths is not supported when use_internal_logger is true',
  })
  .transform(({ verbosity, loglevel, use_internal_logger: toLog }) => ({
    verbosity: verbosity ?? verbosityOf(loglevel),
    toLog,
  }));

export type DebugConfig = z.output<typeof configSchema>;
type Verbosity = z.output<typeof verbosity>;

/** Shows what passes: counts, a line for each span, or every span in full as OTLP/JSON. */
export const debugExporter: ExporterFactory = {
  kind: 'exporter',
  type: 'debug',
  configSchema,
  create({ config, context }) {
    const print = (line: string): void => void process.stdout.write(`${line}\n`);
    // The register has checked `config` with the schema above.
    return createDebugExporter({ config: config as DebugConfig, log: context.log, print });
  },
};

/** One line shows about so much; the log is for people. */
const gatherBytesMax = 1024 * 1024;

export function createDebugExporter({
  config,
  log,
  print,
}: {
  readonly config: DebugConfig;
  readonly log: Logger;
  /** Takes a line for stdout. */
  readonly print: (line: string) => void;
}): Exporter {
  return {
    gather: { bytesMax: gatherBytesMax, lingerMs: 0 },
    async start() {},
    async shutdown() {},
    async export({ batches }) {
      for (const shown of show(batches, config.verbosity)) {
        if (config.toLog) log.info(shown, 'traces');
        else print(JSON.stringify(shown));
      }
    },
  };
}

function verbosityOf(loglevel: 'debug' | 'info' | 'warn' | 'error' | undefined): Verbosity {
  if (loglevel === undefined) return 'basic';
  return loglevel === 'debug' ? 'detailed' : 'normal';
}

/** What to print, one object a line. */
function show(batches: readonly Batch[], verbosity: Verbosity): readonly object[] {
  switch (verbosity) {
    case 'basic':
      return [{ batches: batches.length, spans: sum(batches, ({ items }) => items), bytes: sum(batches, bytesOf) }];
    case 'normal':
      return batches.flatMap((batch) => batch.spans().map(showSpan));
    case 'detailed':
      // Parsed again, so that a log entry holds JSON and not a string full of backslashes.
      return batches.map((batch) => JSON.parse(encodeTracesJson(batch.spans())) as object); // It encodes an object.
  }
}

function showSpan({ traceId, spanId, parentSpanId, name, startTimeNs, endTimeNs, status, attributes }: Span): object {
  const durationMs = endTimeNs === 0n ? undefined : Number(endTimeNs - startTimeNs) / 1e6;
  return { traceId, spanId, parentSpanId, name, durationMs, status: status.code, attributes: attributes.size };
}

function bytesOf({ body }: Batch): number {
  return body.length;
}

function sum(batches: readonly Batch[], measure: (batch: Batch) => number): number {
  return batches.reduce((total, batch) => total + measure(batch), 0);
}
