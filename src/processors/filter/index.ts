import { z } from 'zod';
import { noEffect } from '../../config/schema.ts';
import type { Span, SpanEvent } from '../../model/index.ts';
import { mapSpans } from '../../pipeline/batches.ts';
import type { Context, Processor, ProcessorFactory } from '../../pipeline/component.ts';
import { compileSelection, selection } from '../../transform/match.ts';
import {
  compileCondition,
  type Condition,
  type ContextName,
  contextOf,
  OttlError,
} from '../../transform/ottl/index.ts';

const otherSignal = noEffect(z.unknown().optional(), 'has no effect on traces');

function conditions(context: ContextName) {
  return z.array(z.string().superRefine((text, issues) => checkCondition(text, context, issues))).default([]);
}

function checkCondition(text: string, context: ContextName, issues: z.RefinementCtx): void {
  try {
    compileCondition(text, context);
  } catch (error) {
    if (!(error instanceof OttlError)) throw error;
    const message = `unable to parse OTTL condition ${JSON.stringify(text)}: ${error.message} (character ${error.offset + 1})`;
    issues.addIssue({ code: 'custom', message });
  }
}

const errorMode = z.enum(['ignore', 'silent', 'propagate']);

const configSchema = z.strictObject({
  error_mode: errorMode.default('ignore'),
  traces: z
    .strictObject({
      resource: conditions('resource'),
      span: conditions('span'),
      spanevent: conditions('spanevent'),
    })
    .prefault({}),
  /** The newer form: paths carry their context. */
  trace_conditions: z
    .array(
      z.union([
        z.string(),
        z.strictObject({
          context: z.enum(['resource', 'scope', 'span', 'spanevent']).default('span'),
          error_mode: errorMode.optional(),
          conditions: z.array(z.string()),
        }),
      ]),
    )
    .default([])
    .superRefine((list, issues) => {
      for (const one of list) {
        if (typeof one === 'string') checkCondition(one, contextNamed(one), issues);
        else for (const text of one.conditions) checkCondition(text, one.context, issues);
      }
    }),
  spans: z.strictObject(selection).optional(),
  metrics: otherSignal,
  logs: otherSignal,
  metric_conditions: otherSignal,
  log_conditions: otherSignal,
  profile_conditions: otherSignal,
});

type FilterConfig = z.output<typeof configSchema>;

/** Of a condition whose paths carry it. */
function contextNamed(text: string): ContextName {
  return /\bspanevent\./.test(text) ? 'spanevent' : 'span';
}

/** Drops spans and events for which a condition is true. */
export const filterProcessor: ProcessorFactory = {
  kind: 'processor',
  type: 'filter',
  configSchema,
  create({ config, context }): Processor {
    // The register has checked `config` with the schema above.
    const { isDropped, dropsEvents, withoutEvents } = compileFilter(config as FilterConfig, context);
    return {
      async start() {},
      async shutdown() {},
      process(batch) {
        const kept = mapSpans(batch, (span) => {
          if (isDropped(span)) return undefined;
          return dropsEvents ? withoutEvents(span) : span;
        });
        const dropped = batch.items - (kept?.items ?? 0);
        const labels = { exporter: context.id, reason: 'filtered' };
        if (dropped > 0) context.telemetry.count('raybridge_dropped_spans_total', labels, dropped);
        return kept;
      },
    };
  },
};

interface Filter {
  isDropped(span: Span): boolean;
  readonly dropsEvents: boolean;
  /** The span without events that are dropped; itself when none is. */
  withoutEvents(span: Span): Span;
}

function compileFilter(
  { traces, trace_conditions: newer, spans, error_mode: mode }: FilterConfig,
  { id, log }: Context,
): Filter {
  const safely = (condition: Condition): Condition => {
    if (mode === 'propagate') return condition;
    return (context) => {
      try {
        return condition(context);
      } catch (error) {
        if (mode === 'ignore')
          log.debug({ err: error, component: id }, 'a condition could not be judged; it counts as false');
        return false;
      }
    };
  };
  const compile = (texts: readonly string[], name: ContextName) =>
    texts.map((text) => safely(compileCondition(text, name)));
  const listed = newer.map((one) =>
    typeof one === 'string'
      ? { context: contextNamed(one), conditions: [one] }
      : { context: one.context, conditions: one.conditions },
  );
  const ofContext = (name: ContextName) =>
    listed.filter(({ context }) => context === name).flatMap((one) => compile(one.conditions, name));
  const onSpans = [
    ...compile(traces.resource, 'resource'),
    ...ofContext('resource'),
    ...ofContext('scope'),
    ...compile(traces.span, 'span'),
    ...ofContext('span'),
  ];
  const onEvents = [...compile(traces.spanevent, 'spanevent'), ...ofContext('spanevent')];
  const isSelected = spans ? compileSelection(spans) : () => true;
  return {
    isDropped(span) {
      if (!isSelected(span)) return true;
      const context = contextOf(span);
      return onSpans.some((condition) => condition(context));
    },
    dropsEvents: onEvents.length > 0,
    withoutEvents(span) {
      const events = span.events.filter((event: SpanEvent) => {
        const context = contextOf(span, event);
        return !onEvents.some((condition) => condition(context));
      });
      return events.length === span.events.length ? span : { ...span, events };
    },
  };
}
