import { asList, asRecord, asText, member, memberAt } from '../json/read.ts';
import type { JsonRecord } from '../json/read.ts';
import type { TraceNode } from './tree.ts';

/** A line of a details table. */
export interface Field {
  readonly label: string;
  readonly value: string;
}

/** `http.request` and `http.response` of a document, by the words of the document. */
export function requestFields(node: TraceNode): {
  readonly request: readonly Field[];
  readonly response: readonly Field[];
} {
  return {
    request: flatten(memberAt(node.document, 'http', 'request')),
    response: flatten(memberAt(node.document, 'http', 'response')),
  };
}

/** What ran it and what it called: origin, ARN, service version and every member of `aws`. */
export function resourceFields(node: TraceNode): readonly Field[] {
  const { document } = node;
  return [
    ...fieldOf('origin', member(document, 'origin')),
    ...fieldOf('resource_arn', member(document, 'resource_arn')),
    ...flatten(member(document, 'service'), 'service'),
    ...flatten(member(document, 'aws')),
  ];
}

export function sqlFields(node: TraceNode): { readonly query: string | undefined; readonly rest: readonly Field[] } {
  const sql = member(node.document, 'sql');
  return {
    query: asText(memberAt(sql, 'sanitized_query')),
    rest: flatten(sql).filter(({ label }) => label !== 'sanitized_query'),
  };
}

export interface Annotation {
  readonly key: string;
  readonly value: string | number | boolean;
}

export function annotationsOf(node: TraceNode): readonly Annotation[] {
  return Object.entries(asRecord(member(node.document, 'annotations')) ?? {}).flatMap(([key, value]) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? [{ key, value }] : [],
  );
}

/** The member of `metadata` in which Raybridge keeps what X-Ray has no place for. */
const envelopeKey = 'raybridge';

/** `metadata` by namespace, without Raybridge's own. */
export function metadataOf(node: TraceNode): readonly (readonly [string, unknown])[] {
  const metadata = asRecord(member(node.document, 'metadata')) ?? {};
  return Object.entries(metadata).filter(([namespace]) => namespace !== envelopeKey);
}

export interface TraceLink {
  readonly traceId: string;
  readonly id: string | undefined;
  readonly attributes: readonly Field[];
}

export function linksOf(node: TraceNode): readonly TraceLink[] {
  return asList(member(node.document, 'links')).flatMap((entry) => {
    const traceId = asText(memberAt(entry, 'trace_id'));
    if (!traceId) return [];
    return [{ traceId, id: asText(memberAt(entry, 'id')), attributes: flatten(memberAt(entry, 'attributes')) }];
  });
}

/** What the envelope tells about the OpenTelemetry span behind a document. Empty sections are left out by the page. */
export interface OpenTelemetryFacts {
  readonly span: readonly Field[];
  readonly attributes: readonly Field[];
  readonly events: readonly OpenTelemetryEvent[];
}

export interface OpenTelemetryEvent {
  /** Nanoseconds since 1970, as decimal text. */
  readonly timeNs: string;
  readonly name: string;
  readonly attributes: readonly Field[];
}

const kindNames = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const statusNames = ['unset', 'ok', 'error'];

export function openTelemetryOf(node: TraceNode): OpenTelemetryFacts | undefined {
  const envelope = asRecord(memberAt(node.document, 'metadata', envelopeKey));
  if (!envelope) return undefined;
  const scope = asRecord(member(envelope, 'c'));
  return {
    span: [
      ...fieldOf('span name', member(envelope, 'n')),
      ...fieldOf('kind', kindNames[Number(member(envelope, 'k') ?? -1)] ?? member(envelope, 'k')),
      ...statusFields(asList(member(envelope, 's'))),
      ...fieldOf('trace state', member(envelope, 'w')),
      ...fieldOf('flags', member(envelope, 'f')),
      ...fieldOf('scope', member(scope, 'n')),
      ...fieldOf('scope version', member(scope, 'v')),
    ],
    attributes: pairs(member(envelope, 'a')),
    events: asList(member(envelope, 'e')).flatMap(toEvent),
  };
}

function statusFields([code, message]: readonly unknown[]): readonly Field[] {
  return [...fieldOf('status', statusNames[Number(code ?? -1)] ?? code), ...fieldOf('status message', message)];
}

function toEvent(entry: unknown): OpenTelemetryEvent[] {
  const [timeNs, name, attributes] = asList(entry);
  if (name === undefined) return [];
  return [{ timeNs: print(timeNs), name: print(name), attributes: pairs(attributes) }];
}

/** `[[key, AnyValue], …]` in OTLP/JSON. */
function pairs(list: unknown): readonly Field[] {
  return asList(list).flatMap((entry) => {
    const [key, value] = asList(entry);
    return typeof key === 'string' ? [{ label: key, value: printAnyValue(value) }] : [];
  });
}

function printAnyValue(value: unknown): string {
  const record = asRecord(value);
  const [only, ...others] = Object.entries(record ?? {});
  if (!only || others.length > 0) return print(value);
  const [kind, held] = only;
  if (kind === 'arrayValue') return `[${asList(memberAt(held, 'values')).map(printAnyValue).join(', ')}]`;
  return kind.endsWith('Value') ? print(held) : print(value);
}

/** The leaves of a value with the path to each, in the order of the document. A stack, because the nesting is foreign. */
function flatten(value: unknown, prefix = ''): readonly Field[] {
  const fields: Field[] = [];
  const waiting: [string, unknown][] = [[prefix, value]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [path, at] = next;
    const record: JsonRecord | undefined = asRecord(at);
    if (record) {
      const entries = Object.entries(record).map(([key, held]): [string, unknown] => [
        path ? `${path}.${key}` : key,
        held,
      ]);
      waiting.push(...entries.toReversed());
    } else if (at !== undefined && at !== null && path) {
      fields.push({ label: path, value: print(at) });
    }
  }
  return fields;
}

function fieldOf(label: string, value: unknown): readonly Field[] {
  return value === undefined || value === null || value === '' ? [] : [{ label, value: print(value) }];
}

function print(value: unknown): string {
  if (Array.isArray(value) && value.every((entry) => typeof entry !== 'object')) return value.join(', ');
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
