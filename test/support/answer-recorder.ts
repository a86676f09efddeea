import { once } from 'node:events';
import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** One answer of the X-Ray API, as the client got it. */
export interface RecordedAnswer {
  readonly path: string;
  /** What the client calls itself. */
  readonly userAgent: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface AnswerRecorder {
  /** host:port for clients. */
  readonly address: string;
  readonly answers: readonly RecordedAnswer[];
  close(): Promise<void>;
}

/** Stands between clients and the API, hands everything on as it is, and keeps the answers. */
export async function openAnswerRecorder(api: string): Promise<AnswerRecorder> {
  const [host, port] = api.split(':');
  const agent = new Agent({ keepAlive: true });
  const answers: RecordedAnswer[] = [];

  const server = createServer((asked, response) => {
    const { method, url: path = '', headers } = asked;
    const passedOn = request({ host, port, agent, method, path, headers }, (answer) => {
      handBack(answer, response).then(
        (body) => {
          const { statusCode: status = 0, headers: given } = answer;
          answers.push({ path, userAgent: headers['user-agent'] ?? '', status, headers: given, body });
        },
        () => response.destroy(),
      );
    });
    passedOn.on('error', () => response.destroy());
    asked.pipe(passedOn);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: opened } = server.address() as AddressInfo; // As it was told to listen.

  return {
    address: `127.0.0.1:${opened}`,
    answers,
    async close() {
      agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function handBack(answer: IncomingMessage, response: ServerResponse): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer); // No encoding is set.
  const body = Buffer.concat(chunks);
  response.writeHead(answer.statusCode ?? 0, answer.statusMessage, answer.rawHeaders).end(body);
  return body;
}
