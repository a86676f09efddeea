/** A fake AWS X-Ray that takes everything and counts documents; a process of its own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const mark = Buffer.from('\\"trace_id\\"');
let documents = 0;

const server = createServer((message, response) => {
  const chunks: Buffer[] = [];
  message.on('data', (chunk: Buffer) => void chunks.push(chunk));
  message.on('end', () => {
    const body = Buffer.concat(chunks);
    for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length)) documents++;
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"UnprocessedTraceSegments":[]}');
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send?.({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
});
process.on('message', () => process.send?.({ documents }));
