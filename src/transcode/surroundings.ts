import { printJson } from '../codec/index.ts';
import { type JsonText, toSegments } from '../convert/index.ts';
import {
  emptyResource,
  emptyScope,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type Resource,
  type Scope,
  type Span,
  SpanKind,
} from '../model/index.ts';
import { literal } from './page.ts';

/**
 * What of a document depends on the resource or the scope alone, as the bytes that each of their
 * documents holds. The path over spans is asked once, about a span that shows nothing else.
 */

export interface ResourceParts {
  /** As shown in segments; undefined when the name of a segment is not that of its resource's service. */
  readonly segment: SegmentParts | undefined;
  /** Member `r` of the envelope of a subsegment, and of one with a member `aws`; empty when there is none. */
  readonly subsegmentResource: Uint8Array;
  readonly awsSubsegmentResource: Uint8Array;
  /** At least as many bytes as one document holds of it. */
  readonly bytesMax: number;
}

export interface SegmentParts {
  /** Without quotes, unescaped. */
  readonly name: Uint8Array;
  /** As JSON. */
  readonly nameJson: Uint8Array;
  /** `,"origin":…` and what stands beside it. */
  readonly origin: Uint8Array;
  /** `,"aws":…`, or empty. */
  readonly aws: Uint8Array;
  /** `"otel.resource.…":…,…`: entries of the metadata, or empty. */
  readonly metadata: Uint8Array;
  /** `,"r":…`, or empty. */
  readonly resource: Uint8Array;
}

export function resourceParts(resource: Resource, json: JsonText): ResourceParts {
  const call = templateSpan({ resource, kind: SpanKind.client, parentSpanId: '1'.repeat(16) });
  const awsCall = { ...call, attributes: new Map([['aws.region', 'x']]) };
  const segment = segmentParts(resource, json);
  const subsegmentResource = envelopeMember(documentOf(call, json), 'r');
  const awsSubsegmentResource = envelopeMember(documentOf(awsCall, json), 'r');
  const bytesMax =
    Object.values(segment ?? {}).reduce((sum, part) => sum + part.length, 0) +
    subsegmentResource.length +
    awsSubsegmentResource.length;
  return { segment, subsegmentResource, awsSubsegmentResource, bytesMax };
}

function segmentParts(resource: Resource, json: JsonText): SegmentParts | undefined {
  const document = documentOf(templateSpan({ resource }), json);
  const name = document.get('name');
  const other = documentOf({ ...templateSpan({ resource }), name: 'other' }, json);
  if (typeof name !== 'string' || other.get('name') !== name) return undefined;
  const metadata = [...objectAt(document.get('metadata'), 'default')].map(([key, value]) => member(key, value));
  return {
    name: literal(name),
    nameJson: literal(printJson(name)),
    origin: members(document, ['origin', 'resource_arn', 'service']),
    aws: members(document, ['aws']),
    metadata: literal(metadata.join(',')),
    resource: envelopeMember(document, 'r'),
  };
}

export interface ScopeParts {
  readonly hasName: boolean;
  /** Member `c` of the envelope, or empty. */
  readonly scope: Uint8Array;
}

export function scopeParts(scope: Scope, json: JsonText): ScopeParts {
  return { hasName: scope.name !== '', scope: envelopeMember(documentOf({ ...templateSpan({}), scope }, json), 'c') };
}

function templateSpan(parts: Partial<Span>): Span {
  return {
    traceId: '1'.repeat(32),
    spanId: '2'.repeat(16),
    parentSpanId: undefined,
    traceState: '',
    // Not zero: a span without any mark of OpenTelemetry could be one of X-Ray's.
    flags: 1,
    name: 'template',
    kind: SpanKind.server,
    startTimeNs: 1_000_000_000n,
    endTimeNs: 2_000_000_000n,
    attributes: new Map(),
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: '' },
    resource: emptyResource,
    scope: emptyScope,
    ...parts,
  };
}

function documentOf(span: Span, json: JsonText): JsonObject {
  return toSegments([span], { json, envelope: 'full' })[0] ?? new Map();
}

function members(document: JsonObject, names: readonly string[]): Uint8Array {
  const found = names.flatMap((name) => {
    const value = document.get(name);
    return value === undefined ? [] : [`,${member(name, value)}`];
  });
  return literal(found.join(''));
}

function envelopeMember(document: JsonObject, name: string): Uint8Array {
  const envelope = objectAt(document.get('metadata'), 'raybridge');
  return members(envelope, [name]);
}

function member(name: string, value: JsonValue): string {
  return `${printJson(name)}:${printJson(value)}`;
}

function objectAt(value: JsonValue | undefined, name: string): JsonObject {
  const inner = isJsonObject(value) ? value.get(name) : undefined;
  return isJsonObject(inner) ? inner : new Map();
}
