/** The `service` section (specification: configuration 1.5 and 1.6). */
import { z } from 'zod';
import { noEffect, warned } from './schema.ts';

const ids = z.array(z.string()).default([]);

const pipeline = z.strictObject({ receivers: ids, processors: ids, exporters: ids });

const notExported = 'has no effect; Raybridge does not export its own telemetry';

const logs = z.strictObject({
  level: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['debug', 'info', 'warn', 'error']))
    .default('info'),
  encoding: z.enum(['console', 'json']).default('console'),
  output_paths: z.array(z.string()).default(['stderr']),
  error_output_paths: z.array(z.string()).default(['stderr']),
  development: noEffect(z.boolean().optional()),
  disable_caller: noEffect(z.boolean().optional()),
  disable_stacktrace: noEffect(z.boolean().optional()),
  sampling: noEffect(z.unknown().optional()),
  initial_fields: z.record(z.string(), z.unknown()).default({}),
  processors: warned(z.unknown().optional(), notExported),
});

/** Only cosmetic, so unknown keys are warnings. */
const metrics = z.looseObject({
  level: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['none', 'basic', 'normal', 'detailed']))
    .default('normal'),
  readers: warned(z.unknown().optional(), 'has no effect; metrics are served at /metrics of the health extension'),
  address: warned(z.string().optional(), 'has no effect; metrics are served at /metrics of the health extension'),
  views: noEffect(z.unknown().optional()),
});

const ownTraces = z.looseObject({
  level: warned(z.unknown().optional(), notExported),
  processors: warned(z.unknown().optional(), notExported),
  propagators: warned(z.unknown().optional(), notExported),
  sampler: warned(z.unknown().optional(), notExported),
});

const telemetry = z.strictObject({
  logs: logs.prefault({}),
  metrics: metrics.prefault({}),
  traces: ownTraces.prefault({}),
  resource: noEffect(z.unknown().optional()),
});

/** Ours: what is hidden before anything is written to disk (specification: reliability 4.2). */
const redaction = z.strictObject({
  enabled: z.boolean().default(true),
  keys: z.array(z.string()).default([]),
  allowed_keys: z.array(z.string()).default([]),
  emails: z.boolean().default(false),
  card_numbers: z.boolean().default(false),
});

export const serviceSchema = z.strictObject({
  extensions: ids,
  redaction: redaction.prefault({}),
  pipelines: z.record(z.string(), pipeline.prefault({})).default({}),
  telemetry: telemetry.prefault({}),
});

export type Service = z.output<typeof serviceSchema>;
