import type { JsonArray, JsonNumber, JsonObject, JsonValue, Span, SpanLink } from '../../model/index.ts';
import { isJsonObject, parseTime, secondsText, SpanKind, toXrayTraceId } from '../../model/index.ts';
import type { AnnotationIndex } from '../annotations.ts';
import { resourcePrefix } from '../annotations.ts';
import { isCollectorSegment, isLocalRoot } from '../identity.ts';
import { isShownLink } from '../links.ts';
import type { JsonText } from '../section.ts';
import { addMembers } from '../section.ts';
import { collectorFlagsOf } from '../status.ts';
import { writeAttributes } from './attributes.ts';
import { withoutCall, writeAws, writeOrigin, writeService } from './aws.ts';
import { writeCause } from './cause.ts';
import { writeHttp } from './http.ts';
import { remoteService, writeName, writeNamespace } from './name.ts';
import { writeSql } from './sql.ts';
import type { CollectorView } from './view.ts';
import { doubleToJson, textIn, toCollectorJson } from './view.ts';

/**
 * The document that the Collector's exporter makes of a span, and the two of a call with which a
 * service begins its part of a trace (segment.go). Members stand in the exporter's order.
 */

export interface CollectorPlan {
  readonly rules: { readonly annotations: AnnotationIndex };
  readonly json: JsonText;
}

interface CollectorDocument {
  readonly document: JsonObject;
  /** Annotation key → attribute key, where they differ. */
  readonly renames: ReadonlyMap<string, string>;
  /** Ids of the exceptions in `cause`, by place of their event. */
  readonly exceptionIds: ReadonlyMap<number, string>;
}

/** The one document of a span that is not split. */
export function writeCollectorDocument(span: Span, plan: CollectorPlan): CollectorDocument {
  const { members, ...maps } = membersOf(span, plan);
  const document = isLocalRoot(span) ? { ...members, namespace: undefined, type: undefined } : members;
  return { document: toDocument(document), ...maps };
}

/** The call of a span that is split; its parent is the segment of the service. */
export function writeDependency(span: Span, plan: CollectorPlan): CollectorDocument {
  const { members, ...maps } = membersOf(span, plan);
  const document = toDocument({
    ...members,
    name: remoteService(span) || members.name,
    links: span.kind === SpanKind.consumer ? undefined : members.links,
    namespace: members.namespace ?? 'remote',
    type: 'subsegment',
  });
  return { document, ...maps };
}

/** Attributes of the call that say nothing of the service. */
const callAttributes = ['aws.remote.service', 'aws.remote.operation', 'remoteTarget', 'K8s.RemoteNamespace'] as const;

/** The segment of the service that makes the call of a span that is split. */
export function writeServiceSegment(span: Span, serviceId: string, plan: CollectorPlan): JsonObject {
  const attributes = new Map(span.attributes);
  for (const key of callAttributes) attributes.delete(key);
  const { members } = membersOf({ ...span, spanId: serviceId, attributes }, plan);
  return toDocument({
    ...members,
    name: textIn(attributes, 'aws.local.service') || members.name,
    links: span.kind === SpanKind.consumer ? members.links : undefined,
    http: undefined,
    aws: members.aws && withoutCall(members.aws),
    metadata: members.metadata && resourceOnly(members.metadata),
    namespace: undefined,
    type: undefined,
  });
}

/** Namespaces stay, empty. */
function resourceOnly(metadata: JsonObject): JsonObject {
  return new Map(
    [...metadata].map(([namespace, content]) => [
      namespace,
      new Map(isJsonObject(content) ? [...content].filter(([key]) => key.startsWith(resourcePrefix)) : []),
    ]),
  );
}

type Member = JsonValue | undefined;

/** Members in the order in which they are written, those without a value included. */
interface Members extends Readonly<Record<string, Member>> {
  readonly name: string;
  readonly links: JsonArray | undefined;
  readonly aws: JsonObject | undefined;
  readonly metadata: JsonObject | undefined;
  readonly namespace: string | undefined;
}

interface Written extends Omit<CollectorDocument, 'document'> {
  readonly members: Members;
}

/** As if the exporter did not know local roots. The sections run in its order, because each takes its attributes. */
function membersOf(span: Span, { rules, json }: CollectorPlan): Written {
  const view: CollectorView = { span, rest: new Map(span.attributes), json };
  const isSegment = isCollectorSegment(span);
  const resource = span.resource.attributes;
  const http = writeHttp(view);
  const { cause, exceptionIds } = writeCause(view);
  const aws = writeAws(view);
  const sql = writeSql(view);
  const { user, annotations, metadata, renames } = writeAttributes(view, {
    index: rules.annotations,
    withResource: isSegment,
  });
  const members: Members = {
    name: writeName(span),
    id: span.spanId,
    start_time: toSeconds(span.startTimeNs),
    service: writeService(resource),
    origin: writeOrigin(resource),
    user,
    links: writeLinks(span.links),
    trace_id: toXrayTraceId(span.traceId),
    end_time: toSeconds(span.endTimeNs),
    http,
    ...collectorFlagsOf(span),
    cause,
    aws,
    annotations,
    metadata,
    namespace: writeNamespace(span),
    parent_id: span.parentSpanId,
    type: isSegment ? undefined : 'subsegment',
    sql,
  };
  return { members, renames, exceptionIds };
}

function toDocument(members: Members): JsonObject {
  const document = new Map<string, JsonValue>();
  addMembers(document, members);
  return document;
}

/** A double of seconds, which holds some 240 ns; a time that none holds within OTLP's range stays exact. */
function toSeconds(timeNs: bigint): JsonNumber {
  const seconds = doubleToJson(Number(timeNs) / 1e9);
  return parseTime(seconds.literal) === undefined ? { literal: secondsText(timeNs) } : seconds;
}

/** The exporter refuses the whole span for one link with an id that is none; here that link is left out. */
function writeLinks(links: readonly SpanLink[]): JsonArray | undefined {
  const shown = links.filter(isShownLink).map((link): JsonObject => {
    const object = new Map<string, JsonValue>([
      ['trace_id', toXrayTraceId(link.traceId)],
      ['id', link.spanId],
    ]);
    if (link.attributes.size > 0) object.set('attributes', toCollectorJson(link.attributes));
    return object;
  });
  return shown.length === 0 ? undefined : shown;
}
