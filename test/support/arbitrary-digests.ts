import * as fc from 'fast-check';
import type {
  AttributeDigest,
  AttributeValueDigest,
  CallDigest,
  RequestDigest,
  RootCause,
  SearchedValue,
  SegmentDigest,
  ServiceName,
  TraceDigest,
  TraceSummary,
} from '../../src/model/index.ts';

/**
 * Digests of any content, from small pools so that filters find some of them. They keep what digests
 * promise: services that segments and calls name are among those of the summary, and texts are whole
 * Unicode, because spans and documents are UTF-8.
 */

/** Texts that a comparison, a binding or an escape may get wrong. */
export const oddTexts = [
  '',
  'a',
  'A',
  'ab',
  'aba',
  'a=b',
  '=',
  '"',
  '\\',
  '\\"',
  "it's",
  '{filter0:String}',
  'a\nb\tc\rd',
  '\0',
  '\b\f\u001b',
  'é',
  'e\u0301',
  '日本',
  '😀',
  '\uFFFD',
  '%',
  '\\N',
  'true',
  'false',
  'null',
  'NaN',
  'Infinity',
  '0',
  '-0',
  '1',
  '1.0',
  ' 12 ',
  '0x10',
  '1e21',
  '0.1',
  '__proto__',
  'constructor',
] as const;

const oddNumbers = [
  0,
  -0,
  1,
  -1,
  12,
  16,
  0.1,
  0.1 + 0.2,
  1e21,
  1e-7,
  5e-324,
  Number.MAX_VALUE,
  2 ** 53,
  2 ** 64,
  200,
  404,
  0.5,
] as const;

const oddKeys = [
  'user.id',
  'user_id',
  'user-id',
  'a',
  'b',
  'a=b',
  'a b',
  '1',
  '',
  'ключ',
  '____',
  '😀',
  '"]',
  '__proto__',
] as const;

export const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...oddTexts) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
);

export const anyNumber = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...oddNumbers) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
);

export const anyKey = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...oddKeys) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
);

const searchedValue: fc.Arbitrary<SearchedValue> = fc.oneof(anyText, anyNumber, fc.boolean());

const attributeValue: fc.Arbitrary<AttributeValueDigest> = fc.record({ key: anyKey, value: searchedValue });

function perhaps<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.option(value, { nil: undefined });
}

const service: fc.Arbitrary<ServiceName> = fc.record({
  name: fc.constantFrom('shop', 'price', 'carts', '', 'a"b'),
  type: fc.constantFrom(undefined, '', 'client', 'AWS::DynamoDB::Table', 'remote'),
  accountId: fc.constantFrom(undefined, undefined, '', '111122223333'),
});

/** Some of them half a millisecond apart, where rounding turns. */
const startNs = fc.oneof(fc.constantFrom(1n, 1_700_000_000_000_000_000n), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }));
const tookNs = fc.oneof(
  fc.constantFrom(-1n, 0n, 499_999n, 500_000n, 500_001n, 1_000_000n, 100_000_000n, 2_500_000_000n),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
);

const request: fc.Arbitrary<RequestDigest> = fc
  .record({ fault: fc.boolean(), error: fc.boolean(), throttle: fc.boolean(), startNs, tookNs: perhaps(tookNs) })
  .map(({ startNs: startTimeNs, tookNs: took, ...flags }) => ({
    ...flags,
    startTimeNs,
    endTimeNs: took === undefined ? undefined : clampTime(startTimeNs + took),
  }));

/** What a row can hold: an end of 0 would be one in progress. */
function clampTime(timeNs: bigint): bigint {
  const timeMax = 2n ** 64n - 1n;
  if (timeNs < 1n) return 1n;
  return timeNs > timeMax ? timeMax : timeNs;
}

const segment: fc.Arbitrary<SegmentDigest> = fc
  .tuple(
    request,
    fc.record({
      service,
      partial: fc.boolean(),
      inferred: fc.boolean(),
      root: fc.boolean(),
      durationMs: fc.oneof(fc.constantFrom(0, 1, 100, 2500), fc.nat()),
    }),
  )
  .map(([flags, rest]) => ({ ...flags, ...rest }));

const call: fc.Arbitrary<CallDigest> = fc
  .tuple(
    request,
    fc.record({
      from: service,
      to: service,
      client: fc.boolean(),
      annotations: fc.array(attributeValue, { maxLength: 3 }),
    }),
  )
  .map(([flags, rest]) => ({ ...flags, ...rest }));

function rootCause(kind: 'flag' | 'time'): fc.Arbitrary<RootCause> {
  const exceptions = fc.array(fc.record({ name: anyText, message: anyText }), { maxLength: 2 });
  const entity = fc.record({
    name: fc.constantFrom('shop', 'price', 'carts', ''),
    remote: fc.boolean(),
    exceptions: kind === 'flag' ? exceptions : fc.constant([]),
    coverage: kind === 'flag' ? fc.constant(undefined) : fc.constantFrom(0, 0.1, 0.5, 0.333, 1),
  });
  return fc.record({
    services: fc.array(fc.record({ service, inferred: fc.boolean(), entities: fc.array(entity, { maxLength: 2 }) }), {
      maxLength: 3,
    }),
    clientImpacting: fc.boolean(),
  });
}

const texts = fc.array(anyText, { maxLength: 2 });

const summary: fc.Arbitrary<Omit<TraceSummary, 'services' | 'traceId'>> = fc.record({
  startTimeNs: startNs,
  duration: fc.constantFrom(0, 0.001, 0.1, 2.5, 4),
  responseTime: perhaps(fc.constantFrom(0, 0.1, 2.5)),
  fault: fc.boolean(),
  error: fc.boolean(),
  throttle: fc.boolean(),
  partial: fc.boolean(),
  http: fc.record({
    url: perhaps(anyText),
    status: perhaps(anyNumber),
    method: perhaps(anyText),
    userAgent: perhaps(anyText),
    clientIp: perhaps(anyText),
  }),
  annotations: fc.constant(new Map()),
  users: fc.array(fc.record({ user: anyText, services: fc.constant([]) }), { maxLength: 2 }),
  entryPoint: perhaps(service),
  resourceArns: texts,
  instanceIds: texts,
  availabilityZones: texts,
  faultRootCauses: fc.array(rootCause('flag'), { maxLength: 2 }),
  errorRootCauses: fc.array(rootCause('flag'), { maxLength: 2 }),
  responseTimeRootCauses: fc.array(rootCause('time'), { maxLength: 1 }),
});

export const anyDigest: fc.Arbitrary<TraceDigest> = fc
  .record({
    traceId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    summary,
    services: fc.array(service, { maxLength: 2 }),
    inferred: fc.boolean(),
    accountIds: texts,
    segments: fc.array(segment, { maxLength: 4 }),
    calls: fc.array(call, { maxLength: 3 }),
    attributes: fc.array(fc.record({ attribute: attributeValue, owner: perhaps(fc.nat({ max: 3 })) }), {
      maxLength: 8,
    }),
  })
  .map(({ services, attributes, ...digest }) => ({
    ...digest,
    summary: {
      ...digest.summary,
      traceId: digest.traceId,
      services: [
        ...services,
        ...digest.segments.map((one) => one.service),
        ...digest.calls.flatMap(({ from, to }) => [from, to]),
      ],
    },
    sends: [],
    receives: [],
    attributes: attributes.map(({ attribute, owner }): AttributeDigest => ({
      ...attribute,
      segment: owner !== undefined && owner < digest.segments.length ? owner : undefined,
    })),
  }));
