import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diagnose } from './diagnose.ts';
import type { Finding } from './finding.ts';
import { brokenShop, shopTraces, startTime, timed, traceOf } from '../shop.fixture.test.ts';

const nowNs = BigInt(startTime + 60) * 1_000_000_000n;
type Members = Readonly<Record<string, unknown>>;

function findings(documents: readonly Members[], atNs = nowNs): readonly Finding[] {
  return diagnose(traceOf(documents), atNs);
}

/** The only finding. */
function finding(documents: readonly Members[], atNs = nowNs): Finding {
  const [only, ...more] = findings(documents, atNs);
  assert.ok(only && more.length === 0, JSON.stringify([only, ...more]));
  return only;
}

const shop = (members: Members = {}) => timed(0, 1, { id: 'a000000000000001', name: 'shop', ...members });
const call = (id: string, members: Members = {}) =>
  timed(0.1, 0.2, { id, name: 'price', namespace: 'remote', ...members });
const price = (members: Members = {}) => timed(0.12, 0.1, { id: 'b000000000000001', name: 'price', ...members });

describe('the doctor', () => {
  test('finds nothing in traces that are whole', () => {
    assert.deepEqual(findings([shop()]), []);
    assert.deepEqual(findings([shop({ subsegments: [call('c1')] }), price({ parent_id: 'c1' })]), []);
    for (const name of ['fine', 'slow', 'missing', 'resize', 'deep']) {
      const trace = shopTraces.get(name);
      assert.ok(trace);
      assert.deepEqual(diagnose(trace, nowNs), [], name);
    }
  });

  test('names a parent that never came, once for all of its children', () => {
    const found = finding([
      price({ parent_id: 'lost' }),
      price({ id: 'b000000000000002', name: 'stock', parent_id: 'lost' }),
    ]);
    assert.equal(found.code, 'PARENT_MISSING');
    assert.equal(found.title, 'The caller of price and stock never came');
    assert.match(found.evidence, /lost/);
    assert.match(found.fix, /parentbased/);
    assert.deepEqual(found.ids, ['b000000000000001', 'b000000000000002']);
  });

  test('sums up what is torn into many pieces', () => {
    const pieces = (count: number) =>
      Array.from({ length: count }, (_, index) => price({ id: `p${index}`, parent_id: `lost${index}` }));
    assert.equal(findings(pieces(10)).length, 10);
    const many = findings(pieces(500));
    assert.equal(many.length, 10);
    assert.equal(many.at(-1)?.title, '491 more findings like this: The caller of price never came');
    assert.equal(many.at(-1)?.ids.length, 20);
  });

  test('tells what stood in front when the request says so', () => {
    const cases: readonly (readonly [Members, string])[] = [
      [{ aws: { api_gateway: { stage: 'prod' } } }, 'API Gateway'],
      [{ http: { request: { user_agent: 'AmazonAPIGateway_abc' } } }, 'API Gateway'],
      [{ http: { request: { url: 'https://x1.execute-api.eu-west-1.amazonaws.com/prod' } } }, 'API Gateway'],
      [{ http: { request: { url: 'https://x1.appsync-api.eu-west-1.amazonaws.com/graphql' } } }, 'AppSync'],
    ];
    for (const [members, front] of cases) {
      const found = finding([price({ parent_id: 'lost', ...members })]);
      assert.match(found.evidence, new RegExp(`came through ${front}`));
      assert.match(found.fix, /awsxray_poller/);
    }
  });

  test('knows what stands in front and writes nothing', () => {
    const cases: readonly (readonly [Members, string])[] = [
      [{ user_agent: 'Amazon CloudFront' }, 'CloudFront'],
      [{ url: 'http://shop-1234.eu-west-1.elb.amazonaws.com/prices' }, 'a load balancer'],
      [{ user_agent: 'ELB-HealthChecker/2.0' }, 'a load balancer'],
      [{ x_forwarded_for: true, client_ip: '198.51.100.7' }, 'a proxy or load balancer'],
    ];
    for (const [request, front] of cases) {
      const found = finding([price({ parent_id: 'lost', http: { request } })]);
      assert.ok(found.evidence.endsWith(`The request came through ${front}.`), found.evidence);
      assert.ok(found.fix.startsWith(`What passes requests on like ${front} writes no segments`), found.fix);
    }
  });

  test("knows Lambda's own segment", () => {
    const found = finding([price({ parent_id: 'lost', origin: 'AWS::Lambda::Function' })]);
    assert.equal(found.code, 'LAMBDA_SEGMENT_MISSING');
  });

  test('knows subsegments without their segment', () => {
    const found = finding([price({ parent_id: 'lost', type: 'subsegment' })]);
    assert.equal(found.code, 'PARENT_MISSING');
    assert.match(found.title, /The segment around the subsegment price never came/);
  });

  test('finds several roots', () => {
    const found = finding([shop(), price()]);
    assert.equal(found.code, 'SEVERAL_ROOTS');
    assert.equal(found.evidence, 'shop and price have no parent, though they share the id of the trace.');
    assert.match(found.fix, /OTEL_PROPAGATORS=xray,tracecontext/);
  });

  test('finds a service that did not read the header of its caller', () => {
    const found = finding([shop({ subsegments: [call('c1')] }), price()]);
    assert.deepEqual([found.code, found.severity], ['PROPAGATION_MIXED', 'problem']);
    assert.equal(found.title, 'price did not see who called');
    assert.match(found.evidence, /while the call c1 to price waited/);
    assert.match(found.fix, /OTEL_PROPAGATORS=xray,tracecontext/);
    assert.deepEqual(found.ids, ['b000000000000001', 'c1']);

    const url = 'https://price.internal:8443/v1';
    const byHost = [
      shop({ subsegments: [call('c1', { name: 'price.internal', http: { request: { url } } })] }),
      price({ http: { request: { url: 'https://PRICE.internal:8443/v1?id=1' } } }),
    ];
    assert.equal(finding(byHost).code, 'PROPAGATION_MIXED');
    const late = timed(0.31, 0.1, { id: 'b000000000000001', name: 'price' });
    assert.deepEqual(
      findings([shop({ subsegments: [call('c1')] }), late]).map(({ code }) => code),
      ['SEVERAL_ROOTS', 'CALLEE_MISSING'],
      'the call was over',
    );
  });

  test('finds an X-Ray SDK adrift in a trace that OpenTelemetry began', () => {
    const randomId = 'f0e1d2c3b4a5968778695a4b3c2d1e0f';
    const xray = { aws: { xray: { sdk: 'X-Ray for Node.js' } } };
    const codes = (documents: readonly Members[], id?: string) =>
      diagnose(traceOf(documents, id), nowNs).map(({ code }) => code);
    const adrift = [shop(), price({ parent_id: 'lost', ...xray })];
    assert.deepEqual(codes(adrift, randomId), ['PARENT_MISSING', 'PROPAGATION_MIXED']);
    assert.deepEqual(codes(adrift), ['PARENT_MISSING'], 'an id that begins with the time');
    assert.deepEqual(codes([shop(), price({ parent_id: 'lost' })], randomId), ['PARENT_MISSING'], 'another SDK');
    assert.deepEqual(
      codes([shop({ subsegments: [call('c1')] }), price({ parent_id: 'c1', ...xray })], randomId),
      [],
      'the id alone breaks nothing',
    );
  });

  test('finds callees that should have answered', () => {
    assert.equal(finding([brokenShop]).code, 'CALLEE_MISSING', 'the caller says that it is traced');
    const answeredOnce = [shop({ subsegments: [call('c1'), call('c2')] }), price({ parent_id: 'c1' })];
    const found = finding(answeredOnce);
    assert.equal(found.code, 'CALLEE_MISSING', 'the callee answers other calls');
    assert.deepEqual(found.ids, ['c2']);
    assert.deepEqual(findings([shop({ subsegments: [call('c1')] })]), [], 'a callee that is never traced');
  });

  test('finds clocks that differ, and by how much', () => {
    const skewed = (at: number) => [
      shop({ subsegments: [call('c1')] }),
      timed(at, 0.1, { id: 'b000000000000001', name: 'price', parent_id: 'c1' }),
    ];
    const found = finding(skewed(-0.15));
    assert.equal(found.code, 'CLOCK_SKEW');
    assert.match(found.evidence, /by up to 250 ms/);
    assert.deepEqual(findings(skewed(0.098)), [], 'what clocks differ by anyway');
  });

  test('finds a clock that is ahead, but not who went on after an answer', () => {
    const answered = call('c1', { http: { response: { status: 200 } } });
    const answers = { http: { request: { method: 'GET' }, response: { status: 200 } } };
    interface Late {
      readonly calls?: Members;
      readonly members?: Members;
    }
    const late = (at: number, took: number, { calls = answered, members = answers }: Late = {}) =>
      findings([
        shop({ subsegments: [calls] }),
        timed(at, took, { id: 'b000000000000001', name: 'price', parent_id: 'c1', ...members }),
      ]);
    const [found] = late(0.7, 0.1);
    assert.equal(found?.title, 'The clock of price is ahead of that of its caller');
    assert.match(found?.evidence ?? '', /by up to 500 ms/);
    assert.deepEqual(late(0.12, 2), [], 'works on after the answer');
    assert.deepEqual(late(0.7, 0.1, { calls: call('c1') }), [], 'nobody waited for an answer');
    assert.deepEqual(late(0.25, 0.1), [], 'a slow connection');
    assert.deepEqual(late(0.7, 0.1, { members: {} }), [], 'a worker that received what was sent over HTTP');
  });

  test('tells what still runs from what never finished', () => {
    const open = [{ id: 'a000000000000001', name: 'shop', start_time: startTime, in_progress: true }];
    assert.deepEqual([finding(open).code, finding(open).severity], ['IN_PROGRESS', 'note']);
    const late = finding(open, nowNs + 3_600_000_000_000n);
    assert.deepEqual([late.code, late.severity], ['NEVER_FINISHED', 'problem']);
    assert.equal(finding(open).evidence, '1 document in progress, for 60 s by now.');
    assert.match(late.evidence, /the first begun 61 min ago/);
  });

  test('shows what was cut', () => {
    const found = finding([shop({ metadata: { raybridge: { v: 1, z: ['/cause/exceptions/0/stack', '/sql'] } } })]);
    assert.equal(found.code, 'CUT');
    assert.match(found.evidence, /\/cause\/exceptions\/0\/stack and \/sql/);
  });

  test('finds the same call again and again, whatever its values', () => {
    const query = (index: number) =>
      timed(0.01 * index, 0.01, {
        id: `d${String(index).padStart(15, '0')}`,
        name: 'orders@db',
        namespace: 'remote',
        sql: { sanitized_query: `SELECT * FROM items WHERE id = ${index}` },
      });
    const many = (count: number) => [shop({ subsegments: Array.from({ length: count }, (_, index) => query(index)) })];
    const found = finding(many(40));
    assert.deepEqual([found.code, found.severity], ['REPEATED_CALLS', 'note']);
    assert.equal(found.title, 'shop makes the same call 40 times');
    assert.match(found.evidence, /SELECT \* FROM items .*, 400 ms altogether/);
    assert.equal(found.ids.length, 20);
    assert.deepEqual(findings(many(10)), []);
    const steps = Array.from({ length: 40 }, (_, index) => ({ ...query(index), namespace: undefined }));
    assert.deepEqual(findings([shop({ subsegments: steps })]), [], 'steps of a loop, which call nobody');
  });

  test('finds calls whose ids alone differ', () => {
    const ids = ['3fa85f64-5717-4562-b3fc-2c963f66afa6', '507f1f77bcf86cd799439011', '17', '18'];
    const get = (index: number) =>
      timed(0.01 * index, 0.01, {
        id: `d${index}`,
        name: 'price',
        namespace: 'remote',
        http: { request: { method: 'GET', url: `https://price/goods/${ids[index % ids.length]}?at=${index}` } },
      });
    const found = finding([shop({ subsegments: Array.from({ length: 12 }, (_, index) => get(index)) })]);
    assert.equal(found.title, 'shop makes the same call 12 times');
  });

  test('finds a call that is tried again because it failed', () => {
    const tries = (flags: readonly Members[], step = 0.2) => [
      shop({
        subsegments: flags.map((members, index) =>
          timed(step * index, 0.1, { id: `d${index}`, name: 'price', namespace: 'remote', ...members }),
        ),
      }),
    ];
    const found = finding(tries([{ fault: true }, { throttle: true, error: true }, {}]));
    assert.deepEqual([found.code, found.severity], ['RETRIED_CALLS', 'note']);
    assert.equal(found.title, 'shop tries the same call 3 times');
    assert.match(found.evidence, /^2 of them failed and were followed by another/);
    assert.deepEqual(findings(tries([{ fault: true }, {}])), [], 'once is no habit');
    assert.deepEqual(findings(tries([{ fault: true }, { fault: true }, {}], 0.01)), [], 'at the same time');
    const counted = finding(tries([{ namespace: 'aws', aws: { operation: 'PutItem', retries: 3 } }]));
    assert.equal(counted.title, 'shop tries the same call 4 times');
  });
});
