import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { createProcessing } from '../../test/support/processing.ts';
import { resourceOf, testSpan } from '../../test/support/span.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { Span } from '../model/index.ts';
import { fnv32a, fnv64a } from '../transform/fnv.ts';
import { attributesProcessor } from './attributes/index.ts';
import { filterProcessor } from './filter/index.ts';
import { fluentBitSamplerProcessor } from './fluent_bit_sampler/index.ts';
import { memoryLimiterProcessor } from './memory_limiter/index.ts';
import { probabilisticSamplerProcessor } from './probabilistic_sampler/index.ts';
import { resourceProcessor } from './resource/index.ts';
import { resourcedetectionProcessor } from './resourcedetection/index.ts';

const names = (spans: readonly Span[]) => spans.map(({ name }) => name);
const named = (name: string, more: Partial<Span> = {}) => testSpan({ name, ...more });

describe('the attributes processor', () => {
  const actions = [{ key: 'env', value: 'prod', action: 'upsert' }];

  it('changes the spans that include and exclude choose, and leaves the others as they are', () => {
    const { run } = createProcessing(attributesProcessor, {
      include: { match_type: 'regexp', services: ['^shop'], span_names: ['^GET'] },
      exclude: { match_type: 'strict', attributes: [{ key: 'skip' }] },
      actions,
    });
    const resource = resourceOf('shop-1');
    const spans = [
      named('GET /', { resource }),
      named('POST /', { resource }),
      named('GET /', { resource: resourceOf('other') }),
      named('GET /', { resource, attributes: new Map([['skip', 1n]]) }),
    ];
    const changed = run(spans);
    assert.equal(changed[0]?.attributes.get('env'), 'prod');
    assert.deepEqual(changed.slice(1), spans.slice(1));
  });

  it('hands on a batch that it does not change, bytes and all', () => {
    const { processor } = createProcessing(attributesProcessor, { actions: [{ key: 'x', action: 'delete' }] });
    const batch = {
      format: 'otlp_json',
      body: new Uint8Array(),
      items: 1,
      receivedAtNs: 0n,
      spans: () => [named('a')],
    } as const;
    assert.equal(processor.process(batch), batch);
  });
});

describe('the resource processor', () => {
  it('changes each distinct resource once', () => {
    const { run } = createProcessing(resourceProcessor, {
      attributes: [{ key: 'cloud.region', value: 'eu-west-1', action: 'upsert' }],
    });
    const resource = resourceOf('shop');
    const [one, two] = run([named('a', { resource }), named('b', { resource })]);
    assert.equal(one?.resource.attributes.get('cloud.region'), 'eu-west-1');
    assert.equal(one?.resource, two?.resource);
  });
});

describe('the filter processor', () => {
  it('drops spans and events for which a condition is true, counted', () => {
    const { run, setting } = createProcessing(filterProcessor, {
      traces: {
        resource: ['attributes["service.name"] == "noise"'],
        span: ['attributes["http.route"] == "/healthz"'],
        spanevent: ['name == "log"'],
      },
    });
    const event = (name: string) => ({ name, timeNs: 1n, attributes: new Map(), droppedAttributesCount: 0 });
    const kept = run([
      named('a', { events: [event('log'), event('exception')] }),
      named('b', { attributes: new Map([['http.route', '/healthz']]) }),
      named('c', { resource: resourceOf('noise') }),
    ]);
    assert.deepEqual(names(kept), ['a']);
    assert.deepEqual(
      kept[0]?.events.map(({ name }) => name),
      ['exception'],
    );
    assert.equal(setting.value('raybridge_dropped_spans_total', { exporter: 'tested', reason: 'filtered' }), 2);
  });

  it('takes the newer form, and the older one', () => {
    const newer = createProcessing(filterProcessor, {
      trace_conditions: [
        'span.name == "a"',
        { context: 'resource', conditions: ['resource.attributes["service.name"] == "noise"'] },
      ],
    });
    assert.deepEqual(names(newer.run([named('a'), named('b'), named('c', { resource: resourceOf('noise') })])), ['b']);
    const older = createProcessing(filterProcessor, {
      spans: { include: { match_type: 'strict', span_names: ['a'] } },
    });
    assert.deepEqual(names(older.run([named('a'), named('b')])), ['a']);
  });

  it('passes everything when it is about metrics only', () => {
    const { run } = createProcessing(filterProcessor, { metrics: { metric: ['true'] } });
    assert.deepEqual(names(run([named('a')])), ['a']);
  });

  it('refuses a condition with its place', () => {
    const parsed = filterProcessor.configSchema.safeParse({ traces: { span: ['name = "a"'] } });
    assert.match(String(parsed.error?.issues[0]?.message), /unable to parse OTTL condition .* \(character 6\)/);
  });
});

describe('samplers by the trace id', () => {
  const ids = Array.from({ length: 2000 }, (_, i) =>
    ((BigInt(i + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835n) & (2n ** 128n - 1n)).toString(16).padStart(32, '0'),
  );
  const spans = ids.map((traceId) => testSpan({ traceId }));

  it('FNV gives the published values', () => {
    // draft-eastlake-fnv, test vectors of "", "a", "foobar".
    assert.deepEqual(
      ['', 'a', 'foobar'].map((text) => fnv32a(Buffer.from(text)).toString(16)),
      ['811c9dc5', 'e40c292c', 'bf9cf968'],
    );
    assert.deepEqual(
      ['', 'a', 'foobar'].map((text) => fnv64a(Buffer.from(text)).toString(16)),
      ['cbf29ce484222325', 'af63dc4c8601ec8c', '85944171f73967e8'],
    );
  });

  it('probabilistic_sampler keeps what the formula of the Collector says', () => {
    const { run } = createProcessing(probabilisticSamplerProcessor, { sampling_percentage: 30, hash_seed: 22 });
    const expected = ids.filter((id) => {
      const bytes = [22, 0, 0, 0, ...Buffer.from(id, 'hex')];
      let hash = 0x811c9dc5n;
      for (const byte of bytes) hash = ((hash ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
      return Number(hash & 0x3fffn) < 4915;
    });
    assert.deepEqual(
      run(spans).map(({ traceId }) => traceId),
      expected,
    );
    assert.ok(expected.length > 500 && expected.length < 700, String(expected.length));
  });

  it('probabilistic_sampler keeps all at 100, none at 0, and what a span says of itself', () => {
    assert.equal(createProcessing(probabilisticSamplerProcessor, { sampling_percentage: 100 }).run(spans).length, 2000);
    const none = createProcessing(probabilisticSamplerProcessor, {});
    assert.equal(none.run(spans).length, 0);
    assert.equal(
      none.setting.value('raybridge_dropped_spans_total', { exporter: 'tested', reason: 'sampled_out' }),
      2000,
    );
    const with1 = (value: string | bigint | number) =>
      testSpan({ attributes: new Map([['sampling.priority', value]]) });
    assert.equal(none.run([with1(1n), with1('2'), with1(0.5), with1(0n), with1('x')]).length, 3);
  });

  it("fluent_bit_sampler keeps Fluent Bit's", () => {
    const { run } = createProcessing(fluentBitSamplerProcessor, { sampling_percentage: 40 });
    const expected = ids.filter((id) => Number(BigInt(`0x${id.slice(0, 16)}`) % 1_000_000n) / 10_000 < 40);
    assert.deepEqual(
      run(spans).map(({ traceId }) => traceId),
      expected,
    );
  });
});

describe('memory_limiter', () => {
  it('refuses new data above the soft limit, and takes it again below', async () => {
    const low = createProcessing(memoryLimiterProcessor, { check_interval: '5ms', limit_mib: 1 });
    const high = createProcessing(memoryLimiterProcessor, { check_interval: '5ms', limit_percentage: 90 });
    await low.processor.start();
    await high.processor.start();
    const refusal = await eventually('the refusal', async () => low.processor.refusal?.());
    assert.deepEqual([refusal.code, refusal.retryable], ['MEMORY_HIGH', true]);
    assert.equal(high.processor.refusal?.(), undefined);
    await low.processor.shutdown(0);
    await high.processor.shutdown(0);
  });

  it('wants an interval and a limit', () => {
    for (const config of [
      {},
      { check_interval: '1s' },
      { limit_mib: 5 },
      { check_interval: '1s', limit_mib: 5, spike_limit_mib: 5 },
    ]) {
      assert.equal(memoryLimiterProcessor.configSchema.safeParse(config).success, false, JSON.stringify(config));
    }
  });
});

describe('resourcedetection', () => {
  const document = {
    accountId: '123456789012',
    region: 'eu-west-1',
    availabilityZone: 'eu-west-1b',
    instanceId: 'i-1',
    imageId: 'ami-1',
    instanceType: 't3.micro',
  };
  const task = {
    Cluster: 'shop',
    TaskARN: 'arn:aws:ecs:eu-west-1:123456789012:task/shop/abc',
    Family: 'web',
    Revision: '7',
    LaunchType: 'FARGATE',
    AvailabilityZone: 'eu-west-1a',
  };

  it('asks the instance with a token, the task, and the environment; the first detector wins', async () => {
    const server = createServer((message, response) => {
      const { url = '', method, headers } = message;
      const isSigned = headers['x-aws-ec2-metadata-token'] === 'token';
      if (method === 'PUT' && url === '/latest/api/token') response.end('token');
      else if (url === '/latest/dynamic/instance-identity/document' && isSigned) response.end(JSON.stringify(document));
      else if (url === '/latest/meta-data/hostname' && isSigned) response.end('ip-1.internal');
      else if (url === '/v4/task') response.end(JSON.stringify(task));
      else if (url === '/v4')
        response.end(
          JSON.stringify({
            LogDriver: 'awslogs',
            LogOptions: { 'awslogs-group': 'g', 'awslogs-stream': 's', 'awslogs-region': 'eu-west-1' },
          }),
        );
      else response.writeHead(401).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = {
      OTEL_RESOURCE_ATTRIBUTES: 'team=a%20b,cloud.region=mine',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: base,
      ECS_CONTAINER_METADATA_URI_V4: `${base}/v4`,
    };
    const saved = Object.keys(env).map((name) => [name, process.env[name]] as const);
    Object.assign(process.env, env);
    try {
      const detect = async (config: object) => {
        const { processor, run } = createProcessing(resourcedetectionProcessor, config);
        await processor.start();
        const [span] = run([testSpan({ resource: resourceOf('shop') })]);
        await processor.shutdown(0);
        return Object.fromEntries(span?.resource.attributes ?? []);
      };
      const all = await detect({ detectors: ['env', 'ecs', 'ec2', 'lambda', 'elasticbeanstalk', 'eks'] });
      assert.equal(all['team'], 'a b');
      assert.equal(all['cloud.region'], 'mine');
      assert.equal(all['cloud.platform'], 'aws_ecs');
      assert.equal(all['aws.ecs.cluster.arn'], 'arn:aws:ecs:eu-west-1:123456789012:cluster/shop');
      assert.equal(all['aws.ecs.launchtype'], 'fargate');
      assert.deepEqual(all['aws.log.group.arns'], ['arn:aws:logs:eu-west-1:123456789012:log-group:g:*']);
      assert.equal(all['host.id'], 'i-1');
      assert.equal(all['service.name'], 'shop');
      const kept = await detect({ detectors: ['env'], override: false, attributes: undefined });
      assert.equal(kept['team'], 'a b');
      const chosen = await detect({
        detectors: ['ec2'],
        ec2: { resource_attributes: { 'host.id': { enabled: false } } },
      });
      assert.deepEqual(
        [chosen['host.id'], chosen['host.name'], chosen['cloud.account.id']],
        [undefined, 'ip-1.internal', '123456789012'],
      );
    } finally {
      for (const [name, value] of saved) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      server.closeAllConnections();
      server.close();
    }
  });

  it('knows the detectors of the Collector, and refuses names that nobody has', () => {
    assert.equal(resourcedetectionProcessor.configSchema.safeParse({ detectors: ['gcp', 'system'] }).success, true);
    assert.equal(resourcedetectionProcessor.configSchema.safeParse({ detectors: ['ec3'] }).success, false);
  });
});
