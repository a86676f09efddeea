import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RootCause } from '../model/index.ts';
import { brokenShop, shopTraces, startTime, timed, traceOf } from './shop.fixture.test.ts';
import { summarise } from './summary.ts';

/** `shop[shop,price] > price(inferred)[price]`. */
function pathsOf(causes: readonly RootCause[]): readonly string[] {
  return causes.map(({ services }) =>
    services
      .map(({ service, inferred, entities }) => {
        const names = entities.map(({ name, coverage }) => (coverage === undefined ? name : `${name} ${coverage}`));
        return `${service.name}${inferred ? '(inferred)' : ''}[${names.join(', ')}]`;
      })
      .join(' > '),
  );
}

function summaryOf(name: string): ReturnType<typeof summarise> {
  const trace = shopTraces.get(name);
  assert.ok(trace);
  return summarise(trace);
}

describe('a summary', () => {
  test('tells of the root segment, except for throttles, which count anywhere', () => {
    const summary = summaryOf('broken');
    assert.deepEqual(
      { fault: summary.fault, error: summary.error, throttle: summary.throttle, partial: summary.partial },
      { fault: true, error: false, throttle: true, partial: true },
    );
    assert.equal(summary.startTimeNs, 1716560306100000000n);
    assert.deepEqual([summary.duration, summary.responseTime], [0.32, 0.32]);
    assert.deepEqual(summary.http, {
      url: 'https://shop.example/cart',
      status: 500,
      method: 'GET',
      userAgent: undefined,
      clientIp: '198.51.100.7',
    });
  });

  test('lasts longer than its response when work goes on afterwards', () => {
    const summary = summarise(
      traceOf([timed(0, 1, { id: 'a', name: 'a', subsegments: [timed(0.5, 2.0004, { id: 'b', name: 'later' })] })]),
    );
    assert.deepEqual([summary.duration, summary.responseTime], [2.5, 1]);
  });

  test('has no response time while the root is in progress', () => {
    assert.equal(summaryOf('running').responseTime, undefined);
    assert.equal(summaryOf('running').partial, true);
  });

  test('lists every node once, the client first', () => {
    const services = summaryOf('broken').services.map(({ name, type }) => `${name} ${type}`);
    assert.deepEqual(services, [
      'shop.example client',
      'shop.example AWS::ECS::Container',
      'carts AWS::DynamoDB::Table',
      'price.example remote',
    ]);
    assert.equal(summaryOf('broken').entryPoint?.type, 'AWS::ECS::Container');
    assert.equal(summaryOf('canary').services[0]?.type, 'client::Synthetics');
  });

  test('gathers annotations of all documents by key and value, with the services that hold them', () => {
    const annotated = (id: string, name: string, annotations: object): object => timed(0, 1, { id, name, annotations });
    const child = annotated('c', 'child', { tenant: 'acme', bad: { a: 1 }, worse: null, list: [1] });
    const summary = summarise(
      traceOf([
        { ...annotated('a', 'one', { tenant: 'acme', count: 1 }), subsegments: [child] },
        { ...annotated('b', 'two', { tenant: 'other', count: '1' }) },
        { ...annotated('d', 'three', { tenant: 'acme' }) },
      ]),
    );
    const told = [...summary.annotations].map(([key, values]) => [
      key,
      values.map(({ value, services }) => [value, services.map(({ name }) => name)]),
    ]);
    assert.deepEqual(told, [
      [
        'tenant',
        [
          ['acme', ['one', 'three']],
          ['other', ['two']],
        ],
      ],
      [
        'count',
        [
          [1, ['one']],
          ['1', ['two']],
        ],
      ],
    ]);
  });

  test('indexes fifty annotation keys', () => {
    const annotations = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`k${index}`, index]));
    assert.equal(summarise(traceOf([timed(0, 1, { id: 'a', name: 'a', annotations })])).annotations.size, 50);
  });

  test('names users, ARNs, instances and zones once', () => {
    const aws = { ec2: { instance_id: 'i-1', availability_zone: 'z' }, ecs: { availability_zone: 'y' } };
    const members = { user: 'u', resource_arn: 'arn:x', aws };
    const summary = summarise(
      traceOf([timed(0, 1, { id: 'a', name: 'a', ...members }), timed(1, 1, { id: 'b', name: 'b', ...members })]),
    );
    assert.deepEqual(
      summary.users.map(({ user, services }) => [user, services.length]),
      [['u', 2]],
    );
    assert.deepEqual(
      [summary.resourceArns, summary.instanceIds, summary.availabilityZones],
      [['arn:x'], ['i-1'], ['z', 'y']],
    );
  });

  test('says little of a trace of which only a lost subsegment is known', () => {
    const summary = summarise(
      traceOf([
        timed(0, 1, { id: 'a', name: 'a', type: 'subsegment', parent_id: 'b', throttle: true, annotations: { k: 1 } }),
      ]),
    );
    assert.equal(summary.entryPoint, undefined);
    assert.equal(summary.responseTime, undefined);
    assert.equal(summary.throttle, true);
    assert.deepEqual(summary.annotations.get('k'), [{ value: 1, services: [] }]);
  });
});

describe('fault root causes', () => {
  test('lead from the root to each document with the flag that called none with it', () => {
    const summary = summaryOf('broken');
    assert.deepEqual(pathsOf(summary.faultRootCauses), [
      'shop.example[shop.example, price.example] > price.example(inferred)[price.example]',
    ]);
    assert.deepEqual(pathsOf(summary.errorRootCauses), [
      'shop.example[shop.example, DynamoDB] > carts(inferred)[carts]',
    ]);
    const entity = summary.faultRootCauses[0]?.services[0]?.entities[1];
    assert.equal(entity?.remote, true);
    assert.deepEqual(entity?.exceptions, [{ name: 'HttpError', message: 'bad gateway' }]);
  });

  test('impact the client only if the root has the flag', () => {
    const impacting = (name: string): readonly boolean[] => {
      const { faultRootCauses, errorRootCauses } = summaryOf(name);
      return [...faultRootCauses, ...errorRootCauses].map(({ clientImpacting }) => clientImpacting);
    };
    assert.deepEqual(impacting('broken'), [true, false]);
    assert.deepEqual(impacting('resize'), [false, true]);
  });

  test('end at the root when nothing below explains it', () => {
    assert.deepEqual(pathsOf(summarise(traceOf([timed(0, 1, { id: 'a', name: 'a', fault: true })])).faultRootCauses), [
      'a[a]',
    ]);
    assert.deepEqual(summaryOf('fine').faultRootCauses, []);
  });

  test('cross from service to service', () => {
    assert.deepEqual(pathsOf(summaryOf('deep').faultRootCauses), [
      'a[a, call] > b[b, call] > c[c, call] > d[d, call] > e[e]',
    ]);
  });

  test('resolve exceptions that a document only refers to', () => {
    const exceptions = [
      { id: 'e1', type: 'Outer', message: 'outer' },
      { id: 'e2', type: 'Inner', message: 'inner' },
    ];
    const causeOf = (cause: unknown): unknown => {
      const thrower = timed(0.1, 0.1, { id: 'b', name: 'b', cause: { exceptions } });
      const trace = traceOf([timed(0, 1, { id: 'a', name: 'a', fault: true, cause, subsegments: [thrower] })]);
      return summarise(trace).faultRootCauses[0]?.services[0]?.entities[0]?.exceptions.map(({ name }) => name);
    };
    assert.deepEqual(causeOf('e2'), ['Inner']);
    assert.deepEqual(causeOf({ id: 'e1', exceptions: [] }), ['Outer']);
    assert.deepEqual(causeOf('b'), ['Outer', 'Inner'], 'the id of a document stands for all it recorded');
    assert.deepEqual(causeOf('nowhere'), []);
    assert.deepEqual(causeOf({ exceptions: [7, { message: 5 }] }), ['']);
  });

  test('stop at a hundred', () => {
    const subsegments = Array.from({ length: 150 }, (_, index) =>
      timed(0, 0.1, { id: `s${index}`, name: 's', fault: true }),
    );
    assert.equal(summarise(traceOf([{ ...brokenShop, subsegments }])).faultRootCauses.length, 100);
  });
});

describe('response time root causes', () => {
  test('follow the time down while one callee takes half of it', () => {
    const summary = summaryOf('slow');
    assert.deepEqual(pathsOf(summary.responseTimeRootCauses), [
      'shop.example[shop.example 1, price.example 0.9] > price.example(inferred)[price.example 0.9]',
    ]);
    assert.equal(summary.responseTimeRootCauses[0]?.clientImpacting, true);
  });

  test('are given for traces of two seconds and more', () => {
    const pathOf = (took: number): readonly string[] =>
      pathsOf(summarise(traceOf([timed(0, took, { id: 'a', name: 'a' })])).responseTimeRootCauses);
    assert.deepEqual(pathOf(1.999), []);
    assert.deepEqual(pathOf(2), ['a[a 1]']);
    const running = { id: 'a', name: 'a', start_time: startTime, in_progress: true };
    assert.deepEqual(summarise(traceOf([running])).responseTimeRootCauses, []);
  });
});
