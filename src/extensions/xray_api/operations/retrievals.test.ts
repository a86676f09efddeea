import {
  BatchGetTracesCommand,
  CancelTraceRetrievalCommand,
  GetRetrievedTracesGraphCommand,
  type GetRetrievedTracesGraphCommandOutput,
  ListRetrievedTracesCommand,
  type ListRetrievedTracesCommandInput,
  type ListRetrievedTracesCommandOutput,
  StartTraceRetrievalCommand,
  type TraceFormatType,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { testSpan } from '../../../../test/support/span.ts';
import { awsError, openTestXrayApi, testNow, type TestXrayApi } from '../../../../test/support/xray-api.ts';
import { decodeTracesJson, inspectTracesJson } from '../../../codec/index.ts';
import { emptyResource, type Span, SpanKind, toXrayTraceId } from '../../../model/index.ts';

const second = 1_000_000_000n;
const nowNs = BigInt(testNow) * second;
const documentBytesMax = 204_800;

describe('a retrieval of traces', () => {
  let api: TestXrayApi;
  let version: bigint;

  beforeEach(async () => {
    api = await openTestXrayApi();
    version = 0n;
  });
  afterEach(() => api.close());

  async function keep(spans: readonly Span[]): Promise<void> {
    version += 1n;
    await api.store.write({ spans, receivedAtNs: nowNs, version, token: String(version) });
  }

  async function start(
    traceIds: readonly string[],
    { from = testNow - 3600, to = testNow }: { readonly from?: number; readonly to?: number } = {},
  ): Promise<string> {
    const range = { StartTime: new Date(from * 1000), EndTime: new Date(to * 1000) };
    const { RetrievalToken } = await api.client.send(
      new StartTraceRetrievalCommand({ TraceIds: [...traceIds], ...range }),
    );
    assert.ok(RetrievalToken && RetrievalToken.length <= 1020);
    return RetrievalToken;
  }

  const list = (RetrievalToken: string, more: Omit<ListRetrievedTracesCommandInput, 'RetrievalToken'> = {}) =>
    api.client.send(new ListRetrievedTracesCommand({ RetrievalToken, ...more }));
  const graph = (RetrievalToken: string, NextToken?: string) =>
    api.client.send(new GetRetrievedTracesGraphCommand({ RetrievalToken, NextToken }));
  const cancel = (RetrievalToken: string) => api.client.send(new CancelTraceRetrievalCommand({ RetrievalToken }));

  /** Every page to the end; fails when it does not end. */
  async function pages(
    token: string,
    TraceFormat?: TraceFormatType,
  ): Promise<readonly ListRetrievedTracesCommandOutput[]> {
    const all: ListRetrievedTracesCommandOutput[] = [];
    for (let NextToken: string | undefined; all.length < 100;) {
      const page = await list(token, { TraceFormat, NextToken });
      all.push(page);
      NextToken = page.NextToken;
      if (!NextToken) return all;
    }
    assert.fail('the pages do not end');
  }

  it('is complete at once, and gives the segment documents that BatchGetTraces gives', async () => {
    const [root, child] = [spanOf(1, 1), spanOf(1, 2, { parentSpanId: spanId(1), kind: SpanKind.internal })];
    await keep([root, child]);
    const { RetrievalStatus, TraceFormat, Traces, NextToken } = await list(await start([xrayId(1)]));
    const { Traces: [batch] = [] } = await api.client.send(new BatchGetTracesCommand({ TraceIds: [xrayId(1)] }));
    assert.deepEqual([RetrievalStatus, TraceFormat, NextToken], ['COMPLETE', 'XRAY', undefined]);
    assert.deepEqual(Traces, [{ Id: xrayId(1), Duration: 1, Spans: batch?.Segments }]);
    assert.equal(JSON.parse(Traces?.[0]?.Spans?.[0]?.Document ?? '').subsegments.length, 1);
  });

  it('gives spans of OTLP/JSON with their resource and scope', async () => {
    const span = spanOf(1, 1, {
      attributes: new Map<string, string | bigint>([
        ['int', 5n],
        ['__proto__', 'x'],
      ]),
      scope: { name: 'lib', version: '1', attributes: new Map(), droppedAttributesCount: 0, schemaUrl: '' },
    });
    await keep([span]);
    const { TraceFormat, Traces } = await list(await start([traceId(1)]), { TraceFormat: 'OTEL' });
    const [only, ...others] = Traces?.[0]?.Spans ?? [];
    assert.equal(TraceFormat, 'OTEL');
    assert.deepEqual(others, []);
    assert.equal(only?.Id, span.spanId);
    const { resource, scope, ...document } = JSON.parse(only?.Document ?? '');
    assert.deepEqual([document.traceId, document.spanId, document.kind], [span.traceId, span.spanId, span.kind]);
    const request = { resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [document] }] }] };
    assert.deepEqual(decodeTracesJson(new TextEncoder().encode(JSON.stringify(request))), [span]);
  });

  it('takes ids of both forms, each once, and knows nothing of ids that are not here', async () => {
    await keep([spanOf(1, 1), spanOf(2, 2)]);
    const { Traces } = await list(await start([traceId(2), xrayId(2), xrayId(9), xrayId(1)]));
    assert.deepEqual(
      Traces?.map(({ Id }) => Id),
      [xrayId(2), xrayId(1)],
    );
  });

  it('finds traces of which some part lies in the range, both ends included', async () => {
    await keep([spanOf(1, 1)]);
    const count = async (from: number, to: number) =>
      (await list(await start([xrayId(1)], { from, to }))).Traces?.length;
    assert.equal(await count(testNow - 20, testNow - 10), 1);
    assert.equal(await count(testNow - 9, testNow), 1);
    assert.equal(await count(testNow - 20, testNow - 11), 0);
    assert.equal(await count(testNow - 8, testNow), 0);
  });

  it('gives five traces a page, every one once', async () => {
    await keep(Array.from({ length: 12 }, (_, i) => spanOf(i, i)));
    const ids = Array.from({ length: 100 }, (_, i) => xrayId(i));
    for (const format of ['XRAY', 'OTEL'] as const) {
      const all = await pages(await start(ids), format);
      assert.deepEqual(
        all.map(({ Traces }) => Traces?.length),
        [5, 5, 2],
      );
      assert.deepEqual(
        all.flatMap(({ Traces = [] }) => Traces.map(({ Id }) => Id)),
        ids.slice(0, 12),
      );
    }
  });

  it('gives a hundred spans of a trace a page, every one once', async () => {
    await keep([spanOf(0, 5000), ...Array.from({ length: 250 }, (_, i) => spanOf(1, i)), spanOf(2, 6000)]);
    for (const format of ['XRAY', 'OTEL'] as const) {
      const all = await pages(await start([xrayId(0), xrayId(1), xrayId(2)]), format);
      assert.deepEqual(
        all.map(({ Traces = [] }) => Traces.map(({ Id, Spans }) => [Id, Spans?.length])),
        [
          [
            [xrayId(0), 1],
            [xrayId(1), 100],
          ],
          [[xrayId(1), 100]],
          [
            [xrayId(1), 50],
            [xrayId(2), 1],
          ],
        ],
      );
      const ids = all.flatMap(({ Traces = [] }) => Traces.flatMap(({ Spans = [] }) => Spans.map(({ Id }) => Id)));
      assert.equal(new Set(ids).size, 252);
    }
  });

  it('ends a page early when its documents are large', async () => {
    await keep(
      Array.from({ length: 200 }, (_, i) => spanOf(i % 2, i, { attributes: new Map([['long', 'x'.repeat(150_000)]]) })),
    );
    for (const format of ['XRAY', 'OTEL'] as const) {
      const all = await pages(await start([xrayId(0), xrayId(1)]), format);
      assert.equal(all.length, 2, format);
      assert.equal(all.flatMap(({ Traces = [] }) => Traces.flatMap(({ Spans = [] }) => Spans)).length, 200);
    }
  });

  it('takes a segment that is too large apart, and loses no subsegment', async () => {
    const children = Array.from({ length: 40 }, (_, i) =>
      spanOf(1, i + 2, {
        parentSpanId: spanId(i < 20 ? 1 : i - 18),
        kind: SpanKind.internal,
        attributes: new Map([['long', 'x'.repeat(20_000)]]),
      }),
    );
    await keep([spanOf(1, 1), ...children]);
    const { Traces } = await list(await start([xrayId(1)]));
    const documents = (Traces?.[0]?.Spans ?? []).map(({ Document = '' }) => Document);
    const parsed = documents.map((document): Segment => JSON.parse(document));
    for (const document of documents) assert.ok(Buffer.byteLength(document) <= documentBytesMax);
    const [root, ...parts] = parsed;
    assert.equal(root?.type, undefined);
    for (const part of parts) {
      assert.deepEqual([part.type, part.trace_id, typeof part.parent_id], ['subsegment', xrayId(1), 'string']);
    }
    assert.deepEqual(new Set(parsed.flatMap(idsOf)), new Set([spanId(1), ...children.map(({ spanId: id }) => id)]));
  });

  it('cuts a span that is too large by itself, and counts what it lost', async () => {
    const long = 'ä'.repeat(200_000);
    const event = { timeNs: nowNs, name: 'log', attributes: new Map([['long', long]]), droppedAttributesCount: 0 };
    const attributes = new Map([['long', long]]);
    const spans = [
      spanOf(1, 1, { events: [event, event], attributes: new Map([['short', 'x']]) }),
      spanOf(1, 2, { attributes }),
      spanOf(1, 3, { resource: { ...emptyResource, attributes }, name: long, traceState: long }),
    ];
    await keep(spans);
    const documents = async (TraceFormat: TraceFormatType) =>
      ((await list(await start([xrayId(1)]), { TraceFormat })).Traces?.[0]?.Spans ?? []).map(
        ({ Document = '' }) => Document,
      );
    for (const document of [...(await documents('OTEL')), ...(await documents('XRAY'))]) {
      assert.ok(Buffer.byteLength(document) <= documentBytesMax);
    }
    const [first, other, last] = (await documents('OTEL')).map((document) => JSON.parse(document));
    assert.deepEqual([first.events, first.droppedEventsCount, first.attributes?.length], [undefined, 2, 1]);
    assert.deepEqual([other.attributes, other.droppedAttributesCount], [undefined, 1]);
    assert.deepEqual([last.resource, last.name], [{ droppedAttributesCount: 1 }, long.slice(0, 1000)]);
    const bytes = new TextEncoder().encode(
      JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [first, other, last] }] }] }),
    );
    assert.equal(inspectTracesJson(bytes).rejected, 0);
  });

  it('gives the graph of all its traces, with the links of each service', async () => {
    const link = {
      traceId: traceId(1),
      spanId: spanId(1),
      traceState: '',
      flags: 0,
      attributes: new Map([['aws.xray.reserved.reference_type', 'parent']]),
      droppedAttributesCount: 0,
    };
    await keep([
      spanOf(1, 1, { resource: serviceNamed('producer') }),
      spanOf(2, 2, { resource: serviceNamed('consumer'), links: [link] }),
      spanOf(3, 3, { resource: serviceNamed('elsewhere') }),
    ]);
    const { RetrievalStatus, Services = [], NextToken } = await graph(await start([xrayId(1), xrayId(2)]));
    assert.deepEqual([RetrievalStatus, NextToken], ['COMPLETE', undefined]);
    assert.deepEqual(linksByName(Services), [
      ['consumer', [{ ReferenceType: 'parent', SourceTraceId: xrayId(2), DestinationTraceIds: [xrayId(1)] }]],
      ['producer', []],
    ]);
  });

  it('gives a thousand services a page, every one once', async () => {
    await keep(Array.from({ length: 1200 }, (_, i) => spanOf(1, i, { resource: serviceNamed(`service-${i}`) })));
    const token = await start([xrayId(1)]);
    const first = await graph(token);
    const rest = await graph(token, first.NextToken);
    const all = [...(first.Services ?? []), ...(rest.Services ?? [])].map(({ Service }) => Service?.ReferenceId);
    assert.equal(first.Services?.length, 1000);
    assert.equal(rest.NextToken, undefined);
    assert.deepEqual(
      all,
      all.map((_, i) => i),
    );
    assert.ok(all.length >= 1200);
  });

  it('is over when it is cancelled: its token is known and gives nothing more', async () => {
    await keep([spanOf(1, 1)]);
    const token = await start([xrayId(1)]);
    await cancel(token);
    await cancel(token);
    const { RetrievalStatus, Traces } = await list(token);
    assert.deepEqual([RetrievalStatus, Traces], ['CANCELLED', []]);
    const { RetrievalStatus: status, Services } = await graph(token);
    assert.deepEqual([status, Services], ['CANCELLED', []]);
  });

  it('is forgotten after an hour', async () => {
    const token = await start([xrayId(1)]);
    api.pass(3599);
    assert.equal((await list(token)).RetrievalStatus, 'COMPLETE');
    api.pass(1);
    await assert.rejects(list(token), unknownToken(token));
  });

  it('is one of a hundred that are kept: one more takes the place of the oldest', async () => {
    const tokens: string[] = [];
    for (let i = 0; i < 101; i += 1) {
      tokens.push(await start([xrayId(i)]));
      api.pass(1);
    }
    const [oldest = '', ...others] = tokens;
    await assert.rejects(list(oldest), unknownToken(oldest));
    for (const token of others) assert.equal((await list(token)).RetrievalStatus, 'COMPLETE');
    assert.equal((await api.store.readState('trace_retrieval')).size, 100);
  });

  it('is not found by a token that was never given', async () => {
    for (const ask of [list, graph, cancel]) await assert.rejects(ask('unknown'), unknownToken('unknown'));
    const message = 'RetrievalToken: expected 1 to 1020 characters, got 1021';
    await assert.rejects(list('x'.repeat(1021)), awsError('InvalidRequestException', message));
    await assert.rejects(list(''), awsError('InvalidRequestException', /^RetrievalToken: expected 1 to 1020/));
  });

  it('goes on with the token of its own pages only', async () => {
    await keep(Array.from({ length: 12 }, (_, i) => spanOf(i, i)));
    const ids = Array.from({ length: 12 }, (_, i) => xrayId(i));
    const [one, other] = [await start(ids), await start(ids)];
    const { NextToken = '' } = await list(one);
    for (const ask of [
      () => list(other, { NextToken }),
      () => list(one, { NextToken, TraceFormat: 'OTEL' }),
      () => list(one, { NextToken: `${NextToken}A` }),
      () => graph(one, NextToken),
    ]) {
      await assert.rejects(ask, awsError('InvalidRequestException', /^NextToken /));
    }
    assert.equal((await list(one, { NextToken, TraceFormat: 'XRAY' })).Traces?.length, 5);
  });

  it('is refused with more than a hundred ids, none, a bad one, or a range that is none', async () => {
    for (const [ask, message] of [
      [
        () => start(Array.from({ length: 101 }, (_, i) => xrayId(i))),
        'TraceIds: expected at most 100 entries, got 101',
      ],
      [() => start([]), 'TraceIds: expected at least one trace id, got none'],
      [() => start(['1-5']), /^TraceIds\[0\]: expected a trace id/],
      [() => start([xrayId(1)], { from: testNow, to: testNow - 1 }), 'EndTime: expected a time not before StartTime'],
      [
        async () => list(await start([xrayId(1)]), { TraceFormat: 'xray' as 'XRAY' }),
        /^TraceFormat: expected XRAY or OTEL/,
      ],
    ] as const) {
      await assert.rejects(ask, awsError('InvalidRequestException', message));
    }
  });
});

interface Segment {
  readonly id: string;
  readonly type?: string;
  readonly trace_id?: string;
  readonly parent_id?: string;
  readonly subsegments?: readonly Segment[];
}

function idsOf({ id, subsegments = [] }: Segment): readonly string[] {
  return [id, ...subsegments.flatMap(idsOf)];
}

function linksByName(services: NonNullable<GetRetrievedTracesGraphCommandOutput['Services']>): readonly unknown[] {
  return services
    .filter(({ Service }) => Service?.Type !== 'client')
    .map(({ Service, Links }) => [Service?.Name, Links])
    .sort();
}

function unknownToken(token: string): object {
  return awsError('ResourceNotFoundException', /^RetrievalToken: /, { ResourceName: token });
}

function serviceNamed(name: string): Span['resource'] {
  return { ...emptyResource, attributes: new Map([['service.name', name]]) };
}

/** A server's span of one second, ten seconds ago; spans of one trace are siblings. */
function spanOf(trace: number, span: number, members: Partial<Span> = {}): Span {
  const times = { startTimeNs: nowNs - 10n * second, endTimeNs: nowNs - 9n * second };
  return testSpan({
    traceId: traceId(trace),
    spanId: spanId(span),
    ...times,
    resource: serviceNamed('shop'),
    ...members,
  });
}

function traceId(number: number): string {
  return `f${number.toString(16).padStart(31, '0')}`;
}

function xrayId(number: number): string {
  return toXrayTraceId(traceId(number));
}

function spanId(number: number): string {
  return (number + 1).toString(16).padStart(16, '0');
}
