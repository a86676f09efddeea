import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { batchGetTracesCommand, traceSummariesCommand } from './awsCommand.ts';

describe('commands to copy', () => {
  it('ask the same question as the page', () => {
    assert.equal(
      traceSummariesCommand({ endpoint: 'http://127.0.0.1:2080', filter: 'user = "a"', from: 100.7, to: 200.2 }),
      `aws xray get-trace-summaries --endpoint-url http://127.0.0.1:2080 --start-time 100 --end-time 201 --filter-expression 'user = "a"'`,
    );
  });

  it('leave the shell nothing to interpret', () => {
    assert.match(
      traceSummariesCommand({ endpoint: undefined, filter: `user = "o'$(id)"`, from: 1, to: 2 }),
      /'user = "o'\\''\$\(id\)"'$/,
    );
  });

  it('name one trace', () => {
    assert.equal(
      batchGetTracesCommand({ endpoint: undefined, traceId: '1-6650a1b2-00f1e2d3c4b5a69788796a5b' }),
      'aws xray batch-get-traces --trace-ids 1-6650a1b2-00f1e2d3c4b5a69788796a5b',
    );
  });
});
