import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { arbitrarySpans } from '../../test/support/arbitraries.ts';
import { decodeIndexedResource, decodeIndexedScope, decodeIndexedSpan, indexTraces } from './otlp-index.ts';
import { decodeTraces, encodeTraces } from './otlp-proto.ts';

test('a request can be indexed, and decoded span by span to the same spans', () => {
  fc.assert(
    fc.property(arbitrarySpans, (spans) => {
      const bytes = encodeTraces(spans);
      const index = indexTraces(bytes);
      const found = Array.from({ length: index.spanCount }, (_, i) => {
        const scope = index.scopes[index.spans[3 * i + 2] ?? 0];
        const resource = scope && index.resources[scope.resource];
        assert.ok(scope && resource);
        return decodeIndexedSpan(bytes, index.spans[3 * i] ?? 0, {
          resource: decodeIndexedResource(bytes, resource),
          scope: decodeIndexedScope(bytes, scope),
        });
      });
      assert.deepEqual(found, decodeTraces(bytes));
    }),
  );
});
