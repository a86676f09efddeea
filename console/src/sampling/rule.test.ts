import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TracePoint } from '../api/answers.ts';
import {
  createRuleCommand,
  newFields,
  rulesTried,
  toCreateRequest,
  toDraft,
  toRecord,
  toSeenRequest,
  toUpdateRequest,
} from './rule.ts';

const point: TracePoint = {
  Id: '1-5759e988-bd862e3fe1be46a994272793',
  StartTime: 5.5,
  ResponseTime: 0.1,
  HasFault: true,
  HasError: false,
  HasThrottle: false,
  Service: 'shop',
  Method: 'GET',
  Url: 'https://shop.example:8080/cart?x=1',
  Users: [],
  Annotations: {},
};

describe('a request that was seen', () => {
  it('has the host and the path of its URL', () => {
    const { request, failed, startSeconds } = toSeenRequest(point);
    assert.deepEqual(
      [request.serviceName, request.host, request.urlPath, request.httpMethod, failed, startSeconds],
      ['shop', 'shop.example:8080', '/cart', 'GET', true, 5.5],
    );
    assert.equal(toSeenRequest({ ...point, Url: 'https://shop.example' }).request.urlPath, '/');
    assert.equal(toSeenRequest({ ...point, Url: '/orders?x' }).request.urlPath, '/orders');
  });

  it('is tried by rules in order, up to the one that matches', () => {
    const rule = (name: string, members: Partial<typeof newFields>) => {
      const draft = toDraft({ ...newFields, RuleName: name, ...members }, new Map());
      assert.ok(draft);
      return toRecord(draft);
    };
    const records = [
      rule('late', { Priority: '200' }),
      rule('cart', { Priority: '10', URLPath: '/c?rt' }),
      rule('first', { Priority: '1', ServiceName: 'other' }),
    ];
    const tried = (url: string) =>
      rulesTried(toSeenRequest({ ...point, Url: url }).request, records).map(({ ruleName }) => ruleName);
    assert.deepEqual(tried('https://h/cart'), ['first', 'cart']);
    assert.deepEqual(tried('https://h/x'), ['first', 'cart', 'late']);
    assert.deepEqual(
      rulesTried(toSeenRequest(point).request, []).map(({ ruleName }) => ruleName),
      ['Default'],
    );
  });
});

describe('the form of a rule', () => {
  it('is no rule while a number is none', () => {
    for (const wrong of [{ Priority: 'high' }, { FixedRate: '1.5' }, { FixedRate: '' }, { ReservoirSize: '-1' }])
      assert.equal(toDraft({ ...newFields, ...wrong }, new Map()), undefined);
  });

  it('becomes the requests of the X-Ray API', () => {
    const form = { ...newFields, RuleName: 'cart', FixedRate: 'half' };
    assert.deepEqual(toCreateRequest(form), {
      SamplingRule: { ...newFields, RuleName: 'cart', Priority: 100, ReservoirSize: 1, FixedRate: 'half', Version: 1 },
    });
    assert.deepEqual(toUpdateRequest({ ...newFields, RuleName: 'Default' }, { isDefault: true }), {
      SamplingRuleUpdate: { RuleName: 'Default', FixedRate: 0.05, ReservoirSize: 1 },
    });
  });

  it('becomes a command', () => {
    const command = createRuleCommand({ ...newFields, RuleName: "it's" }, 'http://127.0.0.1:2080');
    assert.match(
      command,
      /^aws xray create-sampling-rule --endpoint-url http:\/\/127\.0\.0\.1:2080 --sampling-rule '\{/,
    );
    assert.match(command, /it'\\''s/);
  });
});
