import assert from 'node:assert/strict';
import type { JsonValue, SegmentDocument } from '../../src/model/index.ts';
import { isJsonArray, isJsonNumber, isJsonObject } from '../../src/model/index.ts';

/** What readers of segment documents rely on: AWS X-Ray developer guide, "segment documents". */

/** Fails, naming the JSON pointer, when a member is none of the guide's, or has another type; `null` is none. */
export function assertSegmentDocument(document: SegmentDocument): void {
  segmentCheck(document, '');
  assert.equal(document.has('end_time'), document.get('in_progress') !== true, 'either ended or in progress');
  for (const name of ['name', 'id', 'trace_id', 'start_time']) assert.ok(document.has(name), `has ${name}`);
}

type Check = (value: JsonValue, pointer: string) => void;

const text: Check = (value, pointer) => assert.ok(typeof value === 'string' && value !== '', pointer);
const anyText: Check = (value, pointer) => assert.ok(typeof value === 'string', pointer);
const number: Check = (value, pointer) => assert.ok(isJsonNumber(value), pointer);
const integer: Check = (value, pointer) => assert.ok(isJsonNumber(value) && /^-?\d+$/.test(value.literal), pointer);
const flag: Check = (value, pointer) => assert.ok(typeof value === 'boolean', pointer);

function matching(pattern: RegExp): Check {
  return (value, pointer) => assert.ok(typeof value === 'string' && pattern.test(value), pointer);
}

function listOf(check: Check): Check {
  return (value, pointer) => {
    assert.ok(isJsonArray(value), pointer);
    for (const [i, element] of value.entries()) check(element, `${pointer}/${i}`);
  };
}

function objectOf(members: Readonly<Record<string, Check>>): Check {
  return (value, pointer) => {
    assert.ok(isJsonObject(value), pointer);
    for (const [name, member] of value) {
      const check = Object.hasOwn(members, name) ? members[name] : undefined;
      assert.ok(check, `${pointer}/${name} is no member of the guide`);
      check(member, `${pointer}/${name}`);
    }
  };
}

function textsOf(...names: readonly string[]): Check {
  return objectOf(Object.fromEntries(names.map((name) => [name, text])));
}

const id = matching(/^[0-9a-f]{16}$/);
const traceId = matching(/^1-[0-9a-f]{8}-[0-9a-f]{24}$/);
const exception = objectOf({
  id: text,
  message: text,
  type: text,
  remote: flag,
  truncated: integer,
  skipped: integer,
  cause: text,
  stack: listOf(objectOf({ path: anyText, line: integer, label: anyText })),
});
const causeMembers = objectOf({ working_directory: text, paths: listOf(anyText), exceptions: listOf(exception) });

const annotations: Check = (value, pointer) => {
  assert.ok(isJsonObject(value) && value.size <= 50, pointer);
  for (const [name, annotation] of value) {
    assert.match(name, /^[A-Za-z0-9_.]{1,510}$/);
    const isShort = typeof annotation === 'string' && [...annotation].length <= 1000;
    assert.ok(isShort || typeof annotation === 'boolean' || isJsonNumber(annotation), `${pointer}/${name}`);
  }
};

const segmentCheck = objectOf({
  name: matching(/^[\p{L}\p{N}\s_.:/%&#=+\\\-@]{1,200}$/u),
  id,
  trace_id: traceId,
  parent_id: id,
  type: matching(/^subsegment$/),
  start_time: number,
  end_time: number,
  in_progress: flag,
  namespace: text,
  origin: text,
  resource_arn: text,
  user: text,
  inferred: flag,
  traced: flag,
  fault: flag,
  error: flag,
  throttle: flag,
  precursor_ids: listOf(anyText),
  service: textsOf('name', 'version', 'compiler', 'compiler_version', 'runtime', 'runtime_version'),
  http: objectOf({
    request: objectOf({
      method: text,
      url: text,
      user_agent: text,
      client_ip: text,
      x_forwarded_for: flag,
      traced: flag,
    }),
    response: objectOf({ status: integer, content_length: integer }),
  }),
  aws: objectOf({
    ...Object.fromEntries(
      ['account_id', 'operation', 'region', 'request_id', 'queue_url', 'table_name', 'topic_arn'].map((name) => [
        name,
        text,
      ]),
    ),
    function_name: text,
    function_arn: text,
    retries: integer,
    table_names: listOf(anyText),
    resource_names: listOf(text),
    api_gateway: textsOf('rest_api_id', 'stage'),
    ec2: textsOf('availability_zone', 'instance_id', 'instance_size', 'ami_id'),
    ecs: textsOf(
      'container',
      'container_id',
      'availability_zone',
      'container_arn',
      'cluster_arn',
      'task_arn',
      'task_family',
      'launch_type',
    ),
    eks: textsOf('cluster_name', 'pod', 'container_id'),
    elastic_beanstalk: objectOf({ environment_name: text, version_label: text, deployment_id: integer }),
    cloudwatch_logs: listOf(textsOf('log_group', 'arn')),
    xray: objectOf({ sdk: text, sdk_version: text, auto_instrumentation: flag }),
  }),
  sql: textsOf(
    'url',
    'connection_string',
    'sanitized_query',
    'database_type',
    'database_version',
    'driver_version',
    'user',
    'preparation',
  ),
  cause: (value, pointer) => (typeof value === 'string' ? text(value, pointer) : causeMembers(value, pointer)),
  annotations,
  metadata: anyObject,
  links: listOf(objectOf({ trace_id: traceId, id, attributes: anyObject })),
});

function anyObject(value: JsonValue, pointer: string): void {
  assert.ok(isJsonObject(value), pointer);
}
