import { chmod, rm } from 'node:fs/promises';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { join } from 'node:path';
import { RaybridgeError } from './errors.ts';
import type { Logger } from './pipeline/component.ts';
import type { DeadLetter, DeadLetters, NewRecord } from './pipeline/queue.ts';

/**
 * How a command on the same machine talks to the Raybridge that runs on a data directory: HTTP over a
 * Unix socket in that directory, so that whoever may read the data, and nobody else, may ask.
 */

/** Letters as the operator sees them, in this process or in the one that runs. */
export interface LetterBox {
  list(): Promise<readonly DeadLetter[]>;
  /** Undefined when there is no such letter, or it is damaged. */
  show(number: number): Promise<Pick<NewRecord, 'format' | 'body'> | undefined>;
  /** False when there is no such letter. */
  replay(number: number): Promise<boolean>;
  drop(number: number): Promise<boolean>;
}

export function letterBoxOf(letters: DeadLetters): LetterBox {
  return {
    list: async () => [...letters.letters()],
    show: async (number) => letters.letterRecord(number),
    replay: (number) => letters.replayLetter(number),
    drop: (number) => letters.dropLetter(number),
  };
}

/** Longer paths do not fit into the address of a Unix socket (macOS has the shorter one). */
const socketPathMax = 103;

function socketPathOf(dataDir: string): string {
  return join(dataDir, 'control.sock');
}

/** Listens until `close`. A data directory with too long a name gets no socket, which is logged. */
export async function openControl(
  dataDir: string,
  { letters, log }: { readonly letters: DeadLetters; readonly log: Logger },
): Promise<{ close(): Promise<void> }> {
  const path = socketPathOf(dataDir);
  if (Buffer.byteLength(path) > socketPathMax) {
    log.warn({ path }, 'the path is too long for a socket: raybridge dlq works only while this process is stopped');
    return { close: async () => {} };
  }
  const box = letterBoxOf(letters);
  const server = createServer((message, response) => void answer(message, response, box));
  await rm(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  server.unref();
  return {
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(path, { force: true });
    },
  };
}

const routePattern = /^\/dead-letters(?:\/(\d+)(?:\/(replay|drop))?)?$/;

async function answer(message: IncomingMessage, response: ServerResponse, box: LetterBox): Promise<void> {
  const [, number, action] = routePattern.exec(message.url ?? '') ?? [];
  try {
    if (number === undefined) return send(response, 200, printLetters(await box.list()));
    if (action === 'replay') return send(response, (await box.replay(Number(number))) ? 200 : 404, '');
    if (action === 'drop') return send(response, (await box.drop(Number(number))) ? 200 : 404, '');
    const record = await box.show(Number(number));
    if (!record) return send(response, 404, '');
    response.setHeader('x-format', record.format);
    send(response, 200, record.body);
  } catch (error) {
    send(response, 500, error instanceof Error ? error.message : String(error));
  }
}

function send(response: ServerResponse, status: number, body: string | Uint8Array): void {
  response.writeHead(status).end(body);
}

function printLetters(letters: readonly DeadLetter[]): string {
  return JSON.stringify(letters.map((letter) => ({ ...letter, diedAtNs: String(letter.diedAtNs) })));
}

/** The letters of the Raybridge that runs on the data directory; undefined when none answers there. */
export async function findLetterBox(dataDir: string): Promise<LetterBox | undefined> {
  const path = socketPathOf(dataDir);
  const ask = async (method: string, url: string): Promise<Asked> => {
    const sent = request({ socketPath: path, method, path: url }).end();
    const [message] = (await once(sent, 'response')) as [IncomingMessage];
    const body = await buffer(message);
    if (message.statusCode === 500) throw new RaybridgeError('QUEUE_WRITE_FAILED', body.toString());
    return { found: message.statusCode === 200, body, format: String(message.headers['x-format'] ?? '') };
  };
  const isThere = await ask('GET', '/dead-letters/0').then(
    () => true,
    () => false,
  );
  if (!isThere) return undefined;
  return {
    async list() {
      const letters: (Omit<DeadLetter, 'diedAtNs'> & { diedAtNs: string })[] = JSON.parse(
        (await ask('GET', '/dead-letters')).body.toString(),
      );
      return letters.map((letter) => ({ ...letter, diedAtNs: BigInt(letter.diedAtNs) }));
    },
    async show(number) {
      const { found, body, format } = await ask('GET', `/dead-letters/${number}`);
      return found ? { format: format as NewRecord['format'], body } : undefined;
    },
    replay: async (number) => (await ask('POST', `/dead-letters/${number}/replay`)).found,
    drop: async (number) => (await ask('POST', `/dead-letters/${number}/drop`)).found,
  };
}

interface Asked {
  readonly found: boolean;
  readonly body: Buffer;
  readonly format: string;
}
