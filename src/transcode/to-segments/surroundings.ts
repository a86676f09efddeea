import { jsonText, printJson } from '../../codec/index.ts';
import { type JsonObject, type JsonValue, type Resource, type Scope, SpanKind } from '../../model/index.ts';
import { resourceHash } from '../../convert/carried.ts';
import type { SegmentOptions } from '../../convert/index.ts';
import { type ResourceAnnotations, resourceAnnotations } from './annotations.ts';
import { type ExceptionForm, KnownExceptions } from './exceptions.ts';
import { literal } from './page.ts';
import { documentOf, objectAt, templateSpan } from './template.ts';

/**
 * What of a document depends on the resource or the scope alone, as the bytes that each of their
 * documents holds. The path over spans is asked once, about a span that shows nothing else.
 */

export interface ResourceParts {
  /** By which documents name it that another one carries it for. */
  readonly hash: string;
  /** As shown in segments; undefined when the name of a segment is not that of its resource's service. */
  readonly segment: SegmentParts | undefined;
  /** Member `r` of the envelope of a subsegment, and of one with a member `aws`; empty when there is none. */
  readonly subsegmentResource: Uint8Array;
  readonly awsSubsegmentResource: Uint8Array;
  /** Its `cloud.region`, when that is a text. */
  readonly region: string | undefined;
  readonly segmentExceptions: KnownExceptions;
  readonly callExceptions: KnownExceptions;
  readonly workExceptions: KnownExceptions;
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
  readonly annotations: ResourceAnnotations;
}

export function resourceParts(resource: Resource, options: Partial<SegmentOptions>): ResourceParts {
  const call = templateSpan({ resource, kind: SpanKind.client, parentSpanId: '1'.repeat(16) });
  const awsCall = { ...call, attributes: new Map([['aws.region', 'x']]) };
  const segment = segmentParts(resource, options);
  const subsegmentResource = envelopeMember(documentOf(call), 'r');
  const awsSubsegmentResource = envelopeMember(documentOf(awsCall), 'r');
  const bytesMax = (segment ? segmentBytes(segment) : 0) + subsegmentResource.length + awsSubsegmentResource.length;
  const exceptions = (form: ExceptionForm): KnownExceptions => new KnownExceptions(resource, form);
  const region = resource.attributes.get('cloud.region');
  return {
    hash: resourceHash(resource, jsonText),
    segment,
    region: typeof region === 'string' ? region : undefined,
    subsegmentResource,
    awsSubsegmentResource,
    segmentExceptions: exceptions({ isSegment: true, isCall: false }),
    callExceptions: exceptions({ isSegment: false, isCall: true }),
    workExceptions: exceptions({ isSegment: false, isCall: false }),
    bytesMax,
  };
}

function segmentParts(resource: Resource, options: Partial<SegmentOptions>): SegmentParts | undefined {
  const document = documentOf(templateSpan({ resource }), options);
  const name = document.get('name');
  const other = documentOf({ ...templateSpan({ resource }), name: 'other' }, options);
  if (typeof name !== 'string' || other.get('name') !== name) return undefined;
  const metadata = [...objectAt(objectAt(document, 'metadata'), 'default')].map(([key, value]) => member(key, value));
  return {
    name: literal(name),
    nameJson: literal(printJson(name)),
    origin: members(document, ['origin', 'resource_arn', 'service']),
    aws: members(document, ['aws']),
    metadata: literal(metadata.join(',')),
    resource: envelopeMember(document, 'r'),
    annotations: resourceAnnotations(resource, options.annotations ?? {}),
  };
}

export interface ScopeParts {
  readonly hasName: boolean;
  /** Member `c` of the envelope, or empty. */
  readonly scope: Uint8Array;
}

export function scopeParts(scope: Scope): ScopeParts {
  return { hasName: scope.name !== '', scope: envelopeMember(documentOf({ ...templateSpan({}), scope }), 'c') };
}

function members(document: JsonObject, names: readonly string[]): Uint8Array {
  const found = names.flatMap((name) => {
    const value = document.get(name);
    return value === undefined ? [] : [`,${member(name, value)}`];
  });
  return literal(found.join(''));
}

function envelopeMember(document: JsonObject, name: string): Uint8Array {
  const envelope = objectAt(objectAt(document, 'metadata'), 'raybridge');
  return members(envelope, [name]);
}

function member(name: string, value: JsonValue): string {
  return `${printJson(name)}:${printJson(value)}`;
}

/** At least as many bytes as a segment holds of its resource. */
function segmentBytes({ annotations, ...parts }: SegmentParts): number {
  const { listed, covered } = annotations;
  const all = [...Object.values(parts), listed.annotations, listed.renames, covered.annotations, covered.renames];
  return all.reduce((sum, part) => sum + part.length, 0);
}
