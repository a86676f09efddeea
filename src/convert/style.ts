import type { JsonObject, JsonValue } from '../model/index.ts';
import { isJsonObject } from '../model/index.ts';
import type { Semconv } from './generations.ts';

/**
 * How the span of a foreign document is worded. The span's residual tells it, so that the document
 * comes back whatever the wording was.
 */
export interface SpanStyle {
  readonly nameStyle: NameStyle;
  readonly semconv: Semconv;
  /** The span names its X-Ray ids: `aws.xray.trace_id` and `aws.xray.segment_id`. */
  readonly showsTraceContext: boolean;
  /** The service that a subsegment sent alone belongs to, when it is known. */
  readonly service: string | undefined;
}

/** A span is named by what it did, `GET /cart`, or as its segment is, `shop`. */
export type NameStyle = 'operation' | 'segment';

/** What a residual says nothing of. */
export const plainStyle: SpanStyle = {
  nameStyle: 'operation',
  semconv: 'stable',
  showsTraceContext: false,
  service: undefined,
};

/** Where it is not the plain one: `{"n": name style, "c": conventions, "t": true, "s": service}`. */
export function writeStyle(style: SpanStyle): JsonObject | undefined {
  const members = new Map<string, JsonValue>();
  if (style.nameStyle !== plainStyle.nameStyle) members.set('n', style.nameStyle);
  if (style.semconv !== plainStyle.semconv) members.set('c', style.semconv);
  if (style.showsTraceContext) members.set('t', true);
  if (style.service !== undefined) members.set('s', style.service);
  return members.size === 0 ? undefined : members;
}

/** The inverse of writeStyle; members of a wrong shape are as good as absent. */
export function readStyle(members: JsonValue | undefined): SpanStyle {
  if (!isJsonObject(members)) return plainStyle;
  const semconv = members.get('c');
  const service = members.get('s');
  return {
    nameStyle: members.get('n') === 'segment' ? 'segment' : 'operation',
    semconv: semconv === 'legacy' || semconv === 'both' ? semconv : 'stable',
    showsTraceContext: members.get('t') === true,
    service: typeof service === 'string' ? service : undefined,
  };
}
