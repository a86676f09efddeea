import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  createTestContext,
  createTestIntake,
  type TestContext,
  type TestIntake,
} from '../../../test/support/context.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { type HttpAnswer, sendHttp } from '../../../test/support/http.ts';
import { testSpan } from '../../../test/support/span.ts';
import { sendDatagrams } from '../../../test/support/udp.ts';
import { encodeTraces } from '../../codec/index.ts';
import { RaybridgeError } from '../../errors.ts';
import type { Component } from '../../pipeline/component.ts';
import { configSchema } from './config.ts';
import { createAwsxrayReceiver } from './index.ts';

const labels = { receiver: 'awsxray' };
const header = '{"format": "json", "version": 1}\n';
const segment =
  '{"trace_id":"1-5759e988-bd862e3fe1be46a994272793","id":"53995c3f42cd8ad8","name":"shop","start_time":1.5,"end_time":2}';

describe('the awsxray receiver', () => {
  let test: TestContext;
  let intake: TestIntake;
  let receiver: Component;

  beforeEach(async () => {
    test = createTestContext('awsxray');
    intake = createTestIntake();
    const config = configSchema.parse({ endpoint: '127.0.0.1:0', proxy_server: { endpoint: '127.0.0.1:0' } });
    receiver = createAwsxrayReceiver({ config, context: test.context, intake });
    await receiver.start();
    await test.http.listen();
  });
  afterEach(async () => {
    await test.http.close(2_000);
    await receiver.shutdown(2_000);
  });

  describe('over UDP', () => {
    async function send(...datagrams: readonly (string | Uint8Array)[]): Promise<void> {
      await sendDatagrams(test.address('X-Ray segments'), datagrams);
    }

    /** Sends bad datagrams and then a good one: when that has arrived, so have they. */
    async function sendBad(...datagrams: readonly (string | Uint8Array)[]): Promise<void> {
      await send(...datagrams, header + segment);
      await intake.taken(1);
      assert.equal(bodies(), `[${segment}]`);
    }

    function bodies(): string {
      return intake.batches.map(({ body }) => Buffer.from(body).toString()).join('');
    }

    function received(): number {
      return test.value('raybridge_received_spans_total', labels);
    }

    function rejected(reason: string): number {
      return test.value('raybridge_rejected_total', { ...labels, reason });
    }

    it('takes them from allowed sources only, and counts the others', async () => {
      const config = configSchema.parse({
        endpoint: '127.0.0.1:0',
        allowed_sources: ['10.0.0.0/8'],
        proxy_server: { endpoint: '127.0.0.4:0' },
      });
      const guarded = createTestContext('awsxray');
      const other = createAwsxrayReceiver({ config, context: guarded.context, intake });
      await other.start();
      await sendDatagrams(guarded.address('X-Ray segments'), [header + segment]);
      await eventually('the refusal', async () =>
        guarded.value('raybridge_rejected_total', { ...labels, reason: 'SOURCE_NOT_ALLOWED' }) === 1 ? true : undefined,
      );
      await other.shutdown(2_000);
      assert.equal(intake.batches.length, 0);
    });

    it('hands on a segment as it was written', async () => {
      const odd = segment.replace('1.5', '1.50E0').replace('{', '{\n  ');
      await send(`${header}${odd}\n`);
      await intake.taken(1);
      assert.equal(bodies(), `[${odd}]`);
      assert.equal(intake.batches[0]?.format, 'xray_segments');
      assert.equal(test.value('raybridge_received_spans_total', labels), 1);
    });

    it('gathers the datagrams of a burst into few batches and loses none', async () => {
      const burst = Array.from({ length: 500 }, () => header + segment);
      await send(...burst);
      await receiver.shutdown(2_000);
      assert.equal(
        intake.batches.reduce((sum, { items }) => sum + items, 0),
        500,
      );
      assert.ok(intake.batches.length < 100, `${intake.batches.length} batches`);
      assert.equal(test.value('raybridge_accepted_spans_total', labels), 500);
    });

    it('keeps a segment that neither ended nor says it is in progress', async () => {
      const open = segment.replace(',"end_time":2', '');
      await send(header + open);
      await intake.taken(1);
      assert.equal(bodies(), `[${open}]`);
    });

    it('takes an array of documents', async () => {
      await send(`${header}[${segment}, ${segment}]`);
      await intake.taken(1);
      assert.equal(intake.batches[0]?.items, 2);
    });

    it('takes OTLP of sampled spans as the AWS distributions send it', async () => {
      const traces = encodeTraces([testSpan()]);
      await send(`${header}T1S${Buffer.from(traces).toString('base64')}`);
      await intake.taken(1);
      assert.equal(intake.batches[0]?.format, 'otlp_proto');
      assert.deepEqual(Buffer.from(intake.batches[0]?.body ?? []), Buffer.from(traces));
    });

    it('counts spans that are not sampled, and metrics, and drops them', async () => {
      await sendBad(
        `${header}T1U${Buffer.from(encodeTraces([testSpan(), testSpan()])).toString('base64')}`,
        `${header}M1AAAA`,
      );
      assert.equal(rejected('unsampled'), 2);
      assert.equal(test.value('raybridge_ignored_items_total', { signal: 'metrics' }), 1);
      assert.equal(test.context.status.rejections.length, 0);
    });

    const bad: readonly (readonly [string, string | Uint8Array, string])[] = [
      ['no header line', segment, 'BAD_INPUT'],
      ['a header line of another format', `{"format":"xml","version":1}\n${segment}`, 'BAD_INPUT'],
      ['a header line of another version', `{"format":"json","version":2}\n${segment}`, 'BAD_INPUT'],
      ['a header line too long to be one', `{"format":"json",${' '.repeat(300)}"version":1}\n${segment}`, 'BAD_INPUT'],
      ['no document', header, 'BAD_INPUT'],
      ['a document that is no JSON', `${header}hello`, 'BAD_INPUT'],
      ['half a document', header + segment.slice(0, 40), 'InvalidSegment'],
      ['half an array', `${header}[${segment}`, 'InvalidSegment'],
      ['a segment without a name', header + segment.replace('"name":"shop",', ''), 'MissingName'],
      ['a segment without a trace id', header + segment.replace('trace_id', 'x'), 'MissingTraceId'],
      ['a segment whose id is no id', header + segment.replace('53995c3f42cd8ad8', 'zz'), 'InvalidId'],
      ['a segment nested too deeply', `${header}{"metadata":${'['.repeat(30_000)}`, 'InvalidSegment'],
      ['base64 that is none', `${header}T1S!!!`, 'BAD_INPUT'],
      ['OTLP that is cut off', `${header}T1S${Buffer.from([0x0a, 0x7f]).toString('base64')}`, 'BAD_INPUT'],
      ['bytes that are no text', Buffer.alloc(100, 0xff), 'BAD_INPUT'],
    ];
    for (const [what, datagram, reason] of bad) {
      it(`rejects ${what}, shows it, and takes the next`, async () => {
        await sendBad(datagram);
        assert.equal(rejected(reason), 1);
        assert.equal(test.context.status.rejections.length, 1);
        assert.notEqual(test.context.status.rejections[0]?.reason, '');
      });
    }

    it('ignores a datagram without bytes', async () => {
      await sendBad('');
      assert.equal(test.context.status.rejections.length, 0);
    });

    it('counts as lost what the intake refuses', async () => {
      intake.refuseWith(new RaybridgeError('QUEUE_FULL', 'full'));
      await send(header + segment, header + segment);
      await receiver.shutdown(2_000);
      assert.equal(rejected('QUEUE_FULL'), 2);
      assert.equal(test.value('raybridge_accepted_spans_total', labels), 0);
    });

    it('bounds what waits for a disk that does not follow', async () => {
      let release = (): void => {};
      const released = new Promise<void>((resolve) => (release = resolve));
      intake.consume = () => released;
      const large = header + segment.replace('shop', 'x'.repeat(60_000));
      // In portions that the kernel can hold, so that it is we who refuse.
      for (let sent = 50; sent <= 1_200; sent += 50) {
        await send(...Array.from({ length: 50 }, () => large));
        await eventually('a portion', async () => received() === sent || undefined);
      }
      assert.ok(rejected('disk_too_slow') > 0);
      release();
    });

    it('shows how much the kernel dropped', () => {
      assert.equal(test.value('raybridge_udp_kernel_drops', labels), 0);
      const names = test.context.telemetry.series().map(({ name }) => name);
      assert.ok(names.includes('raybridge_udp_kernel_drops'));
    });
  });

  describe('over TCP', () => {
    async function send(path: string, { method = 'POST', headers = {}, body = '' } = {}): Promise<Answer> {
      const answer = await sendHttp(test.address('X-Ray sampling'), { method, path, headers, body });
      return { ...answer, body: JSON.parse(answer.body.toString()) };
    }

    it('answers GetSamplingRules with a body, with an empty object, and with no body at all', async () => {
      for (const body of ['{}', '{"NextToken":null}', '']) {
        const answer = await send('/GetSamplingRules', { body });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f-]{36}$/);
        assert.match(
          JSON.stringify(answer.body),
          /^\{"SamplingRuleRecords":\[\{"SamplingRule":\{"RuleName":"Default",/,
        );
      }
    });

    it('answers GetSamplingTargets', async () => {
      const answer = await send('/SamplingTargets', { body: '{"SamplingStatisticsDocuments":[]}' });
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.body, {
        SamplingTargetDocuments: [],
        LastRuleModification: 0,
        UnprocessedStatistics: [],
        UnprocessedBoostStatistics: [],
      });
    });

    const refused: readonly (readonly [string, string, object, number, string | undefined])[] = [
      ['a list that is none', '/SamplingTargets', { body: '{}' }, 400, 'InvalidRequestException'],
      ['half JSON', '/SamplingTargets', { body: '{"Sampl' }, 400, 'InvalidRequestException'],
      ['JSON that is no object', '/GetSamplingRules', { body: '[]' }, 400, 'InvalidRequestException'],
      ['more than 256 KiB', '/GetSamplingRules', { body: ' '.repeat(256 * 1024 + 1) }, 413, 'RequestEntityTooLarge'],
      ['GET', '/GetSamplingRules', { method: 'GET' }, 405, 'UnknownOperationException'],
      ['a web page', '/GetSamplingRules', { headers: { origin: 'http://evil.example' } }, 403, 'AccessDeniedException'],
      ['a rebound name', '/GetSamplingRules', { headers: { host: 'evil.example' } }, 403, 'AccessDeniedException'],
      ['other operations', '/TraceSegments', { body: '{}' }, 404, undefined],
      ['other paths', '/%2e%2e/GetSamplingRules', {}, 404, undefined],
    ];
    for (const [what, path, options, status, type] of refused) {
      it(`refuses ${what} with ${status}`, async () => {
        const answer = await send(path, options);
        assert.equal(answer.status, status);
        assert.equal(answer.headers['x-amzn-errortype'], type);
        assert.equal(typeof answer.body['message'], 'string');
      });
    }

    it('tells nothing of a bug', async () => {
      Object.assign(test.context.sampling, { rulesInForce: () => Promise.reject(new Error('secret')) });
      const answer = await send('/GetSamplingRules');
      assert.equal(answer.status, 500);
      assert.equal(answer.headers['x-amzn-errortype'], 'InternalFailure');
      assert.doesNotMatch(JSON.stringify(answer.body), /secret/);
    });
  });
});

describe('the configuration of the awsxray receiver', () => {
  it('listens on port 2000 of this machine unless told otherwise', () => {
    for (const config of [{}, { proxy_server: {} }]) {
      const { endpoint, proxy_server: proxy } = configSchema.parse(config);
      assert.deepEqual([endpoint, proxy.endpoint], ['localhost:2000', 'localhost:2000']);
    }
  });

  it('takes segments by UDP only', () => {
    assert.throws(
      () => configSchema.parse({ transport: 'tcp' }),
      /only supports ingesting spans through UDP, provided: tcp/,
    );
  });
});

interface Answer extends Omit<HttpAnswer, 'body'> {
  readonly body: Readonly<Record<string, unknown>>;
}
