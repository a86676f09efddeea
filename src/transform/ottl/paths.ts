import type { AttributeValue, Span, SpanEvent } from '../../model/index.ts';
import { suggest } from '../../config/suggest.ts';
import { OttlError } from './lex.ts';
import type { Value } from './parse.ts';

export type OttlValue = AttributeValue | readonly OttlValue[];

export interface OttlContext {
  readonly span: Span;
  /** In conditions on events. */
  readonly event: SpanEvent | undefined;
}

type Read = (context: OttlContext) => OttlValue;

const kindNames = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];

const spanPaths: Readonly<Record<string, (span: Span) => OttlValue>> = {
  name: ({ name }) => name,
  kind: ({ kind }) => BigInt(kind),
  'kind.string': ({ kind }) => kindNames[kind] ?? '',
  'kind.deprecated_string': ({ kind }) => `SPAN_KIND_${(kindNames[kind] ?? '').toUpperCase()}`,
  trace_id: ({ traceId }) => Buffer.from(traceId, 'hex'),
  'trace_id.string': ({ traceId }) => traceId,
  span_id: ({ spanId }) => Buffer.from(spanId, 'hex'),
  'span_id.string': ({ spanId }) => spanId,
  parent_span_id: ({ parentSpanId }) => Buffer.from(parentSpanId ?? '0'.repeat(16), 'hex'),
  'parent_span_id.string': ({ parentSpanId }) => parentSpanId ?? '',
  trace_state: ({ traceState }) => traceState,
  start_time_unix_nano: ({ startTimeNs }) => startTimeNs,
  end_time_unix_nano: ({ endTimeNs }) => endTimeNs,
  start_time: ({ startTimeNs }) => startTimeNs,
  end_time: ({ endTimeNs }) => endTimeNs,
  attributes: ({ attributes }) => attributes,
  dropped_attributes_count: ({ droppedAttributesCount }) => BigInt(droppedAttributesCount),
  dropped_events_count: ({ droppedEventsCount }) => BigInt(droppedEventsCount),
  dropped_links_count: ({ droppedLinksCount }) => BigInt(droppedLinksCount),
  events: ({ events }) => events.map(({ name }) => name),
  links: ({ links }) => links.map(({ spanId }) => spanId),
  'status.code': ({ status }) => BigInt(status.code),
  'status.message': ({ status }) => status.message,
  flags: ({ flags }) => BigInt(flags),
};

const resourcePaths: typeof spanPaths = {
  attributes: ({ resource }) => resource.attributes,
  dropped_attributes_count: ({ resource }) => BigInt(resource.droppedAttributesCount),
  schema_url: ({ resource }) => resource.schemaUrl,
};

const scopePaths: typeof spanPaths = {
  name: ({ scope }) => scope.name,
  version: ({ scope }) => scope.version,
  attributes: ({ scope }) => scope.attributes,
};

const eventPaths: Readonly<Record<string, (event: SpanEvent) => OttlValue>> = {
  name: ({ name }) => name,
  time_unix_nano: ({ timeNs }) => timeNs,
  attributes: ({ attributes }) => attributes,
  dropped_attributes_count: ({ droppedAttributesCount }) => BigInt(droppedAttributesCount),
};

const ofSpan = (table: typeof spanPaths): ReadonlyMap<string, Read> =>
  new Map(Object.entries(table).map(([path, read]) => [path, ({ span }) => read(span)]));

const tables: ReadonlyMap<string, ReadonlyMap<string, Read>> = new Map([
  ['span', ofSpan(spanPaths)],
  ['resource', ofSpan(resourcePaths)],
  ['scope', ofSpan(scopePaths)],
  ['instrumentation_scope', ofSpan(scopePaths)],
  ['spanevent', new Map(Object.entries(eventPaths).map(([path, read]) => [path, ({ event }) => event && read(event)]))],
]);

/** What reads the path, whose prefix may be missing in its own context. @throws OttlError. */
export function readPath({ steps, keys, offset }: Extract<Value, { kind: 'path' }>, context: string): Read {
  const [prefix = '', ...rest] = steps;
  const isPrefixed = tables.has(prefix) && rest.length > 0;
  const table = tables.get(isPrefixed ? prefix : context);
  const path = (isPrefixed ? rest : steps).join('.');
  const read = table?.get(path);
  if (read) return path === 'trace_state' && keys.length > 0 ? readTraceState(keys) : read;
  const [near] = suggest(path, table?.keys() ?? []);
  throw new OttlError(`${steps.join('.')} is not a path${near === undefined ? '' : `; did you mean ${near}?`}`, offset);
}

/** `trace_state["k"]`: its member of that name. */
function readTraceState([key]: readonly (string | bigint)[]): Read {
  return ({ span }) =>
    new Map(
      span.traceState.split(',').flatMap((member): [string, string][] => {
        const equals = member.indexOf('=');
        return equals < 0 || member.slice(0, equals).trim() !== key
          ? []
          : [[String(key), member.slice(equals + 1).trim()]];
      }),
    );
}
