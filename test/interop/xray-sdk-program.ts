/**
 * A program as its author wrote it for the X-Ray SDK: an HTTP server whose requests become segments,
 * with centralized sampling on. It is told where to send by AWS_XRAY_DAEMON_ADDRESS alone, and prints
 * a line of JSON for each request.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import xray from 'aws-xray-sdk-core';

const { middleware } = xray;
middleware.setDefaultName('legacy-orders');

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const { root, parent, sampled } = middleware.processHeaders(request) as {
    root?: string;
    parent?: string;
    sampled?: string;
  };
  const segment = new xray.Segment(middleware.resolveName(request.headers.host) ?? 'legacy-orders', root, parent);
  // The typings leave out what express and restify hand over here.
  middleware.resolveSampling({ root, parent, sampled } as never, segment, response as never);
  segment.addIncomingRequestData(new middleware.IncomingRequestData(request));
  segment.addAnnotation('tenant', 'acme');
  segment.addMetadata('cart', { items: [1, 2.5, 'three'] });
  const call = segment.addNewSubsegment('DynamoDB');
  call.namespace = 'aws';
  call.addAttribute('aws', { operation: 'GetItem', table_name: 'orders', region: 'eu-west-1' });
  call.close(new Error('the table is gone'), true);
  response.statusCode = 500;
  response.end();
  segment.addFaultFlag();
  segment.close();
  process.stdout.write(`${JSON.stringify({ traceId: segment.trace_id, sampled: segment.notTraced !== true })}\n`);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

process.stdin.on('data', () => void fetch(`http://127.0.0.1:${port}/orders?id=7`));
process.stdin.on('end', () => process.exit(0));
