import * as fc from 'fast-check';
import type {
  Attributes,
  AttributeValue,
  EntityRef,
  Resource,
  Scope,
  Span,
  SpanEvent,
  SpanLink,
} from '../../src/model/index.ts';

/**
 * Spans for property tests, over the whole model: every field, keys such as `__proto__`, text beyond
 * the basic plane, int64 extremes, NaN, infinities and -0, bytes, and empty and nested values.
 */

const uint32 = fc.nat({ max: 0xffff_ffff });
/** Mostly zero, as in real spans. */
const count = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, uint32);
const text = fc.string({ unit: 'binary', maxLength: 60 });
const timeNs = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const key = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('http.request.method', 'url.full', '__proto__', 'constructor', '') },
  text,
);

export const arbitraryTraceId: fc.Arbitrary<string> = hexId(16);
export const arbitrarySpanId: fc.Arbitrary<string> = hexId(8);

const valuesOfAnyDepth = fc.letrec<{ value: AttributeValue; list: readonly AttributeValue[]; map: Attributes }>(
  (tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.boolean(),
      int64,
      fc.maxSafeInteger().map(BigInt),
      fc.double(),
      fc.maxSafeInteger(),
      fc.uint8Array({ maxLength: 20 }),
      fc.constant(undefined),
      tie('list'),
      tie('map'),
    ),
    list: fc.array(tie('value'), { maxLength: 4 }),
    map: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((pairs) => new Map(pairs)),
  }),
);

export const arbitraryAttributeValue: fc.Arbitrary<AttributeValue> = valuesOfAnyDepth.value;
export const arbitraryAttributes: fc.Arbitrary<Attributes> = fc
  .array(fc.tuple(key, arbitraryAttributeValue), { maxLength: 8 })
  .map((pairs) => new Map(pairs));

const entityRef: fc.Arbitrary<EntityRef> = plainRecord({
  schemaUrl: text,
  type: text,
  idKeys: fc.array(text, { maxLength: 3 }),
  descriptionKeys: fc.array(text, { maxLength: 3 }),
});

export const arbitraryResource: fc.Arbitrary<Resource> = plainRecord({
  attributes: arbitraryAttributes,
  droppedAttributesCount: count,
  schemaUrl: text,
  entityRefs: fc.array(entityRef, { maxLength: 2 }),
});

export const arbitraryScope: fc.Arbitrary<Scope> = plainRecord({
  name: text,
  version: text,
  attributes: arbitraryAttributes,
  droppedAttributesCount: count,
  schemaUrl: text,
});

const event: fc.Arbitrary<SpanEvent> = plainRecord({
  timeNs,
  name: text,
  attributes: arbitraryAttributes,
  droppedAttributesCount: count,
});

const link: fc.Arbitrary<SpanLink> = plainRecord({
  traceId: arbitraryTraceId,
  spanId: arbitrarySpanId,
  traceState: text,
  flags: count,
  attributes: arbitraryAttributes,
  droppedAttributesCount: count,
});

/** A span without its resource and scope. */
const ownPart: fc.Arbitrary<Omit<Span, 'resource' | 'scope'>> = plainRecord({
  traceId: arbitraryTraceId,
  spanId: arbitrarySpanId,
  parentSpanId: fc.option(arbitrarySpanId, { nil: undefined }),
  traceState: text,
  flags: count,
  name: text,
  kind: fc.oneof(fc.nat({ max: 5 }), fc.integer()),
  startTimeNs: timeNs,
  endTimeNs: fc.oneof(timeNs, fc.constant(0n)),
  attributes: arbitraryAttributes,
  droppedAttributesCount: count,
  events: fc.array(event, { maxLength: 3 }),
  droppedEventsCount: count,
  links: fc.array(link, { maxLength: 3 }),
  droppedLinksCount: count,
  status: plainRecord({ code: fc.nat({ max: 2 }), message: text }),
});

export const arbitrarySpan: fc.Arbitrary<Span> = fc
  .tuple(ownPart, arbitraryResource, arbitraryScope)
  .map(([span, resource, scope]) => ({ ...span, resource, scope }));

/** Spans that share resources and scopes by identity and stand together by them, as decoded ones do. */
export const arbitrarySpans: fc.Arbitrary<readonly Span[]> = fc
  .array(
    fc.tuple(
      arbitraryResource,
      fc.array(fc.tuple(arbitraryScope, fc.array(ownPart, { minLength: 1, maxLength: 3 })), { maxLength: 2 }),
    ),
    { maxLength: 3 },
  )
  .map((resources) =>
    resources.flatMap(([resource, scopes]) =>
      scopes.flatMap(([scope, spans]) => spans.map((span) => ({ ...span, resource, scope }))),
    ),
  );

/** The model's objects are plain ones; fast-check's default mixes in objects without a prototype. */
function plainRecord<T>(model: { [Key in keyof T]: fc.Arbitrary<T[Key]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

function hexId(byteLength: number): fc.Arbitrary<string> {
  return fc
    .uint8Array({ minLength: byteLength, maxLength: byteLength })
    .filter((bytes) => bytes.some((byte) => byte !== 0))
    .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''));
}
