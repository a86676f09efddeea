import type { JsonObject, ServiceName, Trace } from '../model/index.ts';
import { isJsonObject, parseTraceId } from '../model/index.ts';
import { readList, readObject, readText } from './members.ts';
import { serviceKey } from './service.ts';

/** Links between traces, by the service whose segments carry them (`links` of segment documents). */
export interface LinkList {
  add(trace: Trace): void;
  /** At most `linksPerServiceMax`. */
  of(service: ServiceName): readonly TraceLinks[];
}

/** What links of one type lead to from one trace. Trace ids are 32 hex digits. */
export interface TraceLinks {
  /** `parent` or `child`; undefined for a link that does not say. */
  readonly type: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
}

/** API reference, RetrievedService. */
const linksPerServiceMax = 100;
/** X-Ray's quota for the links of one trace. */
const linksPerTraceMax = 100;

export function createLinkList(): LinkList {
  const services = new Map<string, Map<string, TraceLinks>>();
  return {
    add(trace) {
      for (const segment of trace.segments) {
        if (!segment.service) continue;
        for (const link of readLinks(segment.document)) {
          addLink(services, serviceKey(segment.service), { type: link.type, from: trace.traceId, to: [link.traceId] });
        }
      }
    },
    of: (service) => [...(services.get(serviceKey(service))?.values() ?? [])],
  };
}

/** One of the `links` of a document (X-Ray developer guide, "trace linking"; a span link of OpenTelemetry). */
export interface DocumentLink {
  /** 32 hex digits. */
  readonly traceId: string;
  /** Of the segment or subsegment there. */
  readonly id: string | undefined;
  /** `parent` or `child`; undefined for a link that does not say. */
  readonly type: string | undefined;
}

/** Those that name a trace. */
export function readLinks(document: JsonObject): readonly DocumentLink[] {
  return readList(document, 'links').flatMap((link) => {
    const traceId = isJsonObject(link) ? parseTraceId(readText(link, 'trace_id') ?? '') : undefined;
    if (traceId === undefined || !isJsonObject(link)) return [];
    const type = readText(readObject(link, 'attributes'), 'aws.xray.reserved.reference_type');
    return [{ traceId, id: readText(link, 'id'), type }];
  });
}

function addLink(services: Map<string, Map<string, TraceLinks>>, service: string, link: TraceLinks): void {
  const all = services.get(service) ?? new Map<string, TraceLinks>();
  services.set(service, all);
  const key = `${link.from} ${link.type}`;
  const known = all.get(key);
  if (!known && all.size === linksPerServiceMax) return;
  const to = [...new Set([...(known?.to ?? []), ...link.to])];
  all.set(key, { ...link, to: to.slice(0, linksPerTraceMax) });
}
