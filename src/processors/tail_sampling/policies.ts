import { encodeTraces } from '../../codec/index.ts';
import { type Attributes, type Span, StatusCode, type TraceDigest } from '../../model/index.ts';
import { matches, parseFilter } from '../../query/index.ts';
import { fnv64a } from '../../transform/fnv.ts';
import { compileCondition, contextOf } from '../../transform/ottl/index.ts';
import { compilePattern } from '../../transform/regex.ts';
import type { CompositeConfig, PolicyConfig } from './config.ts';

/** A trace that is to be decided. */
export interface GatheredTrace {
  readonly traceId: string;
  readonly spans: readonly Span[];
  /** Made at the first call. */
  digest(): TraceDigest;
}

/** `inverted` is a policy with `invert_match`, whose "no" is a "no" to the trace where others have nothing to say. */
export type Verdict = 'sampled' | 'not sampled' | 'dropped';

export type Policy = (trace: GatheredTrace) => Verdict;

export interface PolicyWorld {
  /** Milliseconds, rising. */
  readonly nowMs: () => number;
}

export function compilePolicy(config: PolicyConfig, world: PolicyWorld): Policy {
  const test = compileTest(config, world);
  if (config.type === 'drop') return (trace) => (test(trace) ? 'dropped' : 'not sampled');
  return (trace) => (test(trace) ? 'sampled' : 'not sampled');
}

type Test = (trace: GatheredTrace) => boolean;

/** Settings whose shape the schema has checked for the type. */
// oxlint-disable-next-line no-explicit-any
type Settings = any;

function compileTest(config: PolicyConfig, world: PolicyWorld): Test {
  const settings: Settings = config[config.type] ?? {};
  switch (config.type) {
    case 'always_sample':
      return () => true;
    case 'latency':
      return latency(settings.threshold_ms, settings.upper_threshold_ms);
    case 'numeric_attribute': {
      const { min_value: min, max_value: max } = settings;
      return anyAttribute(settings, (value) => {
        if (typeof value !== 'bigint') return false;
        return (min === 0 || value >= BigInt(min)) && (max === 0 || value <= BigInt(max));
      });
    }
    case 'boolean_attribute':
      return anyAttribute(settings, (value) => value === settings.value);
    case 'string_attribute':
      return stringAttribute(settings);
    case 'probabilistic':
      return probabilistic(settings);
    case 'status_code': {
      const codes = new Set<number>(
        settings.status_codes.map((code: string) => StatusCode[code.toLowerCase() as keyof typeof StatusCode]),
      );
      return ({ spans }) => spans.some(({ status }) => codes.has(status.code));
    }
    case 'rate_limiting':
      return limited(settings.spans_per_second, settings.burst_capacity, world, ({ spans }) => spans.length);
    case 'bytes_limiting':
      return limited(
        settings.bytes_per_second,
        settings.burst_capacity,
        world,
        ({ spans }) => encodeTraces(spans).length,
      );
    case 'span_count': {
      const { min_spans: min, max_spans: max } = settings;
      return ({ spans }) => spans.length >= min && (max === 0 || spans.length <= max);
    }
    case 'trace_state':
      return traceState(settings);
    case 'trace_flags':
      return ({ spans }) => spans.some(({ flags }) => (flags & 1) === 1);
    case 'ottl_condition':
      return ottlCondition(settings);
    case 'xray_filter': {
      const filter = parseFilter(settings.expression);
      return (trace) => matches(filter, trace.digest());
    }
    case 'and': {
      const tests = (config.and?.and_sub_policy ?? []).map((one) => compileTest(one, world));
      return (trace) => tests.every((test) => test(trace));
    }
    case 'drop': {
      const tests = (config.drop?.drop_sub_policy ?? []).map((one) => compileTest(one, world));
      return (trace) => tests.every((test) => test(trace));
    }
    case 'not': {
      const inner = config.not && compileTest(config.not.not_sub_policy, world);
      return (trace) => !(inner?.(trace) ?? false);
    }
    case 'composite':
      return config.composite ? composite(config.composite, world) : () => false;
    default:
      return () => false;
  }
}

const msNs = 1_000_000n;

/** From the earliest start to the latest end. */
function latency(thresholdMs: number, upperMs: number): Test {
  return ({ spans }) => {
    const [start, end] = spans.reduce(
      ([from, to], span) =>
        [span.startTimeNs < from ? span.startTimeNs : from, span.endTimeNs > to ? span.endTimeNs : to] as const,
      [spans[0]?.startTimeNs ?? 0n, spans[0]?.endTimeNs ?? 0n] as readonly [bigint, bigint],
    );
    const duration = end - start;
    if (upperMs === 0) return duration >= BigInt(thresholdMs) * msNs;
    return duration > BigInt(thresholdMs) * msNs && duration <= BigInt(upperMs) * msNs;
  };
}

/** Some span, or its resource, has a fitting value; inverted: none has. */
function anyAttribute(
  { key, invert_match: isInverted }: { readonly key: string; readonly invert_match: boolean },
  fits: (value: unknown) => boolean,
): Test {
  const has = (attributes: Attributes): boolean => attributes.has(key) && fits(attributes.get(key));
  return ({ spans }) => spans.some((span) => has(span.resource.attributes) || has(span.attributes)) !== isInverted;
}

function stringAttribute(settings: Settings): Test {
  const values: readonly string[] = settings.values.filter((value: string) => value !== '');
  if (!settings.enabled_regex_matching) {
    const wanted = new Set<unknown>(values);
    return anyAttribute(settings, (value) => value !== '' && wanted.has(value));
  }
  const patterns = values.map(compilePattern);
  return anyAttribute(
    settings,
    (value) => typeof value === 'string' && value !== '' && patterns.some((pattern) => pattern.test(value)),
  );
}

const hashValues = 2n ** 64n - 1n;
const parts = 1_000_000;

function probabilistic({ hash_salt: salt, sampling_percentage: percentage }: Settings): Test {
  const seed = Buffer.from(salt);
  const threshold = (hashValues * BigInt(Math.round((percentage / 100) * parts))) / BigInt(parts);
  return ({ traceId }) => percentage > 0 && fnv64a(seed, Buffer.from(traceId, 'hex')) <= threshold;
}

/** A bucket that fills with time; a trace that fits into what is there takes it. */
function limited(
  perSecond: number,
  capacity: number,
  { nowMs }: PolicyWorld,
  cost: (trace: GatheredTrace) => number,
): Test {
  const most = capacity || perSecond * 2;
  let tokens = most;
  let filledAtMs = nowMs();
  return (trace) => {
    const now = nowMs();
    tokens = Math.min(most, tokens + ((now - filledAtMs) / 1000) * perSecond);
    filledAtMs = now;
    const wanted = cost(trace);
    if (wanted > tokens) return false;
    tokens -= wanted;
    return true;
  };
}

function traceState({ key, values }: Settings): Test {
  const members = new Set<string>(values.map((value: string) => `${key}=${value}`));
  return ({ spans }) => spans.some((span) => span.traceState.split(',').some((member) => members.has(member.trim())));
}

function ottlCondition(settings: Settings): Test {
  const onSpans = settings.span.map((text: string) => compileCondition(text, 'span'));
  const onEvents = settings.spanevent.map((text: string) => compileCondition(text, 'spanevent'));
  type Conditions = readonly ReturnType<typeof compileCondition>[];
  return ({ spans }) =>
    spans.some(
      (span) =>
        (onSpans as Conditions).some((condition) => condition(contextOf(span))) ||
        span.events.some((event) => (onEvents as Conditions).some((condition) => condition(contextOf(span, event)))),
    );
}

/** Sub-policies in their order; the first that wants the trace decides, within its own share of the second and the whole. */
function composite(config: CompositeConfig, world: PolicyWorld): Test {
  const total = config.max_total_spans_per_second;
  const percents = new Map(config.rate_allocation.map(({ policy, percent }) => [policy, percent]));
  const subs = config.policy_order.flatMap((name) => {
    const sub = config.composite_sub_policy.find((one) => one.name === name);
    if (!sub) return [];
    const percent = percents.get(name) ?? 100 / config.policy_order.length;
    return [{ test: compileTest(sub, world), most: (total * percent) / 100, spans: 0 }];
  });
  let second = Number.NaN;
  let spansOfAll = 0;
  return (trace) => {
    const now = Math.floor(world.nowMs() / 1000);
    if (now !== second) {
      second = now;
      spansOfAll = 0;
      for (const sub of subs) sub.spans = 0;
    }
    const wanting = subs.find((sub) => sub.test(trace));
    if (!wanting) return false;
    const count = trace.spans.length;
    if (wanting.spans + count > wanting.most || spansOfAll + count > total) return false;
    wanting.spans += count;
    spansOfAll += count;
    return true;
  };
}
