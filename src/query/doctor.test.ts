import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diagnose, type Finding } from './doctor.ts';
import { brokenShop, shopTraces, startTime, timed, traceOf } from './shop.fixture.test.ts';

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

  test('tells what stood in front when the request says so', () => {
    const cases: readonly (readonly [Members, string])[] = [
      [{ aws: { api_gateway: { stage: 'prod' } } }, 'API Gateway'],
      [{ http: { request: { user_agent: 'AmazonAPIGateway_abc' } } }, 'API Gateway'],
      [{ http: { request: { url: 'https://x1.execute-api.eu-west-1.amazonaws.com/prod' } } }, 'API Gateway'],
      [{ http: { request: { user_agent: 'Amazon CloudFront' } } }, 'CloudFront'],
    ];
    for (const [members, front] of cases) {
      const found = finding([price({ parent_id: 'lost', ...members })]);
      assert.match(found.evidence, new RegExp(`came through ${front}`));
      assert.match(found.fix, /awsxray_poller/);
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

  test('tells what still runs from what never finished', () => {
    const open = [{ id: 'a000000000000001', name: 'shop', start_time: startTime, in_progress: true }];
    assert.deepEqual([finding(open).code, finding(open).severity], ['IN_PROGRESS', 'note']);
    const late = finding(open, nowNs + 3_600_000_000_000n);
    assert.deepEqual([late.code, late.severity], ['NEVER_FINISHED', 'problem']);
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
    assert.deepEqual(findings(many(9)), []);
  });
});
