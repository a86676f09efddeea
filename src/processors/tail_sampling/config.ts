import { z } from 'zod';
import { duration, noEffect, refused } from '../../config/schema.ts';
import { parseFilter } from '../../query/index.ts';
import { RaybridgeError } from '../../errors.ts';
import { compilePattern } from '../../transform/regex.ts';
import { compileCondition, OttlError } from '../../transform/ottl/index.ts';

/** Policies of tail_sampling; the block of settings has the name of the type (specification: configuration 1.11). */

const rate = z.int().min(1);
const percentage = z.number().min(0).max(100);
const none = z.strictObject({}).optional();

const condition = (context: 'span' | 'spanevent') =>
  z
    .array(
      z.string().superRefine((text, issues) => {
        try {
          compileCondition(text, context);
        } catch (error) {
          if (!(error instanceof OttlError)) throw error;
          issues.addIssue({
            code: 'custom',
            message: `unable to parse OTTL condition ${JSON.stringify(text)}: ${error.message} (character ${error.offset + 1})`,
          });
        }
      }),
    )
    .default([]);

const blocks = {
  always_sample: none,
  latency: z.strictObject({ threshold_ms: z.int().min(0), upper_threshold_ms: z.int().min(0).default(0) }).optional(),
  numeric_attribute: z
    .strictObject({
      key: z.string(),
      min_value: z.int().default(0),
      max_value: z.int().default(0),
      invert_match: z.boolean().default(false),
    })
    .refine(({ min_value: min, max_value: max }) => min !== 0 || max !== 0, { error: 'needs min_value or max_value' })
    .optional(),
  probabilistic: z
    .strictObject({ sampling_percentage: percentage, hash_salt: z.string().default('default-hash-seed') })
    .optional(),
  status_code: z
    .strictObject({
      status_codes: z
        .array(
          z.enum(['OK', 'ERROR', 'UNSET'], {
            error: ({ input }) => `expected OK, ERROR or UNSET, got ${JSON.stringify(input)}`,
          }),
        )
        .min(1, { error: 'expected at least one status code to filter on' }),
    })
    .optional(),
  string_attribute: z
    .strictObject({
      key: z.string(),
      values: z.array(z.string()).default([]),
      enabled_regex_matching: z.boolean().default(false),
      cache_max_size: noEffect(z.int().min(0).optional()),
      invert_match: z.boolean().default(false),
    })
    .superRefine(({ values, enabled_regex_matching: isRegex }, issues) => {
      for (const text of isRegex ? values : []) {
        try {
          compilePattern(text);
        } catch (error) {
          const message = `${JSON.stringify(text)} is no regular expression: ${error instanceof Error ? error.message : ''}`;
          issues.addIssue({ code: 'custom', message });
        }
      }
    })
    .optional(),
  boolean_attribute: z
    .strictObject({ key: z.string(), value: z.boolean().default(false), invert_match: z.boolean().default(false) })
    .optional(),
  rate_limiting: z.strictObject({ spans_per_second: rate, burst_capacity: z.int().min(0).default(0) }).optional(),
  bytes_limiting: z.strictObject({ bytes_per_second: rate, burst_capacity: z.int().min(0).default(0) }).optional(),
  span_count: z.strictObject({ min_spans: z.int().min(0).default(0), max_spans: z.int().min(0).default(0) }).optional(),
  trace_state: z.strictObject({ key: z.string(), values: z.array(z.string()).min(1) }).optional(),
  trace_flags: none,
  ottl_condition: z
    .strictObject({
      error_mode: noEffect(z.enum(['ignore', 'silent', 'propagate']).optional()),
      span: condition('span'),
      spanevent: condition('spanevent'),
    })
    .refine(({ span, spanevent }) => span.length + spanevent.length > 0, { error: 'needs at least one condition' })
    .optional(),
  /** Ours: a filter expression of the X-Ray API, on the trace. */
  xray_filter: z
    .strictObject({
      expression: z.string().superRefine((text, issues) => {
        try {
          parseFilter(text);
        } catch (error) {
          if (!(error instanceof RaybridgeError)) throw error;
          issues.addIssue({ code: 'custom', message: error.message });
        }
      }),
    })
    .optional(),
} as const;

const simpleTypes = Object.keys(blocks) as readonly (keyof typeof blocks)[];

export interface PolicyConfig {
  readonly name: string;
  readonly type: string;
  readonly and?: { readonly and_sub_policy: readonly PolicyConfig[] } | undefined;
  readonly not?: { readonly not_sub_policy: PolicyConfig } | undefined;
  readonly drop?: { readonly drop_sub_policy: readonly PolicyConfig[] } | undefined;
  readonly composite?: CompositeConfig | undefined;
  readonly [block: string]: unknown;
}

export interface CompositeConfig {
  readonly max_total_spans_per_second: number;
  readonly policy_order: readonly string[];
  readonly composite_sub_policy: readonly PolicyConfig[];
  readonly rate_allocation: readonly { readonly policy: string; readonly percent: number }[];
}

const name = z.string().min(1, { error: 'policy name cannot be empty' });
const subPolicies = z.array(z.lazy((): z.ZodType<PolicyConfig> => policy)).min(1);
const types: readonly string[] = [...simpleTypes, 'and', 'not', 'drop', 'composite'];

const policy: z.ZodType<PolicyConfig> = z
  .strictObject({
    name,
    type: z.string().refine((type) => types.includes(type), {
      error: ({ input }) => `unknown sampling policy type ${String(input)}; there are ${types.join(', ')}`,
    }),
    ...blocks,
    and: z.strictObject({ and_sub_policy: subPolicies }).optional(),
    not: z.strictObject({ not_sub_policy: z.lazy((): z.ZodType<PolicyConfig> => policy) }).optional(),
    drop: z.strictObject({ drop_sub_policy: subPolicies }).optional(),
    composite: z
      .strictObject({
        max_total_spans_per_second: rate,
        policy_order: z.array(z.string()).min(1),
        composite_sub_policy: subPolicies,
        rate_allocation: z.array(z.strictObject({ policy: z.string(), percent: percentage })).default([]),
      })
      .optional(),
  })
  .superRefine((config, issues) => {
    const needsBlock = !['always_sample', 'trace_flags'].includes(config.type);
    if (needsBlock && config[config.type as keyof typeof config] === undefined) {
      issues.addIssue({
        code: 'custom',
        path: [config.type],
        message: `policy ${JSON.stringify(config.name)} needs its settings`,
      });
    }
  });

export const configSchema = z.strictObject({
  policies: z
    .array(policy)
    .min(1, { error: 'needs at least one policy' })
    .superRefine((policies, issues) => {
      const names = policies.map((one) => one.name);
      const twice = names.find((one, i) => names.indexOf(one) !== i);
      if (twice !== undefined)
        issues.addIssue({ code: 'custom', message: `duplicate policy name ${JSON.stringify(twice)}` });
    }),
  decision_wait: duration.default(30_000),
  decision_wait_after_root_received: duration.default(0),
  num_traces: z.int().min(1).default(50_000),
  block_on_overflow: z.boolean().default(false),
  expected_new_traces_per_sec: noEffect(z.int().min(0).optional()),
  decision_cache: z
    .strictObject({ sampled_cache_size: z.int().min(0).default(0), non_sampled_cache_size: z.int().min(0).default(0) })
    .prefault({}),
  sample_on_first_match: z.boolean().default(false),
  sampling_strategy: z
    .literal('trace-complete', {
      error: 'only trace-complete is implemented in this version; refused because other traces would be kept',
    })
    .optional(),
  drop_pending_traces_on_shutdown: noEffect(
    z.boolean().optional(),
    'has no effect; what is not decided waits in the durable queue',
  ),
  maximum_trace_size_bytes: noEffect(
    z.int().min(0).optional(),
    'has no effect; the bytes of all gathered traces are bounded',
  ),
  tail_storage: refused('is not implemented in this version'),
});

export type TailSamplingConfig = z.output<typeof configSchema>;
