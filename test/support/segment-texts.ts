import * as fc from 'fast-check';

/**
 * Segment documents as JSON text, with each member mostly of its type (AWS X-Ray developer guide,
 * "segment documents"). They are wrong in every way that JSON has: other types, numbers in every
 * form, members twice, names such as `__proto__`.
 */

/** Members by object: the name of an object, one in brackets for a list of them, or a kind of value. */
const grammar: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  segment: {
    name: 'text',
    id: 'id',
    trace_id: 'traceId',
    parent_id: 'id',
    start_time: 'time',
    end_time: 'time',
    in_progress: 'flag',
    type: 'text',
    namespace: 'text',
    origin: 'text',
    resource_arn: 'text',
    user: 'text',
    fault: 'flag',
    error: 'flag',
    throttle: 'flag',
    traced: 'flag',
    inferred: 'flag',
    precursor_ids: '[id]',
    http: 'http',
    aws: 'aws',
    sql: 'sql',
    service: 'service',
    cause: 'cause',
    annotations: 'annotations',
    metadata: 'metadata',
    links: '[link]',
    subsegments: '[segment]',
  },
  http: { request: 'request', response: 'response' },
  request: {
    method: 'text',
    url: 'text',
    user_agent: 'text',
    client_ip: 'text',
    x_forwarded_for: 'flag',
    traced: 'flag',
  },
  response: { status: 'number', content_length: 'number' },
  aws: {
    account_id: 'text',
    operation: 'text',
    region: 'text',
    request_id: 'text',
    queue_url: 'text',
    table_name: 'text',
    table_names: '[text]',
    retries: 'number',
    resource_names: '[text]',
    ec2: 'any',
    ecs: 'any',
    eks: 'any',
    elastic_beanstalk: 'beanstalk',
    cloudwatch_logs: '[logs]',
    xray: 'xray',
    api_gateway: 'any',
  },
  beanstalk: { environment_name: 'text', version_label: 'text', deployment_id: 'number' },
  logs: { log_group: 'text', arn: 'text' },
  xray: { sdk: 'text', sdk_version: 'text', auto_instrumentation: 'flag', sampling_rule_name: 'text' },
  sql: {
    url: 'text',
    connection_string: 'text',
    sanitized_query: 'text',
    database_type: 'text',
    user: 'text',
    preparation: 'text',
  },
  service: { version: 'text', runtime: 'text', compiler: 'text' },
  cause: { working_directory: 'text', paths: '[text]', exceptions: '[exception]' },
  exception: {
    id: 'id',
    message: 'text',
    type: 'text',
    remote: 'flag',
    truncated: 'number',
    skipped: 'number',
    cause: 'id',
    stack: '[frame]',
  },
  frame: { path: 'text', line: 'number', label: 'text' },
  annotations: { tenant: 'text', 'a.b': 'number', ok: 'flag', '': 'any' },
  metadata: { default: 'any', debug: 'any', raybridge: 'envelope' },
  envelope: {
    v: 'number',
    n: 'text',
    k: 'number',
    t: '[text]',
    s: '[any]',
    a: '[any]',
    e: '[any]',
    l: '[any]',
    c: 'any',
    r: 'any',
    p: 'id',
  },
  link: { trace_id: 'traceId', id: 'id', attributes: 'any' },
  any: { a: 'number', b: 'text', c: '[any]', d: 'any', __proto__x: 'flag' },
};

const numbers = [
  '0',
  '1',
  '-1',
  '-0',
  '5.0',
  '0.10',
  '1E3',
  '1.499473411677E9',
  '200',
  '429',
  '503',
  '1e400',
  '18446744073709551616',
  '9223372036854775808',
];
const texts = [
  '""',
  '"GET"',
  '"aws"',
  '"remote"',
  '"subsegment"',
  '"AWS::EC2::Instance"',
  '"https://shop.example/x?y=1"',
  '"\\ud800"',
  '"\\u0000"',
  '"名前 😀"',
  '"a/b~c"',
  '"SELECT 1"',
  '"AWS.x"',
];
const kinds: Readonly<Record<string, fc.Arbitrary<string>>> = {
  text: fc.oneof(
    fc.constantFrom(...texts),
    fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
  ),
  number: fc.constantFrom(...numbers),
  flag: fc.constantFrom('true', 'false'),
  time: fc.constantFrom(
    '1700493644',
    '1700493644.9833896',
    '1596648396.63994461234',
    '1.499473411677E9',
    '0',
    '-1',
    '1e400',
  ),
  id: fc.constantFrom(
    '"53995c3f42cd8ad8"',
    '"53995C3F42CD8AD8"',
    '"7a4bf0a1c3d2e5f6"',
    '"0000000000000000"',
    '"x"',
    '""',
  ),
  traceId: fc.constantFrom(
    '"1-5759e988-bd862e3fe1be46a994272793"',
    '"5759e988bd862e3fe1be46a994272793"',
    '"1-5759E988-BD862E3FE1BE46A994272793"',
    '"x"',
  ),
};

const confused = fc.constantFrom('null', '{}', '[]', '""', '5', 'true', '[{}]', '{"x":1}', '[null]', '"x"');
const unknown = fc.constantFrom(
  '"__proto__":{"admin":true}',
  '"constructor":null',
  '"Dummy":[[{}]]',
  '"a/b":1E0',
  '"":false',
);

const objects = fc.letrec((tie) =>
  Object.fromEntries(
    Object.entries(grammar).map(([object, members]) => {
      const member = fc.oneof(
        ...Object.entries(members).map(([name, kind]) => ({
          weight: 8,
          arbitrary: valueOf(kind, tie).map((value) => `${JSON.stringify(name)}:${value}`),
        })),
        { weight: 2, arbitrary: unknown },
      );
      return [object, fc.array(member, { maxLength: 6, depthIdentifier: 'json' }).map((list) => `{${list.join(',')}}`)];
    }),
  ),
);

function valueOf(kind: string, tie: (name: string) => fc.Arbitrary<unknown>): fc.Arbitrary<string> {
  const isList = kind.startsWith('[');
  const name = isList ? kind.slice(1, -1) : kind;
  const one = kinds[name] ?? tie(name);
  const usual = isList
    ? fc.array(one, { maxLength: 3, depthIdentifier: 'json' }).map((list) => `[${list.join(',')}]`)
    : one.map(String);
  return fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: confused });
}

/** Most have what a document must have; what comes later of the same name wins. */
const identity =
  '"name":"n","id":"53995c3f42cd8ad8","trace_id":"1-5759e988-bd862e3fe1be46a994272793","start_time":1,"end_time":2';

export const arbitrarySegmentText: fc.Arbitrary<string> = fc
  .tuple(objects['segment'] as fc.Arbitrary<string>, fc.nat({ max: 9 })) // letrec forgets what its parts make.
  .map(([text, luck]) => (luck === 0 ? text : text === '{}' ? `{${identity}}` : `{${identity},${text.slice(1)}`));
