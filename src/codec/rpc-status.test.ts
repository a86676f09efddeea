import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import { RaybridgeError } from '../errors.ts';
import { decodeRpcStatus, encodeRpcStatus, encodeRpcStatusJson } from './rpc-status.ts';

/** As googleapis defines them, for an implementation that is not ours. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
  message Any { string type_url = 1; bytes value = 2; }
  message BadRequest { repeated FieldViolation field_violations = 1; }
  message FieldViolation { string field = 1; string description = 2; }
  message RetryInfo { Duration retry_delay = 1; }
  message Duration { int64 seconds = 1; int32 nanos = 2; }
`);

test('an encoded status is decoded to the same', () => {
  for (const status of [
    { code: 14, message: 'come again', retryAfterMs: 1500 },
    { code: 8, message: '', retryAfterMs: 0 },
    { code: 3, message: 'é'.repeat(200), retryAfterMs: undefined },
    { code: 0, message: '', retryAfterMs: undefined },
    { code: -1, message: 'x', retryAfterMs: 0.5 },
  ]) {
    assert.deepEqual(decodeRpcStatus(encodeRpcStatus(status)), status);
  }
});

test('another implementation reads the delay of a retry', () => {
  const [any] = details({ code: 14, message: 'come again', retryAfterMs: 61_250 });
  assert.equal(any?.typeUrl, 'type.googleapis.com/google.rpc.RetryInfo');
  assert.deepEqual(read('RetryInfo', any.value), { retryDelay: { seconds: 61, nanos: 250_000_000 } });
});

test('an invalid argument carries a BadRequest with the message', () => {
  const [any] = details({ code: 3, message: 'byte 5: bad' });
  assert.equal(any?.typeUrl, 'type.googleapis.com/google.rpc.BadRequest');
  assert.deepEqual(read('BadRequest', any.value), { fieldViolations: [{ description: 'byte 5: bad' }] });
});

test('the JSON form is that of proto3', () => {
  assert.deepEqual(JSON.parse(encodeRpcStatusJson({ code: 14, message: 'come again', retryAfterMs: 1500 })), {
    code: 14,
    message: 'come again',
    details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' }],
  });
  assert.deepEqual(JSON.parse(encodeRpcStatusJson({ code: 3, message: 'bad' })), {
    code: 3,
    message: 'bad',
    details: [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ description: 'bad' }] }],
  });
  assert.equal(encodeRpcStatusJson({ code: 5, message: 'no' }), '{"code":5,"message":"no"}');
});

test('a status that is cut anywhere is refused as bad input or read in part', () => {
  const bytes = encodeRpcStatus({ code: 14, message: 'come again', retryAfterMs: 1500 });
  for (let length = 0; length < bytes.length; length++) {
    try {
      decodeRpcStatus(bytes.subarray(0, length));
    } catch (error) {
      assert.ok(error instanceof RaybridgeError && error.code === 'BAD_INPUT', String(error));
    }
  }
});

test('a RetryInfo that cannot be decoded is bad input', () => {
  const bytes = root.lookupType('Status').encode({
    details: [{ typeUrl: 'x/google.rpc.RetryInfo', value: Uint8Array.of(0x0a, 0x05) }],
  });
  assert.throws(
    () => decodeRpcStatus(bytes.finish()),
    (error) => error instanceof RaybridgeError && /google\.rpc\.RetryInfo, byte 0/.test(error.message),
  );
});

function details(status: Parameters<typeof encodeRpcStatus>[0]): readonly { typeUrl: string; value: Uint8Array }[] {
  return read('Status', encodeRpcStatus(status))['details'];
}

function read(type: string, bytes: Uint8Array) {
  return root.lookupType(type).toObject(root.lookupType(type).decode(bytes), { longs: Number });
}
