import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findTraceId, fromAwsFragment } from './deepLink.ts';

const id = '1-6650a1b2-00f1e2d3c4b5a69788796a5b';

describe('links of the AWS console', () => {
  it('open a trace, or its raw data', () => {
    assert.equal(fromAwsFragment(`#/traces/${id}`), `/traces/${id}`);
    assert.equal(fromAwsFragment(`#/traces/${id}/raw`), `/traces/${id}?view=raw`);
    assert.equal(fromAwsFragment('#/traces/not-an-id'), undefined);
  });

  it('carry filter and time range', () => {
    assert.equal(
      fromAwsFragment('#/traces?filter=service(%22a%22)&timeRange=PT15M'),
      '/traces?from=-15m&q=service%28%22a%22%29',
    );
    assert.equal(
      fromAwsFragment('#/service-map?timeRange=2024-5-24T14:00~2024-05-24T15:30:10'),
      `/map?from=${Date.UTC(2024, 4, 24, 14) / 1000}&to=${Date.UTC(2024, 4, 24, 15, 30, 10) / 1000}`,
    );
  });

  it('are left alone when they are none', () => {
    assert.equal(fromAwsFragment(''), undefined);
    assert.equal(fromAwsFragment('#main'), undefined);
    assert.equal(fromAwsFragment('#/traces?timeRange=nonsense'), '/traces');
  });
});

describe('a pasted text', () => {
  it('gives the first trace id in it, in either form', () => {
    assert.equal(findTraceId(`INFO Root=${id};Parent=53995c3f42cd8ad8;Sampled=1`), id);
    assert.equal(
      findTraceId('traceparent 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'),
      '4bf92f3577b34da6a3ce929d0e0e4736',
    );
  });

  it('gives nothing without one', () => {
    assert.equal(findTraceId('fault AND user = "a"'), undefined);
    assert.equal(findTraceId('0'.repeat(32)), undefined);
    assert.equal(findTraceId('a'.repeat(33)), undefined);
  });
});
