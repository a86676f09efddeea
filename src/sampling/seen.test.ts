import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type SeenSummary, toSeenRequest } from './seen.ts';

const summary: SeenSummary = {
  StartTime: 5.5,
  HasFault: false,
  HasError: false,
  HasThrottle: false,
  EntryPoint: { Name: 'shop', Type: 'AWS::ECS::Container' },
  Http: { HttpMethod: 'GET', HttpURL: 'https://shop.example:8080/cart?x=1' },
  Annotations: {},
};

test('A request that was seen has the host and the path of its URL', () => {
  const { request, outcome, startSeconds } = toSeenRequest(summary);
  assert.deepEqual([outcome, startSeconds], ['ok', 5.5]);
  assert.deepEqual(request, {
    serviceName: 'shop',
    serviceType: 'AWS::ECS::Container',
    host: 'shop.example:8080',
    httpMethod: 'GET',
    urlPath: '/cart',
    resourceArn: undefined,
    attributes: new Map(),
  });
  const pathOf = (HttpURL: string) => toSeenRequest({ ...summary, Http: { HttpURL } }).request.urlPath;
  assert.deepEqual(['https://shop.example', '/orders?x', '?x'].map(pathOf), ['/', '/orders', '/']);
});

test('Of a trace without an entry or HTTP nothing is made up', () => {
  const { EntryPoint: _, ...rest } = summary;
  const { serviceName, host, urlPath, httpMethod } = toSeenRequest({ ...rest, Http: {} }).request;
  assert.deepEqual([serviceName, host, urlPath, httpMethod], [undefined, undefined, undefined, undefined]);
});

test('A throttle is an error, and a fault is worse than both', () => {
  const outcomeOf = (members: Partial<SeenSummary>) => toSeenRequest({ ...summary, ...members }).outcome;
  assert.equal(outcomeOf({ HasThrottle: true }), 'error');
  assert.equal(outcomeOf({ HasError: true, HasThrottle: true }), 'error');
  assert.equal(outcomeOf({ HasError: true, HasFault: true }), 'fault');
});

test('Annotations of the service that was entered are the attributes, those of others are not', () => {
  const annotation = (AnnotationValue: object, service: string) => ({
    AnnotationValue,
    ServiceIds: [{ Name: service }],
  });
  const { attributes } = toSeenRequest({
    ...summary,
    Annotations: {
      tier: [annotation({ StringValue: 'tin' }, 'stock'), annotation({ StringValue: 'gold' }, 'shop')],
      cart: [annotation({ NumberValue: 3 }, 'shop')],
      table: [annotation({ StringValue: 'goods' }, 'stock')],
    },
  }).request;
  assert.deepEqual(
    [...attributes],
    [
      ['tier', 'gold'],
      ['cart', '3'],
    ],
  );
});
