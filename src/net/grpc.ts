import { Metadata, Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { encodeRpcStatus } from '../codec/rpc-status.ts';
import type { Logger } from '../pipeline/component.ts';
import type { Status } from '../pipeline/status.ts';
import { parseAddress, printAddress } from './address.ts';
import { listenFailed, reportListening, type WantedListener } from './listening.ts';
import { toIngestFailure } from './status.ts';
import { readServerTls, reloadServerTls, type ServerTlsConfig } from './tls-server.ts';

/**
 * One unary method: the bytes of the request message in, those of the response message out. What it
 * throws goes to the client; a bug it logs itself.
 */
export type GrpcMethod = (request: Uint8Array) => Promise<Uint8Array>;

/** A gRPC server that is listening. */
export interface GrpcServer {
  /** host:port as bound. */
  readonly address: string;
  /** Accepts no more, lets calls under way finish, and cuts what is left at the deadline. */
  close(deadlineMs: number): Promise<void>;
}

const connectionsMax = 1_000;
const sendBytesMax = 4 * 1024 * 1024;
/** Megabytes that Node's HTTP/2 may hold for one connection; grpc-js alone would set no limit. */
const sessionMegabytesMax = 10;

/**
 * Serves unary methods on plain HTTP/2. A method that throws is answered as `net/status.ts` says,
 * with google.rpc.Status in `grpc-status-details-bin` (RetryInfo in it when the client may come
 * again). The TCP socket is ours, not the library's: so its errors are handled, its connections
 * are bounded, and a port in use is told with its holder.
 * @throws RaybridgeError LISTEN_FAILED, CONFIG_INVALID (endpoint).
 */
export async function openGrpc({
  component,
  protocol,
  endpoint,
  methods,
  requestBytesMax,
  streamsMax,
  tls,
  admit,
  status,
  log,
}: {
  readonly component: string;
  readonly protocol: string;
  readonly endpoint: string;
  /** By path: `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, GrpcMethod>;
  /** Of one message, on the wire and after decompression. */
  readonly requestBytesMax: number;
  /** Calls at one time on one connection. */
  readonly streamsMax: number;
  /** Absent: plain text. */
  readonly tls?: ServerTlsConfig | undefined;
  /** Refuses a call by its metadata, before its message is looked at. */
  readonly admit?: ((metadata: Readonly<Record<string, string>>) => Promise<void>) | undefined;
  readonly status: Status;
  readonly log: Logger;
}): Promise<GrpcServer> {
  const rpc = new Server({
    'grpc.max_receive_message_length': requestBytesMax,
    'grpc.max_send_message_length': sendBytesMax,
    'grpc.max_concurrent_streams': streamsMax,
    'grpc-node.max_session_memory': sessionMegabytesMax,
    'grpc.enable_channelz': 0,
  });
  for (const [path, method] of methods) register(rpc, path, { method, admit });
  const injector = rpc.createConnectionInjector(ServerCredentials.createInsecure());

  const onConnection = (socket: Socket): void => {
    // HTTP/2 closes the session on a socket error; without a listener it would end the process.
    socket.on('error', (error) => log.debug({ err: error }, 'a gRPC connection broke'));
    injector.injectConnection(socket);
  };
  const tcp = tls ? openSecure(tls, onConnection, log) : createServer({ noDelay: true }, onConnection);
  tcp.maxConnections = connectionsMax;
  const wanted = { component, protocol, transport: 'tcp', address: parseAddress(endpoint) } as const;
  const address = await listen(tcp, wanted);
  tcp.on('error', (error) => log.error({ err: error }, 'the gRPC listener could not accept a connection'));
  reportListening({ status, log, listener: { component, protocol, transport: 'tcp', address } });

  return {
    address,
    async close(deadlineMs) {
      const closed = once(tcp, 'close');
      tcp.close();
      injector.drain(deadlineMs);
      await closed;
      injector.destroy();
      rpc.forceShutdown();
    },
  };
}

function openSecure(tls: ServerTlsConfig, onConnection: (socket: Socket) => void, log: Logger): TlsServer {
  const options = { ...readServerTls(tls), ALPNProtocols: ['h2'], handshakeTimeout: handshakeTimeoutMs, noDelay: true };
  const server = createTlsServer(options, onConnection);
  server.on('tlsClientError', (error) => log.debug({ err: error }, 'a TLS handshake failed'));
  const stop = reloadServerTls(server, tls, (error) =>
    log.error({ err: error }, 'the certificate cannot be read again'),
  );
  server.once('close', stop);
  return server;
}

const handshakeTimeoutMs = 10_000;

interface Door {
  readonly method: GrpcMethod;
  readonly admit: ((metadata: Readonly<Record<string, string>>) => Promise<void>) | undefined;
}

function register(rpc: Server, path: string, { method, admit }: Door): void {
  const asIs = (bytes: Buffer): Buffer => bytes;
  const handle = async (call: ServerUnaryCall<Buffer, Buffer>): Promise<Uint8Array> => {
    await admit?.(textsOf(call.metadata));
    return await method(call.request);
  };
  const answer = (call: ServerUnaryCall<Buffer, Buffer>, respond: sendUnaryData<Buffer>): void => {
    handle(call).then(
      (response) => respond(null, Buffer.from(response.buffer, response.byteOffset, response.byteLength)),
      (error: unknown) => respond(toServiceError(error)),
    );
  };
  rpc.register(path, answer, asIs, asIs, 'unary');
}

/** Metadata that is text, by name in lower case. */
function textsOf(metadata: Metadata): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(metadata.getMap()).map(([name, value]) => [name, value.toString()]));
}

/** The status of a failed call, as trailers carry it. */
function toServiceError(error: unknown): { code: number; details: string; metadata: Metadata } {
  const { grpc: code, message, retryAfterMs } = toIngestFailure(error);
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(encodeRpcStatus({ code, message, retryAfterMs })));
  return { code, details: message, metadata };
}

async function listen(tcp: TcpServer, wanted: WantedListener): Promise<string> {
  try {
    tcp.listen({ host: wanted.address.host, port: wanted.address.port });
    await once(tcp, 'listening');
  } catch (error) {
    throw listenFailed(wanted, error);
  }
  const bound = tcp.address() as AddressInfo; // A listening TCP server has an AddressInfo.
  return printAddress({ host: bound.address, port: bound.port });
}
