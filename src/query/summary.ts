import type {
  AnnotationSummary,
  JsonObject,
  JsonValue,
  SegmentNode,
  ServiceName,
  Trace,
  TraceHttp,
  TraceSummary,
  UserSummary,
} from '../model/index.ts';
import { secondsBetween } from './durations.ts';
import { readNumber, readObject, readText, toNumber } from './members.ts';
import { flagRootCauses, responseTimeRootCauses } from './root-causes.ts';
import { clientOf, serviceKey } from './service.ts';
import { eachNode } from './walk.ts';

/** X-Ray's quota: indexed annotations per trace. Further keys stay visible in the documents. */
const annotationKeysMax = 50;

/**
 * What a search list shows of a trace (GetTraceSummaries). Faults, errors and HTTP are those of the
 * root segment alone; a throttle counts wherever it happened.
 */
export function summarise(trace: Trace): TraceSummary {
  const { root } = trace;
  return {
    traceId: trace.traceId,
    startTimeNs: trace.startTimeNs,
    duration: secondsBetween(trace.startTimeNs, trace.endTimeNs),
    responseTime: root?.endTimeNs === undefined ? undefined : secondsBetween(root.startTimeNs, root.endTimeNs),
    fault: root?.fault ?? false,
    error: root?.error ?? false,
    throttle: eachNode(trace.segments).some(({ throttle }) => throttle),
    partial: trace.partial,
    http: httpOf(root),
    annotations: collectAnnotations(trace),
    users: collectUsers(trace),
    services: distinctServices([clientOf(root), ...trace.segments.map(({ service }) => service)]),
    entryPoint: root?.service,
    ...collectResources(trace),
    faultRootCauses: flagRootCauses(trace, 'fault'),
    errorRootCauses: flagRootCauses(trace, 'error'),
    responseTimeRootCauses: responseTimeRootCauses(trace),
  };
}

function httpOf(root: SegmentNode | undefined): TraceHttp {
  const http = readObject(root?.document, 'http');
  const request = readObject(http, 'request');
  return {
    url: readText(request, 'url'),
    status: readNumber(readObject(http, 'response'), 'status'),
    method: readText(request, 'method'),
    userAgent: readText(request, 'user_agent'),
    clientIp: readText(request, 'client_ip'),
  };
}

/** By key, each distinct value with the services that hold it. */
function collectAnnotations(trace: Trace): TraceSummary['annotations'] {
  const byKey = new Map<string, Map<AnnotationSummary['value'], ServiceSet>>();
  for (const segment of trace.segments) {
    for (const [key, value] of annotationsOf([segment])) {
      if (!byKey.has(key) && byKey.size === annotationKeysMax) continue;
      addService(entryOf(entryOf(byKey, key), value), segment.service);
    }
  }
  return new Map(
    [...byKey].map(([key, values]) => [
      key,
      [...values].map(([value, services]) => ({ value, services: [...services.values()] })),
    ]),
  );
}

/** Annotations of these nodes and of all embedded in them. Only texts, numbers and booleans count. */
export function annotationsOf(
  nodes: readonly SegmentNode[],
): readonly (readonly [key: string, value: AnnotationSummary['value']])[] {
  const found: (readonly [string, AnnotationSummary['value']])[] = [];
  for (const { document } of eachNode(nodes)) {
    const annotations = readObject(document, 'annotations');
    if (!annotations) continue;
    for (const [key, json] of annotations) {
      const value = toAnnotationValue(json);
      if (value !== undefined) found.push([key, value]);
    }
  }
  return found;
}

function toAnnotationValue(json: JsonValue): AnnotationSummary['value'] | undefined {
  return typeof json === 'string' || typeof json === 'boolean' ? json : toNumber(json);
}

function collectUsers(trace: Trace): readonly UserSummary[] {
  const byUser = new Map<string, ServiceSet>();
  for (const segment of trace.segments) {
    for (const { document } of eachNode([segment])) {
      const user = readText(document, 'user');
      if (user !== undefined) addService(entryOf(byUser, user), segment.service);
    }
  }
  return [...byUser].map(([user, services]) => ({ user, services: [...services.values()] }));
}

function distinctServices(services: readonly (ServiceName | undefined)[]): readonly ServiceName[] {
  const distinct: ServiceSet = new Map();
  for (const service of services) addService(distinct, service);
  return [...distinct.values()];
}

/** Services by key. */
type ServiceSet = Map<string, ServiceName>;

function addService(services: ServiceSet, service: ServiceName | undefined): void {
  if (service) services.set(serviceKey(service), service);
}

/** The inner map of a key; a new one when the key is new. */
function entryOf<Key, InnerKey, Value>(maps: Map<Key, Map<InnerKey, Value>>, key: Key): Map<InnerKey, Value> {
  const known = maps.get(key);
  if (known) return known;
  const inner = new Map<InnerKey, Value>();
  maps.set(key, inner);
  return inner;
}

/** Each once, in the order of the segments. */
function collectResources({
  segments,
}: Trace): Pick<TraceSummary, 'resourceArns' | 'instanceIds' | 'availabilityZones'> {
  const resourceArns = new Set<string>();
  const instanceIds = new Set<string>();
  const availabilityZones = new Set<string>();
  for (const { document } of segments) {
    addText(resourceArns, document, 'resource_arn');
    const aws = readObject(document, 'aws');
    if (!aws) continue;
    const ec2 = readObject(aws, 'ec2');
    addText(instanceIds, ec2, 'instance_id');
    addText(availabilityZones, ec2, 'availability_zone');
    addText(availabilityZones, readObject(aws, 'ecs'), 'availability_zone');
  }
  return {
    resourceArns: [...resourceArns],
    instanceIds: [...instanceIds],
    availabilityZones: [...availabilityZones],
  };
}

function addText(texts: Set<string>, object: JsonObject | undefined, name: string): void {
  const text = readText(object, name);
  if (text !== undefined) texts.add(text);
}
