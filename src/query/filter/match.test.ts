import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { testSpan } from '../../../test/support/span.ts';
import { type AttributeDigest, type AttributeValue, attributesMax, type TraceDigest } from '../../model/index.ts';
import { shopTraces, timed, traceOf } from '../shop.fixture.test.ts';
import { digestTrace } from '../digest.ts';
import { matches } from './match.ts';
import { expressionTermsMax, parseFilter } from './parse.ts';

const groups = new Map([
  ['slow', parseFilter('responsetime > 2')],
  ['nested', parseFilter('group.name = "slow"')],
]);

/** Names of the traces that satisfy the expression. */
function found(expression: string): string {
  const filter = parseFilter(expression);
  return [...shopTraces]
    .filter(([, trace]) => matches(filter, digestTrace(trace, []), groups))
    .map(([name]) => name)
    .join(' ');
}

const all = [...shopTraces.keys()];
const allBut = (...names: string[]): string => all.filter((name) => !names.includes(name)).join(' ');

const examples: readonly (readonly [expression: string, traces: string])[] = [
  ['fault', 'broken deep local'],
  ['!ok', 'broken missing resize deep local'],
  ['ok = false', 'broken missing resize deep local'],
  ['error AND !throttle', 'missing resize'],
  ['throttle', 'broken'],
  ['partial', 'broken running'],
  ['responsetime > 2.5', 'slow'],
  ['duration >= 3 AND duration <= 9', 'slow'],
  ['ok !partial duration < 1', 'fine canary'],
  ['http.status = 404', 'missing'],
  ['http.status != 200', 'broken missing'],
  ['http.status >= 500 OR throttle', 'broken'],
  ['http.method = "POST"', 'slow'],
  ['http.url CONTAINS "/cart"', 'broken'],
  ['http.url BEGINSWITH "https://shop.example/"', 'broken fine slow missing'],
  ['http.url ENDSWITH ".json"', 'fine'],
  ['http.useragent CONTAINS "curl"', 'fine'],
  ['http.clientip = "198.51.100.7"', 'broken'],
  ['http.url AND responsetime > 2', 'slow'],
  ['user = "u-17"', 'broken missing'],
  ['user CONTAINS ""', 'broken slow missing'],
  ['!user', allBut('broken', 'slow', 'missing')],
  ['availabilityzone = "eu-west-1b"', 'slow'],
  ['instance.id = "i-0abc"', 'slow'],
  ['resource.arn ENDSWITH ":function:resize"', 'resize'],
  ['annotation.tenant = "acme"', 'broken'],
  ['annotation.items > 2', 'broken'],
  ['annotation.beta = true', 'fine'],
  ['annotation.beta', 'fine'],
  ['!annotation.tenant', allBut('broken', 'fine')],
  ['annotation.tenant BEGINSWITH "ac" AND annotation.items >= 1', 'broken fine'],
  ['annotation[aws.local.operation] = "GET /cart"', 'fine'],
  ['service("price.example")', 'broken slow missing'],
  ['!service("price.example")', allBut('broken', 'slow', 'missing')],
  ['service("price.example") { fault }', 'broken'],
  ['service() { fault = true OR throttle = true }', 'broken resize deep local'],
  ['service("price.example") { responsetime > 1 AND !error }', 'slow'],
  ['service("shop.example") { root = true and fault = true }', 'broken local'],
  ['service(id(type: "AWS::DynamoDB::Table")) { throttle }', 'broken'],
  ['service(id(name: "resize", type: "AWS::Lambda::Function")) { error }', 'resize'],
  ['service(id(account.id: "111122223333"))', 'resize'],
  ['edge("shop.example", "price.example")', 'broken slow missing'],
  ['edge("shop.example", "price.example") { error }', 'missing'],
  ['edge("shop.example", id(name: "carts", type: "AWS::DynamoDB::Table")) { responsetime > 0.2 }', 'slow'],
  ['edge(id(type: "client::Synthetics"), id(name: "shop.example"))', 'canary'],
  ['group.name = "slow" AND user = "u-18"', 'slow'],
  ['rootcause.fault.service { name = "price.example" }', 'broken'],
  ['rootcause.fault.exception { last and message = "bad gateway" }', 'broken'],
  ['rootcause.responsetime.entity { last and coverage > 0.8 }', 'slow'],
  ['rootcause.responsetime.entity { remote and coverage > 0.5 and name = "price.example" }', 'slow'],
  ['rootcause.fault.service { inferred and type = "AWS::DynamoDB" }', 'resize'],
  ['rootcause.fault.service { index > 3 }', 'deep'],
  [
    'rootcause.json = #[{"Services":[{"Name":"shop.example","EntityPath":[{"Name":"shop.example"},{"Name":"price.example"}]}]}]',
    'local',
  ],
  ['(service("a") OR service("b")) AND !fault', ''],
];

describe('the examples of the filter language', () => {
  for (const [expression, traces] of examples) {
    test(`${expression} finds ${traces || 'nothing'}`, () => assert.equal(found(expression), traces));
  }
});

describe('a filter', () => {
  test('reads keywords and connectors in any case', () => {
    assert.equal(found('FAULT and ResponseTime < 0.2 Or HTTP.Status = 404'), 'missing local');
  });

  test('takes a bare word for a text', () => {
    assert.equal(found('http.method = POST'), 'slow');
  });

  test('compares a number with the text of an annotation, and a text with its number', () => {
    const trace = traceOf([timed(0, 1, { id: 'a', name: 'n', annotations: { digits: '12', count: 12, zero: 0 } })]);
    const holds = (text: string): boolean => matches(parseFilter(text), digestTrace(trace, []));
    assert.ok(holds('annotation.digits > 11 AND annotation.digits = 12'));
    assert.ok(holds('annotation.count = "12" AND annotation.count BEGINSWITH "1"'));
    assert.ok(holds('annotation.zero'), 'a number is set even if it is 0');
    assert.ok(!holds('annotation.digits < 11 OR annotation.absent != "x"'));
  });

  test('finds attributes of spans, of their resources and annotations, by either name', () => {
    const spellings = [
      'annotation.user_id',
      'annotation[user.id]',
      'attributes.user_id',
      'attributes[user.id]',
      'attributes["user_id"]',
      'attributes["user.id"]',
    ];
    for (const key of ['user.id', 'user_id']) {
      const digests = [
        digestOf({ attributes: { [key]: 'u-17' } }),
        digestOf({ resource: { [key]: 'u-17' } }),
        digestOf({ annotations: { [key]: 'u-17' } }),
      ];
      for (const digest of digests) {
        for (const spelling of spellings) {
          const holds = (rest: string): boolean => matches(parseFilter(`${spelling}${rest}`), digest);
          assert.ok(holds(''), `${spelling} of ${key}`);
          assert.ok(holds(' = "u-17"') && holds(' != "u-18"') && holds(' CONTAINS "-1"'));
          assert.ok(matches(parseFilter(`service("n") { ${spelling} BEGINSWITH "u-" }`), digest));
          assert.ok(!matches(parseFilter(`!${spelling} OR service("n") { !${spelling} }`), digest));
        }
      }
    }
    const other = digestOf({ attributes: { 'user-id': 'u-17' } });
    assert.ok(matches(parseFilter('attributes.user_id'), other), 'an X-Ray name stands for all that come to it');
    assert.ok(!matches(parseFilter('attributes[user.id]'), other));
  });

  test('asks each value of a list, as it is typed', () => {
    const digest = digestOf({ attributes: { list: ['a', 'b'], whole: 12n, half: 0.5, no: false } });
    const holds = (text: string): boolean => matches(parseFilter(text), digest);
    assert.ok(holds('attributes.list = "a" AND attributes.list = "b" AND !attributes.list = "c"'));
    assert.ok(!holds('attributes.list != "a"'));
    assert.ok(holds('attributes.whole >= 12 attributes.half < 1 attributes.no = false !attributes.no'));
    assert.ok(holds('attributes.absent OR (attributes.whole AND !(attributes.half > 1))'));
  });

  test('takes an empty type for one that is not known', () => {
    const digest = digestOf({});
    const [segment = assert.fail()] = digest.segments;
    const untyped = { ...digest, segments: [{ ...segment, service: { ...segment.service, type: '' } }] };
    for (const same of [digest, untyped]) {
      assert.ok(matches(parseFilter('service(id(name: "n", type: "")) { !type }'), same));
      assert.ok(!matches(parseFilter('service() { type = "" OR type != "x" }'), same));
    }
  });

  test('looks at the annotations of the one service inside a service block', () => {
    assert.equal(found('service("shop.example") { annotation.tenant = "acme" }'), 'broken');
    assert.equal(found('service("carts") { annotation.tenant = "acme" }'), '');
  });

  test('asks several conditions of a block of the same segment', () => {
    assert.equal(found('service() { throttle AND responsetime < 0.1 }'), 'broken');
    assert.equal(found('service() { throttle AND fault }'), '');
  });

  test('does not find handled errors of callees by the trace keyword, but does in a service block', () => {
    assert.equal(found('error'), 'missing resize');
    assert.equal(found('service() { error }'), 'broken missing resize');
  });

  test('counts the client among the services and its call among the edges', () => {
    assert.equal(found('service(id(type: "client", name: "resize"))'), 'resize');
    assert.equal(found('edge(id(type: "client"), ) { fault }'), 'broken deep local');
    assert.equal(found('edge(, "carts")'), 'broken slow');
  });

  test('is false for a group that nobody defined, and for a group inside a group', () => {
    assert.equal(found('group.name = "unknown"'), '');
    assert.equal(found('group.name != "unknown"'), '');
    assert.equal(found('group.name = "nested"'), '');
    assert.equal(found('group.arn = "arn:aws:xray:eu-west-1:1:group/slow/ABC"'), 'slow');
    assert.equal(found('group.name != "slow"'), allBut('slow'));
  });

  test('holds a JSON root cause by list length and by every member given', () => {
    assert.equal(found('rootcause.json = #[{"Services":[{"Name":"shop.example"}]}]'), 'local');
    assert.equal(found('rootcause.json = #[{"ClientImpacting":true,"Unknown":1}]'), '');
    assert.equal(
      found('rootcause.json = #[{"Services":[{"Name":"shop.example"},{"Inferred":true,"Type":"remote"}]}]'),
      'broken slow missing',
    );
  });

  test('does not stumble over keys of the language', () => {
    const trace = traceOf([timed(0, 1, { id: 'a', name: 'n' })]);
    for (const key of ['__proto__', 'constructor', 'toString']) {
      assert.equal(matches(parseFilter(`annotation[${key}]`), digestTrace(trace, [])), false);
    }
    assert.equal(matches(parseFilter('rootcause.json = #[{"constructor":{}}]'), digestTrace(trace, [])), false);
  });
});

test('the longest filter reads each attribute of the largest trace a few times only', () => {
  const reads = new Map<PropertyKey, number>();
  const digest = digestOf({});
  const [segment = assert.fail()] = digest.segments;
  const counting: ProxyHandler<AttributeDigest> = {
    get(attribute, name) {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return Reflect.get(attribute, name);
    },
  };
  const segments = Array.from({ length: 1000 }, () => segment);
  const attributes = Array.from({ length: attributesMax }, (_, index) => {
    const attribute = { key: `key.${index % 10}`, value: index, segment: index % segments.length };
    return new Proxy(attribute, counting);
  });
  const term = (index: number): string => `annotation.key_${index % 10} = "x" OR annotation[key.${index % 10}] = "y"`;
  const terms = Array.from({ length: 49 }, (_, index) => term(index)).join(' OR ');
  const filter = parseFilter(`(${terms}) AND !fault OR service() { ${terms} }`);

  assert.ok(!matches(filter, { ...digest, segments, attributes }));
  assert.ok(JSON.stringify(filter).split('"annotation"').length > expressionTermsMax * 0.9);
  // Once to find its segment, and by both its names in the trace and in the segment.
  assert.equal(reads.get('segment'), attributesMax);
  assert.equal(reads.get('key'), 4 * attributesMax);
});

interface Parts {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly resource?: Readonly<Record<string, AttributeValue>>;
  readonly annotations?: Readonly<Record<string, unknown>>;
}

/** A trace of one segment and its span. */
function digestOf({ attributes = {}, resource = {}, annotations = {} }: Parts): TraceDigest {
  const span = testSpan({
    spanId: '53995c3f42cd8ad8',
    attributes: new Map(Object.entries(attributes)),
    resource: { ...testSpan().resource, attributes: new Map(Object.entries(resource)) },
  });
  return digestTrace(traceOf([timed(0, 1, { id: span.spanId, name: 'n', annotations })]), [span]);
}
