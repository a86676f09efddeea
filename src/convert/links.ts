import type { AttributeValue, Attributes, JsonArray, JsonValue, SpanLink } from '../model/index.ts';
import {
  isJsonObject,
  isSpanId,
  isTraceId,
  parseSpanId,
  parseTraceId,
  SpanKind,
  toXrayTraceId,
} from '../model/index.ts';
import type { DocumentView, Place, SpanView } from './section.ts';
import { listAt, placeAt, pointerTo, rootPlace } from './section.ts';
import { attributesToJson, fromJsonWithin } from './values.ts';

/** `links` (AWS X-Ray developer guide, "linked traces") ↔ the span's links. */

export function writeLinks(
  { span, form }: SpanView,
  { marksParentLinks }: { readonly marksParentLinks: boolean },
): JsonArray | undefined {
  const isMarked = marksParentLinks && form === 'segment' && span.kind === SpanKind.consumer;
  const links = span.links.filter(isShownLink).map((link) => linkToJson(isMarked ? parentLink(link) : link));
  return links.length === 0 ? undefined : links;
}

/** The attribute by which AWS's own links lead from a consumer to what it consumes. */
const referenceAttribute = 'aws.xray.reserved.reference_type';

function parentLink(link: SpanLink): SpanLink {
  return {
    ...link,
    attributes: new Map<string, AttributeValue>([[referenceAttribute, 'parent'], ...link.attributes]),
  };
}

/** X-Ray refuses a whole document for one link with an id that is none, so such a link stays in the envelope. */
export function isShownLink(link: SpanLink): boolean {
  return isTraceId(link.traceId) && isSpanId(link.spanId);
}

function linkToJson(link: SpanLink): JsonValue {
  const object = new Map<string, JsonValue>([
    ['trace_id', toXrayTraceId(link.traceId)],
    ['id', link.spanId],
  ]);
  if (link.attributes.size > 0) object.set('attributes', attributesToJson(link.attributes));
  return object;
}

/** A link without usable ids costs that link. */
export function readLinks(view: DocumentView): readonly SpanLink[] {
  const root = rootPlace(view);
  const list = listAt(view, root, 'links') ?? [];
  return list.flatMap((value, i) => {
    const pointer = `${pointerTo(root, 'links')}/${i}`;
    const place = isJsonObject(value) ? { object: value, pointer } : undefined;
    const traceId = parseTraceId(textIn(place, 'trace_id'));
    const spanId = parseSpanId(textIn(place, 'id'));
    if (!traceId || !spanId) {
      view.report(pointer, 'expected a link with a trace id and a segment id');
      return [];
    }
    return [linkOf(traceId, spanId, readAttributes(view, placeAt(view, place, 'attributes')))];
  });
}

function readAttributes(view: DocumentView, place: Place | undefined): Attributes {
  const attributes = new Map<string, AttributeValue>();
  for (const [key, json] of place?.object ?? []) {
    const value = fromJsonWithin(json, (reason) => view.report(pointerTo(place ?? rootPlace(view), key), reason));
    if (value !== undefined || json === null) attributes.set(key, value);
  }
  return attributes;
}

/** What is no text is told with the link that it spoils. */
function textIn(place: Place | undefined, name: string): string {
  const value = place?.object.get(name);
  return typeof value === 'string' ? value : '';
}

function linkOf(traceId: string, spanId: string, attributes: Attributes): SpanLink {
  return { traceId, spanId, traceState: '', flags: 0, attributes, droppedAttributesCount: 0 };
}
