/**
 * Traces for the tests of this folder: a small shop, told as segment documents. Each trace is made
 * for some of the examples of the filter language; together they keep the examples apart.
 */
import assert from 'node:assert/strict';
import { parseJson } from '../codec/json.ts';
import type { SegmentDocument, Trace } from '../model/index.ts';
import { isJsonObject } from '../model/index.ts';
import { assembleTrace } from './trace.ts';

export const traceId = '6650a1b200f1e2d3c4b5a69788796a5b';
export const startTime = 1716560306;

type Members = Readonly<Record<string, unknown>>;

/** The document of a JavaScript object. */
export function documentOf(members: Members): SegmentDocument {
  return parseDocument(JSON.stringify(members));
}

export function parseDocument(text: string): SegmentDocument {
  const document = parseJson(text, { depthMax: 1000 });
  assert.ok(isJsonObject(document));
  return document;
}

export function traceOf(documents: readonly Members[], id = traceId): Trace {
  return assembleTrace(id, documents.map(documentOf));
}

/** A document that starts `at` seconds into the trace and takes `took` seconds. */
export function timed(at: number, took: number, members: Members): Members {
  return { start_time: startTime + at, end_time: Number((startTime + at + took).toFixed(6)), ...members };
}

function http(status: number, request: Members = {}): Members {
  return { http: { request, response: { status } } };
}

const shop = { id: '5a1b2c3d4e5f6071', name: 'shop.example', origin: 'AWS::ECS::Container' };

/** The example document of the segment format: a throttled table, a price service that answers 502. */
export const brokenShop = timed(0.1, 0.32, {
  ...shop,
  ...http(500, { method: 'GET', url: 'https://shop.example/cart', client_ip: '198.51.100.7' }),
  user: 'u-17',
  fault: true,
  annotations: { tenant: 'acme', items: 3, beta: false },
  subsegments: [
    timed(0.12, 0.07, {
      id: '7711223344556677',
      name: 'DynamoDB',
      namespace: 'aws',
      ...http(400),
      error: true,
      throttle: true,
      aws: { operation: 'Query', table_name: 'carts' },
    }),
    timed(0.2, 0.2, {
      id: '8811223344556677',
      name: 'price.example',
      namespace: 'remote',
      http: { request: { method: 'GET', url: 'https://price.example/v1', traced: true }, response: { status: 502 } },
      fault: true,
      cause: {
        working_directory: '/app',
        exceptions: [{ id: '9911223344556677', type: 'HttpError', message: 'bad gateway', remote: true }],
      },
    }),
  ],
});

const fineShop = timed(0, 0.5, {
  ...shop,
  ...http(200, { method: 'GET', url: 'https://shop.example/prices.json', user_agent: 'curl/8.0' }),
  annotations: { 'aws.local.operation': 'GET /cart', tenant: 'acorn', items: 2, beta: true },
});

const slowShop = timed(0, 4, {
  ...shop,
  ...http(200, { method: 'POST', url: 'https://shop.example/order' }),
  user: 'u-18',
  aws: { ec2: { availability_zone: 'eu-west-1b', instance_id: 'i-0abc' } },
  subsegments: [
    timed(0.1, 3.6, { id: '1111111111111111', name: 'price.example', namespace: 'remote', ...http(200) }),
    timed(3.7, 0.25, {
      id: '1111111111111112',
      name: 'DynamoDB',
      namespace: 'aws',
      aws: { operation: 'GetItem', table_name: 'carts' },
    }),
  ],
});

const missingPage = timed(0, 0.1, {
  ...shop,
  ...http(404, { method: 'GET', url: 'https://shop.example/nothing' }),
  user: 'u-17',
  subsegments: [
    timed(0.01, 0.02, { id: '1111111111111111', name: 'price.example', namespace: 'remote', ...http(404) }),
  ],
});

const resize = [
  timed(0, 1, {
    id: '2222222222222221',
    name: 'resize',
    origin: 'AWS::Lambda',
    ...http(200),
    error: true,
    resource_arn: 'arn:aws:lambda:eu-west-1:111122223333:function:resize',
  }),
  timed(0.1, 0.8, {
    id: '2222222222222222',
    parent_id: '2222222222222221',
    name: 'resize',
    origin: 'AWS::Lambda::Function',
    error: true,
    aws: { account_id: '111122223333' },
    subsegments: [timed(0.2, 0.1, { id: '2222222222222223', name: 'DynamoDB', namespace: 'aws', fault: true })],
  }),
];

const canary = timed(0, 0.2, {
  ...shop,
  ...http(200, { user_agent: 'Mozilla/5.0 CloudWatchSynthetics/arn:aws:synthetics' }),
});

/** a → b → c → d → e, each faulted by the next. */
const deep = ['a', 'b', 'c', 'd', 'e'].map((name, index) =>
  timed(index / 10, 1 - index / 10, {
    id: `333333333333330${index}`,
    name,
    fault: true,
    ...(index === 0 ? {} : { parent_id: `444444444444440${index - 1}` }),
    subsegments:
      index === 4 ? [] : [timed(index / 10, 0.1, { id: `444444444444440${index}`, name: 'call', fault: true })],
  }),
);

/** The price lookup is a piece of the shop itself here, so the root cause has one service. */
const localPrice = timed(0, 0.1, {
  ...shop,
  fault: true,
  subsegments: [timed(0, 0.05, { id: '1111111111111111', name: 'price.example', fault: true })],
});

const running = { ...shop, start_time: startTime, in_progress: true };

export const shopTraces: ReadonlyMap<string, Trace> = new Map([
  ['broken', traceOf([brokenShop])],
  ['fine', traceOf([fineShop])],
  ['slow', traceOf([slowShop])],
  ['missing', traceOf([missingPage])],
  ['resize', traceOf(resize)],
  ['canary', traceOf([canary])],
  ['deep', traceOf(deep)],
  ['local', traceOf([localPrice])],
  ['running', traceOf([running])],
]);
