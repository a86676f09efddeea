import {
  BatchGetTracesCommand,
  CancelTraceRetrievalCommand,
  GetTraceGraphCommand,
  ListRetrievedTracesCommand,
  paginateGetServiceGraph,
  paginateGetTraceSummaries,
  PutTraceSegmentsCommand,
  StartTraceRetrievalCommand,
  type StartTraceRetrievalCommandInput,
  type Trace,
  type XRayClient,
} from '@aws-sdk/client-xray';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { encodeTraces, jsonText, parseJson, printJson } from '../../../src/codec/index.ts';
import { toSegments } from '../../../src/convert/index.ts';
import {
  type Attributes,
  type AttributeValue,
  isJsonArray,
  isJsonNumber,
  isJsonObject,
  type JsonValue,
  parseTraceId,
  type SegmentDocument,
  type Span,
  toXrayTraceId,
} from '../../../src/model/index.ts';
import { assembleTrace, compileDocument } from '../../../src/query/index.ts';
import { makeTrace } from '../../support/traffic.ts';
import { arbitraryDocument, telemetrySpan } from '../../support/arbitrary-documents.ts';
import { eventually } from '../../support/eventually.ts';
import { fuzzing } from '../../support/fuzz.ts';
import { readRecorded, readSample, recordedNames, sampleNames } from '../../support/samples.ts';
import { openXrayClient } from '../../support/xray-client.ts';
import type { Given } from './product.ts';
import { traceIdOf as traceIdOfNumber } from './shop.ts';

const idsPerCall = 5;

/** What goes in comes out: over the wire, the queue and the store. */
export function describeDocuments(given: Given): void {
  describe('what is put', () => {
    let client: XRayClient;

    before(() => {
      client = openXrayClient(given().api);
    });
    after(() => client.destroy());

    it('comes back equal as JSON, recorded at AWS and sent by its SDKs', async () => {
      const recorded = recordedNames.flatMap((name) => readRecorded(name).flatMap(({ documents }) => documents));
      // Those that X-Ray inferred it infers again, under ids of its own.
      const kept = recorded.filter((text) => !text.includes('"inferred":true'));
      // The samples are about one trace and segment, all of them.
      const samples = sampleNames.map((name, number) =>
        readSample(name).replace(/1-[0-9a-f]{8}-[0-9a-f]{24}/, traceIdOfNumber('samples', given().now, number)),
      );
      const put = [...kept, ...samples];
      const refused = await comeBack(client, put);
      assert.deepEqual(refused, ['MissingEndTime']);
    });

    it('comes back equal as JSON, whatever its members hold', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(arbitraryDocument, { minLength: 30, maxLength: 50 }), async (documents) => {
          const texts = documents
            .map(acceptable)
            .filter((document) => !standsTwice(document))
            .map(printJson)
            // What says that Raybridge wrote it is read as that.
            .filter((text) => !text.includes('raybridge'));
          const refused = await comeBack(client, texts);
          assert.ok(refused.length < texts.length * 0.8, 'many are as X-Ray wants them');
        }),
        { ...fuzzing(8), endOnFailure: true, includeErrorInReport: true },
      );
    });

    it('by OTLP comes back as the documents that the conversion prescribes', async () => {
      const startTimeNs = BigInt(given().now) * 1_000_000_000n;
      const trees = Array.from({ length: 40 }, (_, number) => makeTrace({ number, seed: 3, startTimeNs }));
      const alone = fc.sample(telemetrySpan, 60).map((span) => [span]);
      const traces = [...trees, ...alone];
      const response = await fetch(`http://${given().raybridge.addresses.otlpHttp}/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf' },
        body: encodeTraces(traces.flat()),
      });
      assert.equal(response.status, 200);
      for (const spans of traces) await assertPrescribed(client, spans.map(inStoredOrder));
    });

    it('is listed, drawn and retrieved, whatever it holds', async () => {
      const everything = { StartTime: new Date(0), EndTime: new Date(secondsMax * 1000) };
      // All but the many that are alike.
      const question = { ...everything, FilterExpression: '!service("js-pages")' };
      let summaries = 0;
      let retrieved = 0;
      for await (const { TraceSummaries = [] } of paginateGetTraceSummaries({ client }, question)) {
        summaries += TraceSummaries.length;
        const TraceIds = TraceSummaries.map(({ Id = '' }) => Id);
        if (TraceIds.length === 0) continue;
        await client.send(new GetTraceGraphCommand({ TraceIds }));
        retrieved += await countRetrieved(client, { ...everything, TraceIds });
      }
      assert.ok(summaries > 200);
      assert.equal(retrieved, summaries * 2, 'each in both formats');
      let services = 0;
      for await (const { Services = [] } of paginateGetServiceGraph({ client }, { ...everything }))
        services += Services.length;
      assert.ok(services > 20);
    });
  });
}

async function countRetrieved(client: XRayClient, wanted: StartTraceRetrievalCommandInput): Promise<number> {
  const { RetrievalToken } = await client.send(new StartTraceRetrievalCommand(wanted));
  let count = 0;
  for (const TraceFormat of ['XRAY', 'OTEL'] as const) {
    let NextToken: string | undefined;
    do {
      const list = new ListRetrievedTracesCommand({ RetrievalToken, TraceFormat, NextToken });
      const page = await client.send(list);
      assert.equal(page.RetrievalStatus, 'COMPLETE');
      count += page.Traces?.length ?? 0;
      ({ NextToken } = page);
    } while (NextToken);
  }
  await client.send(new CancelTraceRetrievalCommand({ RetrievalToken }));
  return count;
}

/** The last second that a span can have. */
const secondsMax = Math.floor(2 ** 64 / 1e9);

/** Puts the documents and reads them again; the codes of those that were refused. */
async function comeBack(client: XRayClient, texts: readonly string[]): Promise<readonly string[]> {
  // One by one, because the answer does not say which text it means when it has no id.
  const codes = await Promise.all(texts.map((text) => put(client, text)));
  const kept = texts.filter((_, index) => codes[index] === undefined).map(documentOf);
  const traces = await readTraces(client, [...new Set(kept.map(traceIdOf))]);
  for (const document of kept) {
    const trace = traces.get(traceIdOf(document));
    const found = trace?.Segments?.find(({ Id }) => Id?.toLowerCase() === idOf(document))?.Document;
    assert.ok(found, `there is no ${printJson(document)}`);
    assert.deepEqual(withSortedMembers(documentOf(found)), withSortedMembers(compiled(document)));
  }
  return codes.filter((code) => code !== undefined);
}

/** The code when the document was refused. */
async function put(client: XRayClient, text: string): Promise<string | undefined> {
  const command = new PutTraceSegmentsCommand({ TraceSegmentDocuments: [text] });
  const { UnprocessedTraceSegments } = await client.send(command);
  return UnprocessedTraceSegments?.[0]?.ErrorCode;
}

/** With a name and an end, which all documents must have. */
function acceptable(document: SegmentDocument): SegmentDocument {
  const name = document.get('name');
  const end = document.get('end_time');
  return new Map<string, JsonValue>(document)
    .set('name', typeof name === 'string' && name !== '' ? name : 'any')
    .set('end_time', isJsonNumber(end) ? end : { literal: '1.5E9' });
}

/** One id for two entities: one of them stands for both. */
function standsTwice(document: SegmentDocument): boolean {
  const ids = idsIn(document);
  return new Set(ids).size < ids.length;
}

function idsIn(document: SegmentDocument): readonly string[] {
  return [idOf(document), ...subsegmentsOf(document).filter(isJsonObject).flatMap(idsIn)];
}

/** X-Ray takes from subsegments what only those need that are sent apart. */
function compiled(document: SegmentDocument): SegmentDocument {
  const subsegments = subsegmentsOf(document);
  return subsegments.length === 0 ? document : new Map(document).set('subsegments', subsegments.map(embedded));
}

function embedded(subsegment: JsonValue): JsonValue {
  if (!isJsonObject(subsegment)) return subsegment;
  const document = new Map(compiled(subsegment));
  for (const member of ['type', 'trace_id', 'parent_id']) document.delete(member);
  return document;
}

function subsegmentsOf(document: SegmentDocument): readonly JsonValue[] {
  const subsegments = document.get('subsegments');
  return isJsonArray(subsegments) ? subsegments : [];
}

async function assertPrescribed(client: XRayClient, spans: readonly Span[]): Promise<void> {
  const [first] = spans;
  assert.ok(first);
  const traces = await readTraces(client, [first.traceId]);
  const found = (traces.get(first.traceId)?.Segments ?? []).map(({ Document = '' }) => documentOf(Document));
  const rules = { json: jsonText, envelope: 'full', documentBytesMax: Infinity, marksParentLinks: true } as const;
  const documents = toSegments(spans, rules);
  const wanted = assembleTrace(first.traceId, documents).segments.map(compileDocument);
  assert.deepEqual(inOrderOfIds(found), inOrderOfIds(wanted));
}

/** The store keeps attributes by type, and those of one type in their order. */
function inStoredOrder(span: Span): Span {
  return {
    ...span,
    attributes: byType(span.attributes, [
      (value) => typeof value === 'string',
      (value) => typeof value === 'bigint',
      (value) => typeof value === 'number',
      (value) => typeof value === 'boolean',
    ]),
    events: span.events.map((event) => ({ ...event, attributes: textsFirst(event.attributes) })),
    links: span.links.map((link) => ({ ...link, attributes: textsFirst(link.attributes) })),
    resource: { ...span.resource, attributes: textsFirst(span.resource.attributes) },
  };
}

function textsFirst(attributes: Attributes): Attributes {
  return byType(attributes, [(value) => typeof value === 'string']);
}

/** Those that the first test holds of, then those of the second …, then the rest. */
function byType(attributes: Attributes, tests: readonly ((value: AttributeValue) => boolean)[]): Attributes {
  const place = (value: AttributeValue): number => {
    const found = tests.findIndex((test) => test(value));
    return found < 0 ? tests.length : found;
  };
  return new Map([...attributes].sort(([, a], [, b]) => place(a) - place(b)));
}

function inOrderOfIds(documents: readonly SegmentDocument[]): unknown {
  return documents.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : 1)).map(withSortedMembers);
}

/** By trace id, when all are there. */
async function readTraces(client: XRayClient, traceIds: readonly string[]): Promise<ReadonlyMap<string, Trace>> {
  const found = new Map<string, Trace>();
  for (let start = 0; start < traceIds.length; start += idsPerCall) {
    const wanted = traceIds.slice(start, start + idsPerCall);
    const command = new BatchGetTracesCommand({ TraceIds: wanted.map(toXrayTraceId) });
    const traces = await eventually(`the traces ${wanted.join()}`, async () => {
      const { Traces = [], UnprocessedTraceIds } = await client.send(command);
      return UnprocessedTraceIds?.length === 0 ? Traces : undefined;
    });
    for (const trace of traces) found.set(parseTraceId(trace.Id ?? '') ?? '', trace);
  }
  return found;
}

function documentOf(text: string): SegmentDocument {
  const document = parseJson(text);
  assert.ok(isJsonObject(document));
  return document;
}

function idOf(document: SegmentDocument): string {
  return String(document.get('id')).toLowerCase();
}

function traceIdOf(document: SegmentDocument): string {
  return parseTraceId(String(document.get('trace_id'))) ?? '';
}

/** Members of an object have no order. */
function withSortedMembers(value: JsonValue): unknown {
  if (isJsonArray(value)) return value.map(withSortedMembers);
  if (!isJsonObject(value)) return value;
  return [...value]
    .map(([name, inner]): [string, unknown] => [name, withSortedMembers(inner)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
