import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type protobuf from 'protobufjs';
import { decodeTraces, encodeTraces, parseJson, printJson } from '../../src/codec/index.ts';
import { toSegments, toSpans } from '../../src/convert/index.ts';
import type { SegmentDocument, Span } from '../../src/model/index.ts';
import { isJsonObject, SpanKind } from '../../src/model/index.ts';
import { jsonText as json } from '../../src/codec/json.ts';
import { otlpMessages } from '../support/otlp-messages.ts';

/**
 * Every field of the OTLP trace protos and every member of the segment document, one at a time: what
 * it becomes on the other side, and that it comes back.
 */

describe('Every field of the OTLP trace protos comes back from a segment document', () => {
  for (const [type, place] of placesOfTypes()) {
    for (const field of otlpMessages.lookupType(type).fieldsArray) {
      test(`${type}.${field.name}`, () => {
        const sent = baseTraces();
        const message = place(sent);
        // A value has one field at a time.
        if (type === 'AnyValue') delete message['stringValue'];
        message[field.name] = valueOf(field);

        const spans = decodeTraces(encodeMessage(sent));
        assert.equal(spans.length, 1);
        const documents = toSegments(spans, { json }).map((document) => reparsed(document));
        const received = decodeMessage(encodeTraces(toSpans(documents, { json }).spans));
        const wanted = place(decodeMessage(encodeMessage(sent)))[field.name];
        assert.notDeepEqual(wanted, place(decodeMessage(encodeMessage(baseTraces())))[field.name]);
        assert.deepEqual(place(received)[field.name], wanted);
      });
    }
  }

  test('and no message of them is left out', () => {
    const answers = ['ExportTraceServiceResponse', 'ExportTracePartialSuccess'];
    const messages = otlpMessages.nestedArray.map(({ name }) => name);
    assert.deepEqual([...placesOfTypes().keys(), ...answers].sort(), messages.sort());
  });
});

describe('Every member of the segment document', () => {
  for (const [pointer, value, where] of segmentMembers())
    test(`${pointer} of a segment goes to ${where}`, () => assertMember(baseSegment(), { pointer, value, where }));
  for (const [pointer, value, where] of subsegmentMembers())
    test(`${pointer} of a subsegment goes to ${where}`, () =>
      assertMember(baseSubsegment(), { pointer, value, where }));
});

interface Member {
  readonly pointer: string;
  readonly value: Plain;
  readonly where: string;
}

/** The member comes back, and the place that is named for it changes with it. */
function assertMember(base: PlainObject, { pointer, value, where }: Member): void {
  const document = withMember(base, pointer.slice(1).split('/'), value);
  const { spans, problems } = toSpans([parsed(document)], { json });
  assert.deepEqual(problems, []);
  assert.deepEqual(plain(toSegments(spans, { json })), [document]);

  const before = placeOf(toSpans([parsed(base)], { json }).spans, where);
  assert.notDeepEqual(placeOf(spans, where), before);
}

/** What stands in a place of the spans: of a residual, whether it names the member. */
function placeOf(spans: readonly Span[], where: string): unknown {
  const [kind, key = ''] = where.split(' ');
  const [span] = spans;
  assert.ok(span);
  switch (kind) {
    case 'attribute':
      return span.attributes.get(key);
    case 'resource':
      return span.resource.attributes.get(key);
    case 'residual':
      return span.attributes.get('raybridge.xray');
    case 'event':
      return span.events[0]?.attributes.get(key);
    case 'span':
      return fieldOf(spans, key);
    default:
      throw new Error(`the table names no place: ${where}`);
  }
}

function fieldOf(spans: readonly Span[], key: string): unknown {
  const [span, child] = spans;
  const { traceId, spanId, parentSpanId, name, kind, startTimeNs, endTimeNs, status, links } = span ?? {};
  const fields = new Map<string, unknown>(
    Object.entries({ traceId, spanId, parentSpanId, name, kind, startTimeNs, endTimeNs, status, links, child }),
  );
  assert.ok(fields.has(key), `spans have no ${key}`);
  return fields.get(key);
}

function withMember(object: PlainObject, path: readonly string[], value: Plain): PlainObject {
  const [name = '', ...rest] = path;
  if (rest.length === 0) return { ...object, [name]: value };
  const inner = object[name];
  return { ...object, [name]: withMember(isPlainObject(inner) ? inner : {}, rest, value) };
}

function isPlainObject(value: Plain | undefined): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(document: PlainObject): SegmentDocument {
  const value = parseJson(JSON.stringify(document));
  assert.ok(isJsonObject(value));
  return value;
}

function reparsed(document: SegmentDocument): SegmentDocument {
  const value = parseJson(printJson(document));
  assert.ok(isJsonObject(value));
  return value;
}

function plain(documents: readonly SegmentDocument[]): unknown {
  return documents.map((document) => JSON.parse(printJson(document)));
}

type Plain = string | number | boolean | null | readonly Plain[] | PlainObject;
interface PlainObject {
  readonly [name: string]: Plain;
}

function baseSegment(): PlainObject {
  return {
    name: 'shop',
    id: '53995c3f42cd8ad8',
    trace_id: '1-581cf771-a006649127e371903a2de979',
    start_time: 1,
    end_time: 2,
  };
}

function baseSubsegment(): PlainObject {
  return { ...baseSegment(), type: 'subsegment', parent_id: '70de5b6f19ff9a0a', namespace: 'remote' };
}

type Row = readonly [pointer: string, value: Plain, where: string];

/** AWS X-Ray developer guide, "segment documents"; `residual` for members that no attribute has a name for. */
function segmentMembers(): readonly Row[] {
  return [
    ['/name', 'cart', 'resource service.name'],
    ['/id', '53995c3f42cd8ad9', 'span spanId'],
    ['/trace_id', '1-581cf771-a006649127e371903a2de978', 'span traceId'],
    ['/start_time', 1.5, 'span startTimeNs'],
    ['/end_time', 2.5, 'span endTimeNs'],
    // In progress and ended at once is ended, and the flag comes back all the same.
    ['/in_progress', true, 'residual'],
    ['/parent_id', '70de5b6f19ff9a0a', 'span parentSpanId'],
    ['/service/version', '1.2', 'resource service.version'],
    ['/service/name', 'shop-web', 'resource aws.xray.service.name'],
    ['/service/compiler', 'gc', 'resource aws.xray.service.compiler'],
    ['/service/compiler_version', '1.22', 'resource aws.xray.service.compiler_version'],
    ['/service/runtime', 'node', 'resource aws.xray.service.runtime'],
    ['/service/runtime_version', '20', 'resource aws.xray.service.runtime_version'],
    ['/user', 'u-17', 'attribute enduser.id'],
    ['/origin', 'AWS::EC2::Instance', 'resource cloud.platform'],
    ['/resource_arn', 'arn:aws:x', 'resource cloud.resource_id'],
    ['/inferred', true, 'attribute aws.xray.inferred'],
    ['/http/request/method', 'GET', 'attribute http.request.method'],
    ['/http/request/url', 'https://h/x?y', 'attribute url.full'],
    ['/http/request/user_agent', 'curl', 'attribute user_agent.original'],
    ['/http/request/client_ip', '203.0.113.9', 'attribute client.address'],
    ['/http/request/x_forwarded_for', true, 'attribute aws.xray.x_forwarded_for'],
    ['/http/response/status', 404, 'attribute http.response.status_code'],
    ['/http/response/content_length', -1, 'attribute http.response.body.size'],
    ['/aws/account_id', '123456789012', 'resource cloud.account.id'],
    ['/aws/ec2/availability_zone', 'a', 'resource cloud.availability_zone'],
    ['/aws/ec2/instance_id', 'i-0cd9e448944061b4a', 'resource host.id'],
    ['/aws/ec2/instance_size', 't3', 'resource host.type'],
    ['/aws/ec2/ami_id', 'ami-1', 'resource host.image.id'],
    ['/aws/ecs/container', 'web', 'resource container.name'],
    ['/aws/ecs/container_id', 'c1', 'resource container.id'],
    ['/aws/ecs/availability_zone', 'a', 'resource cloud.availability_zone'],
    ['/aws/ecs/container_arn', 'arn:c', 'resource aws.ecs.container.arn'],
    ['/aws/ecs/cluster_arn', 'arn:l', 'resource aws.ecs.cluster.arn'],
    ['/aws/ecs/task_arn', 'arn:t', 'resource aws.ecs.task.arn'],
    ['/aws/ecs/task_family', 'f', 'resource aws.ecs.task.family'],
    ['/aws/ecs/launch_type', 'fargate', 'resource aws.ecs.launchtype'],
    ['/aws/eks/cluster_name', 'prod', 'resource k8s.cluster.name'],
    ['/aws/eks/pod', 'p1', 'resource k8s.pod.name'],
    ['/aws/eks/container_id', 'c1', 'resource container.id'],
    ['/aws/elastic_beanstalk/environment_name', 'dev', 'resource service.namespace'],
    ['/aws/elastic_beanstalk/version_label', 'v1', 'resource service.version'],
    ['/aws/elastic_beanstalk/deployment_id', 32, 'resource service.instance.id'],
    ['/aws/cloudwatch_logs', [{ log_group: '/g' }], 'resource aws.log.group.names'],
    ['/aws/xray/sdk', 'X-Ray for Go', 'resource telemetry.sdk.name'],
    ['/aws/xray/sdk_version', '1.8', 'resource telemetry.sdk.version'],
    ['/aws/xray/auto_instrumentation', true, 'resource aws.xray.auto_instrumentation'],
    ['/aws/xray/sampling_rule_name', 'Default', 'residual'],
    ['/aws/api_gateway/account_id', '123456789012', 'resource cloud.account.id'],
    ['/aws/api_gateway/rest_api_id', 'a1', 'attribute aws.apigateway.id'],
    ['/aws/api_gateway/stage', 'prod', 'attribute aws.apigateway.stage'],
    ['/aws/api_gateway/request_id', 'r', 'attribute aws.request_id'],
    ['/error', true, 'attribute aws.xray.error'],
    ['/throttle', true, 'attribute aws.xray.throttle'],
    ['/fault', true, 'span status'],
    ['/cause', '0011223344556677', 'attribute aws.xray.cause'],
    ['/cause/working_directory', '/srv', 'attribute aws.xray.cause.working_directory'],
    ['/cause/paths', ['/lib'], 'attribute aws.xray.cause.paths'],
    ['/cause/exceptions', [{ id: '0011223344556677', type: 'E' }], 'event exception.type'],
    ['/cause/exceptions', [{ message: 'm', type: 'E' }], 'event exception.message'],
    ['/cause/exceptions', [{ id: '0011223344556677', type: 'E' }], 'event aws.xray.exception.id'],
    ['/cause/exceptions', [{ type: 'E', remote: true }], 'event aws.xray.exception.remote'],
    ['/cause/exceptions', [{ type: 'E', truncated: 3 }], 'event aws.xray.exception.truncated'],
    ['/cause/exceptions', [{ type: 'E', skipped: 3 }], 'event aws.xray.exception.skipped'],
    ['/cause/exceptions', [{ type: 'E', cause: '0011223344556678' }], 'event aws.xray.exception.cause'],
    ['/cause/exceptions', [{ type: 'E', stack: [{ path: 'a', line: 1, label: 'f' }] }], 'event exception.stacktrace'],
    ['/annotations', { key: 1 }, 'attribute key'],
    ['/metadata/debug', { a: [1, { b: null }] }, 'attribute aws.xray.metadata.debug'],
    ['/subsegments', [{ name: 'a', id: '53995c3f42cd8ada', start_time: 1, end_time: 2 }], 'span child'],
    ['/links', [{ trace_id: '1-581cf771-a006649127e371903a2de970', id: '53995c3f42cd8ad0' }], 'span links'],
    ['/anything', { else: 1 }, 'residual'],
  ];
}

function subsegmentMembers(): readonly Row[] {
  return [
    ['/name', 'price', 'span name'],
    ['/parent_id', '70de5b6f19ff9a0b', 'span parentSpanId'],
    ['/namespace', 'aws', 'attribute aws.service'],
    ['/namespace', 'local', 'span kind'],
    ['/traced', true, 'attribute aws.xray.traced'],
    ['/precursor_ids', ['53995c3f42cd8ad7'], 'attribute aws.xray.precursor_ids'],
    ['/http/request/traced', true, 'attribute aws.xray.request_traced'],
    ['/error', true, 'span status'],
    ['/aws/operation', 'GetItem', 'attribute aws.operation'],
    ['/aws/account_id', '123456789012', 'attribute aws.account_id'],
    ['/aws/region', 'eu-west-1', 'attribute aws.region'],
    ['/aws/request_id', 'r', 'attribute aws.request_id'],
    ['/aws/queue_url', 'https://sqs/1/q', 'attribute aws.queue_url'],
    ['/aws/table_name', 't', 'attribute aws.table_name'],
    ['/aws/table_names', ['t', 'u'], 'attribute aws.dynamodb.table_names'],
    ['/aws/topic_arn', 'arn:t', 'attribute aws.sns.topic.arn'],
    ['/aws/function_name', 'f', 'attribute faas.invoked_name'],
    ['/aws/function_arn', 'arn:f', 'attribute aws.function_arn'],
    ['/aws/retries', 2, 'attribute aws.xray.retries'],
    ['/aws/resource_names', ['t'], 'residual'],
    ['/aws/message_id', 'm', 'residual'],
    ['/sql/connection_string', 'Data Source=h', 'attribute aws.xray.sql.connection_string'],
    ['/sql/url', 'mysql://h:3306/db', 'attribute db.namespace'],
    ['/sql/url', 'h:3306/db', 'attribute aws.xray.sql.url'],
    ['/sql/sanitized_query', 'SELECT ?', 'attribute db.query.text'],
    ['/sql/database_type', 'PostgreSQL', 'attribute db.system.name'],
    ['/sql/database_version', '15', 'attribute aws.xray.sql.database_version'],
    ['/sql/driver_version', '42', 'attribute aws.xray.sql.driver_version'],
    ['/sql/user', 'app', 'attribute aws.xray.sql.user'],
    ['/sql/preparation', 'call', 'attribute aws.xray.sql.preparation'],
  ];
}

/** A message as protobufjs takes and gives it. */
interface Message {
  [field: string]: unknown;
}

function baseTraces(): Message {
  const span: Message = {
    traceId: bytesOf(16, 0xa1),
    spanId: bytesOf(8, 0xb2),
    name: 'work',
    kind: SpanKind.internal,
    startTimeUnixNano: '1700493644000000000',
    endTimeUnixNano: '1700493645000000000',
    attributes: [{ key: 'list', value: { arrayValue: { values: [{ stringValue: 'x' }] } } }],
    events: [{ name: 'told' }],
    links: [{ traceId: bytesOf(16, 0xc3), spanId: bytesOf(8, 0xd4) }],
    status: {},
  };
  const map = { key: 'map', value: { kvlistValue: { values: [{ key: 'k', value: { stringValue: 'v' } }] } } };
  const resource = { attributes: [{ key: 'any', value: { stringValue: 'y' } }], entityRefs: [{ type: 'service' }] };
  return {
    resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'scope', attributes: [map] }, spans: [span] }] }],
  };
}

/** Where in the base one message of each type stands. */
function placesOfTypes(): ReadonlyMap<string, (traces: Message) => Message> {
  const at =
    (...path: readonly (string | number)[]) =>
    (traces: Message): Message => {
      let message: unknown = traces;
      for (const step of path) message = isMessage(message) ? message[step] : undefined;
      assert.ok(isMessage(message), path.join('.'));
      return message;
    };
  const group = ['resourceSpans', 0] as const;
  const scopeSpans = [...group, 'scopeSpans', 0] as const;
  const span = [...scopeSpans, 'spans', 0] as const;
  const attribute = [...group, 'resource', 'attributes', 0] as const;
  return new Map([
    ['TracesData', at()],
    ['ResourceSpans', at(...group)],
    ['Resource', at(...group, 'resource')],
    ['EntityRef', at(...group, 'resource', 'entityRefs', 0)],
    ['ScopeSpans', at(...scopeSpans)],
    ['InstrumentationScope', at(...scopeSpans, 'scope')],
    ['Span', at(...span)],
    ['Event', at(...span, 'events', 0)],
    ['Link', at(...span, 'links', 0)],
    ['Status', at(...span, 'status')],
    ['KeyValue', at(...attribute)],
    ['AnyValue', at(...attribute, 'value')],
    ['ArrayValue', at(...span, 'attributes', 0, 'value', 'arrayValue')],
    ['KeyValueList', at(...scopeSpans, 'scope', 'attributes', 0, 'value', 'kvlistValue')],
  ]);
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null;
}

/** A value that the field does not have in the base, and is not its default. */
function valueOf(field: protobuf.Field): unknown {
  const value = singleOf(field);
  return field.repeated ? [value] : value;
}

function singleOf({ name, type }: protobuf.Field): unknown {
  switch (type) {
    case 'string':
      return 'other';
    case 'bool':
      return true;
    case 'double':
      return 2;
    case 'bytes':
      return bytesOf(name === 'traceId' ? 16 : 8, 0xe5);
    case 'fixed64':
    case 'int64':
      return '1700493644900000001';
    case 'int32':
      return 2;
    case 'uint32':
    case 'fixed32':
      return 7;
    default:
      return messageOf(otlpMessages.lookupType(type));
  }
}

/** Every field set; of the choice of values the first, which ends the nesting. */
function messageOf(type: protobuf.Type): Message {
  const fields = type.name === 'AnyValue' ? type.fieldsArray.slice(0, 1) : type.fieldsArray;
  return Object.fromEntries(fields.map((field) => [field.name, valueOf(field)]));
}

function bytesOf(length: number, byte: number): Uint8Array {
  return new Uint8Array(length).fill(byte);
}

function encodeMessage(traces: Message): Uint8Array {
  const type = otlpMessages.lookupType('TracesData');
  return type.encode(type.fromObject(traces)).finish();
}

/** With strings for 64-bit numbers and the fields that were sent only. */
function decodeMessage(bytes: Uint8Array): Message {
  const type = otlpMessages.lookupType('TracesData');
  return type.toObject(type.decode(bytes), { longs: String, bytes: String });
}
